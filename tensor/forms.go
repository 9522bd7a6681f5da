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
	"slices"
	"sync/atomic"
)

// A FormTable says in which form a 3×3 convolution is computed. It is made by measuring, once, and then is data: the
// same table and kernel set give the same bits on every machine.
type FormTable struct {
	name  string
	sum   string
	rules []FormRule
}

// A FormRule is the form that was best for one kernel set, channels in and out, and pictures of Side×Side.
type FormRule struct {
	Set           string
	In, Out, Side int
	Form          Form
}

// String is the rule as a line of a table.
func (r FormRule) String() string {
	return fmt.Sprintf("%s %d %d %d %v", r.Set, r.In, r.Out, r.Side, r.Form)
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
	t := &FormTable{name: name}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		line, _, _ := bytes.Cut(lines.Bytes(), []byte("#"))
		fields := bytes.Fields(line)
		if len(fields) == 0 {
			continue
		}
		var r FormRule
		var form, rest string
		found, _ := fmt.Sscan(string(line)+" ", &r.Set, &r.In, &r.Out, &r.Side, &form)
		if _, err := fmt.Sscan(string(bytes.Join(fields[min(5, len(fields)):], []byte(" "))), &rest); found != 5 || err == nil {
			return nil, fmt.Errorf("%s, line %d: %q, expected kernel set, channels in, channels out, side and form", name, n,
				bytes.TrimSpace(line))
		}
		var err error
		if r.Form, err = ParseForm(form); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if r.In < 1 || r.Out < 1 || r.Side < 1 {
			return nil, fmt.Errorf("%s, line %d: %d channels to %d at side %d, expected numbers from 1 on", name, n, r.In, r.Out, r.Side)
		}
		t.rules = append(t.rules, r)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sum := sha256.New()
	for _, r := range t.rules {
		_, _ = fmt.Fprintln(sum, r) // a hash takes everything
	}
	t.sum = hex.EncodeToString(sum.Sum(nil))
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
		if r.Set != set {
			continue
		}
		d := ratio(cin, r.In) + ratio(cout, r.Out) + 2*ratio(side, r.Side)
		if d < best {
			best, form = d, r.Form
		}
	}
	return form
}

// ratio is |log(a/b)|.
func ratio(a, b int) float64 { return math.Abs(math.Log(float64(a) / float64(b))) }

// Rules returns the table's lines, in their order.
func (t *FormTable) Rules() []FormRule { return slices.Clone(t.rules) }

// Name returns the file that the table came from, "built in" for the program's own.
func (t *FormTable) Name() string { return t.name }

// Hash returns the sha256 of the rules, whatever the comments between them.
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
