package tensor

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"sync/atomic"
)

// A FormTable says in which form a 3×3 convolution is computed. It is made by measuring, once, and then is data: the
// same table and kernel set give the same bits on every machine.
type FormTable struct {
	name  string
	sum   string
	rules []formRule
}

// formRule is the form that was best for one kernel set, channels in and out, and pictures of side×side.
type formRule struct {
	set             string
	cin, cout, side int
	form            Form
}

// defaultForms is the table that is part of the program.
//
//go:embed forms.txt
var defaultForms []byte

var forms atomic.Pointer[FormTable]

func init() {
	t, err := ParseForms("built in", defaultForms)
	if err != nil {
		panic(err)
	}
	if path := os.Getenv("PERCEPT_FORMS"); path != "" {
		var own *FormTable
		if own, errForms = ReadForms(path); errForms == nil {
			t = own
		}
	}
	forms.Store(t)
}

var errForms error

// ReadForms reads a table from a file.
func ReadForms(path string) (*FormTable, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("table of forms: %w", err)
	}
	return ParseForms(path, b)
}

// ParseForms reads a table: a line for each rule with the kernel set, input channels, output channels, side of the
// pictures, and the form; # begins a comment.
func ParseForms(name string, b []byte) (*FormTable, error) {
	sum := sha256.Sum256(b)
	t := &FormTable{name: name, sum: hex.EncodeToString(sum[:])}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		fields := bytes.Fields(line)
		if len(fields) == 0 {
			continue
		}
		var r formRule
		var form, rest string
		found, _ := fmt.Sscan(string(line)+" ", &r.set, &r.cin, &r.cout, &r.side, &form)
		if _, err := fmt.Sscan(string(bytes.Join(fields[min(5, len(fields)):], []byte(" "))), &rest); found != 5 || err == nil {
			return nil, fmt.Errorf("%s, line %d: %q, want kernel set, channels in, channels out, side and form", name, n, bytes.TrimSpace(line))
		}
		var err error
		if r.form, err = ParseForm(form); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if r.cin < 1 || r.cout < 1 || r.side < 1 {
			return nil, fmt.Errorf("%s, line %d: %d channels to %d at side %d, want numbers from 1 on", name, n, r.cin, r.cout, r.side)
		}
		t.rules = append(t.rules, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Choose returns the form for a stride-1 convolution of cin to cout channels with a kh×kw kernel where pictures have
// about side×side pixels: that of the rule nearest in the ratios of channels and sides. A shape that only Implicit
// fits, a side of 0 and a kernel set without rules give Implicit.
func (t *FormTable) Choose(set string, cout, cin, kh, kw, side int) Form {
	best, form := math.Inf(1), Implicit
	if side < 1 || !Winograd4.Fits(cout, cin, kh, kw) {
		return Implicit
	}
	for _, r := range t.rules {
		if r.set != set {
			continue
		}
		d := ratio(cin, r.cin) + ratio(cout, r.cout) + 2*ratio(side, r.side)
		if d < best {
			best, form = d, r.form
		}
	}
	return form
}

// ratio is |log(a/b)|.
func ratio(a, b int) float64 { return math.Abs(math.Log(float64(a) / float64(b))) }

// Name returns the file that the table came from, "built in" for the program's own.
func (t *FormTable) Name() string { return t.name }

// Hash returns the sha256 of the table's text.
func (t *FormTable) Hash() string { return t.sum }

// Forms returns the table that layers are made by: the program's own, unless the environment variable PERCEPT_FORMS
// names a file or UseForms was called.
func Forms() *FormTable { return forms.Load() }

// UseForms changes the table for layers made from now on and returns a function that puts the former one back.
func UseForms(t *FormTable) (restore func()) {
	old := forms.Swap(t)
	return func() { forms.Store(old) }
}

// ChooseForm asks the current table about the current kernel set.
func ChooseForm(cout, cin, kh, kw, side int) Form {
	return Forms().Choose(KernelSet(), cout, cin, kh, kw, side)
}
