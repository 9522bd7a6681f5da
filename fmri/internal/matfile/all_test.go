package matfile

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reference is what scipy says of an array.
type reference struct {
	Class   string
	Dims    []int
	Logical bool
	Re, Im  []string
	Text    string
	Fields  []string
	Cells   []*reference
}

// TestAll reads the same variables out of version 5 files (plain, compressed, big-endian) and version 7.3 files (plain,
// compressed) and compares each with what scipy reads.
func TestAll(t *testing.T) {
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]*reference
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"all_v5.mat", "all_v5z.mat", "all_v5be.mat", "all_v73.mat", "all_v73z.mat"} {
		t.Run(name, func(t *testing.T) {
			f := open(t, name)
			v73 := strings.Contains(name, "v73")
			if n := len(want); len(f.Names()) != n && !v73 || v73 && len(f.Names()) != n+3 {
				t.Errorf("variables %v", f.Names())
			}
			for key, w := range want {
				compare(t, key, variable(t, f, key), w, v73)
			}
			for key, w := range want {
				one := open(t, name, key)
				if !slices.Equal(one.Names(), []string{key}) {
					t.Errorf("asked for %s, got %v", key, one.Names())
				}
				compare(t, key, variable(t, one, key), w, v73)
			}
		})
	}
}

func compare(t *testing.T, name string, a *Array, w *reference, v73 bool) {
	t.Helper()
	if a.Class.String() != w.Class || a.Logical != w.Logical {
		t.Errorf("%s: class %s (logical %v), want %s (%v)", name, a.Class, a.Logical, w.Class, w.Logical)
		return
	}
	if a.Class == Sparse {
		if _, err := a.Float64s(); err == nil || !strings.Contains(err.Error(), "variable "+name+": is of class sparse, expected numbers") {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	if !slices.Equal(a.Dims, w.Dims) || !slices.Equal(a.Fields, w.Fields) {
		t.Errorf("%s: dimensions %v, fields %v, want %v, %v", name, a.Dims, a.Fields, w.Dims, w.Fields)
	}
	if len(a.Cells) != len(w.Cells) {
		t.Fatalf("%s: %d cells, want %d", name, len(a.Cells), len(w.Cells))
	}
	for i, c := range w.Cells {
		compare(t, fmt.Sprintf("%s{%d}", name, i), a.Cells[i], c, v73)
	}
	switch a.Class {
	case Char:
		if a.Text != w.Text {
			t.Errorf("%s: %q, want %q", name, a.Text, w.Text)
		}
		return
	case Cell, Struct:
		return
	case Int64, Uint64:
		for i, s := range w.Re {
			got := ""
			if a.Class == Int64 {
				got = strconv.FormatInt(a.re.ints[i], 10)
			} else {
				got = strconv.FormatUint(a.re.uints[i], 10)
			}
			if got != s {
				t.Errorf("%s: value %d is %s, want %s", name, i, got, s)
			}
		}
		return
	}
	got, err := complexes(a)
	if err != nil || len(got) != len(w.Re) || a.Complex != (w.Im != nil) {
		t.Fatalf("%s: %d values, complex %v: %v", name, len(got), a.Complex, err)
	}
	for i, v := range got {
		same(t, fmt.Sprintf("%s, real part %d", name, i), real(v), w.Re[i])
		if a.Complex {
			same(t, fmt.Sprintf("%s, imaginary part %d", name, i), imag(v), w.Im[i])
		}
	}
	if x, err := a.Float64s(); a.Complex != (err != nil) || !a.Complex && len(x) != a.Len() {
		t.Errorf("%s as real numbers: %v", name, err)
	}
}

func same(t *testing.T, what string, got float64, want string) {
	t.Helper()
	w, err := strconv.ParseFloat(want, 64)
	if err != nil {
		t.Fatal(err)
	}
	if math.Float64bits(got) != math.Float64bits(w) && !(got != got && w != w) {
		t.Errorf("%s is %v, want %v", what, got, w)
	}
}

// TestV73Only reads what only version 7.3 files have.
func TestV73Only(t *testing.T) {
	f := open(t, "all_v73.mat")
	if a := variable(t, f, "nostruct"); a.Class != Struct || !slices.Equal(a.Dims, []int{0, 0}) || len(a.Cells) != 0 {
		t.Errorf("empty struct: %+v", a)
	}
	if a := variable(t, f, "unset"); a.Class != Cell || a.Cells[0].Class != Double || a.Cells[0].Len() != 0 {
		t.Errorf("a cell that was never set: %+v", a)
	}
	a := variable(t, f, "object")
	if a.Class != Opaque || a.Text != "datetime" {
		t.Errorf("object: %+v", a)
	}
	if _, err := a.Float64s(); err == nil || !strings.Contains(err.Error(),
		"all_v73.mat: variable object: is of class opaque, expected numbers") {
		t.Errorf("object as numbers: %v", err)
	}
	one := variable(t, f, "one")
	alpha, err := one.Field("alpha")
	if err != nil || alpha.Class != Single {
		t.Errorf("field alpha: %v", err)
	}
	if _, err := alpha.Ints(); err == nil || !strings.Contains(err.Error(),
		filepath.Join("testdata", "all_v73.mat")+": variable one.alpha: value 0 is ") {
		t.Errorf("fractions as whole numbers: %v", err)
	}
}

// complexes is the values of a numeric array, real or complex.
func complexes(a *Array) ([]complex128, error) {
	b := *a
	b.Complex = false
	re, err := b.Float64s()
	if err != nil {
		return nil, err
	}
	im := make([]float64, len(re))
	if a.Complex {
		if im, err = a.im.float64s(a); err != nil {
			return nil, err
		}
	}
	out := make([]complex128, len(re))
	for i := range out {
		out[i] = complex(re[i], im[i])
	}
	return out, nil
}
