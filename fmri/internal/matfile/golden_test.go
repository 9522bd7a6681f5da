package matfile

import (
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func open(t *testing.T, name string, vars ...string) *File {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name), vars...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func variable(t *testing.T, f *File, name string) *Array {
	t.Helper()
	a, err := f.Var(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func floats(t *testing.T, a *Array) []float64 {
	t.Helper()
	x, err := a.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func ints(t *testing.T, a *Array) []int {
	t.Helper()
	x, err := a.Ints()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestDesign reads the experiment's design as doubles and in small integer types: the same numbers.
func TestDesign(t *testing.T) {
	plain := open(t, "nsd_expdesign.mat")
	small := open(t, "nsd_expdesign_uncompressed_small_ints.mat")
	want := []string{"masterordering", "basiccnt", "sharedix", "subjectim", "stimpattern"}
	if !slices.Equal(plain.Names(), want) {
		t.Errorf("Names() = %v, want %v", plain.Names(), want)
	}
	for _, name := range want {
		a, b := variable(t, plain, name), variable(t, small, name)
		if !slices.Equal(a.Dims, b.Dims) || !slices.Equal(ints(t, a), ints(t, b)) {
			t.Errorf("%s: %v %v and %v %v", name, a.Dims, ints(t, a), b.Dims, ints(t, b))
		}
	}
	if c := variable(t, small, "subjectim").Class; c != Uint32 {
		t.Errorf("subjectim is %v", c)
	}
	one := open(t, "nsd_expdesign.mat", "sharedix", "absent")
	if !slices.Equal(one.Names(), []string{"sharedix"}) {
		t.Errorf("asked for sharedix, got %v", one.Names())
	}
	if _, err := one.Var("absent"); err == nil || !strings.Contains(err.Error(), "nsd_expdesign.mat: no variable absent") {
		t.Errorf("Var(absent): %v", err)
	}
}

// TestEdgeCases reads what scipy.io.savemat wrote uncompressed; values as scipy.io.loadmat shows them.
func TestEdgeCases(t *testing.T) {
	f := open(t, "mat_edge_cases.mat")
	if x := floats(t, variable(t, f, "scalar")); !slices.Equal(x, []float64{3.5}) {
		t.Errorf("scalar = %v", x)
	}
	if s := variable(t, f, "text").Text; s != "hello" {
		t.Errorf("text = %q", s)
	}
	if a := variable(t, f, "empty"); !slices.Equal(a.Dims, []int{0, 3}) || len(floats(t, a)) != 0 {
		t.Errorf("empty is %v", a.Dims)
	}
	if a := variable(t, f, "single"); a.Class != Single || !slices.Equal(floats(t, a), []float64{0, 3, 1, 4, 2, 5}) {
		t.Errorf("single = %v", floats(t, a))
	}
	cplx := variable(t, f, "cplx")
	if x, err := complexes(cplx); err != nil || !slices.Equal(x, []complex128{1 + 2i, complex(math.Copysign(0, -1), -3)}) {
		t.Errorf("cplx = %v, %v", x, err)
	}
	if _, err := cplx.Float64s(); err == nil {
		t.Error("complex values were read as real ones")
	}
	cell := variable(t, f, "cell")
	if len(cell.Cells) != 3 || ints(t, cell.Cells[0])[0] != 1 || cell.Cells[1].Text != "two" ||
		!slices.Equal(ints(t, cell.Cells[2]), []int{0, 1, 2}) {
		t.Errorf("cell = %+v", cell)
	}
	if _, err := cell.Float64s(); err == nil {
		t.Error("a cell array was read as numbers")
	}
	st := variable(t, f, "struct")
	b, err := st.Field("b")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := b.Field("c"); err != nil || !slices.Equal(ints(t, c), []int{0, 1, 2, 3}) {
		t.Errorf("struct.b.c = %v, %v", c, err)
	}
	if _, err := st.Field("z"); err == nil {
		t.Error("a field that is not there was found")
	}
	if x := ints(t, variable(t, f, "i64")); !slices.Equal(x, []int{-1 << 40, 1 << 40}) {
		t.Errorf("i64 = %v", x)
	}
	nd := variable(t, f, "nd") // arange(24).reshape(2, 3, 4) in C order
	x := ints(t, nd)
	for i := range 2 {
		for j := range 3 {
			for k := range 4 {
				if got, want := x[i+2*(j+3*k)], (i*3+j)*4+k; got != want {
					t.Errorf("nd[%d,%d,%d] = %d, want %d", i, j, k, got, want)
				}
			}
		}
	}
}

// TestCompressed reads what scipy.io.savemat(do_compression=True) wrote.
func TestCompressed(t *testing.T) {
	f := open(t, "scipy_compressed.mat")
	if s := variable(t, f, "text").Text; s != "naïve Ω" {
		t.Errorf("text = %q", s)
	}
	if s := variable(t, f, "rows").Text; s != "ab\ncd" {
		t.Errorf("rows = %q", s)
	}
	st := variable(t, f, "st")
	if !slices.Equal(st.Fields, []string{"v", "t"}) || len(st.Cells) != 4 || floats(t, st.Cells[2])[0] != 2.5 || st.Cells[3].Text != "yy" {
		t.Errorf("st = %+v", st)
	}
	if a := variable(t, f, "u64"); !reflect.DeepEqual(a.re.uints, []uint64{math.MaxUint64, 3}) {
		t.Errorf("u64 = %v", a.re.uints)
	} else if _, err := a.Float64s(); err == nil {
		t.Error("2^64-1 was read as a float64")
	}
	if a := variable(t, f, "i64"); !slices.Equal(ints(t, a), []int{math.MinInt64, 1<<53 + 1}) {
		t.Errorf("i64 = %v", ints(t, a))
	} else if _, err := a.Float64s(); err == nil {
		t.Error("2^53+1 was read as a float64")
	}
	if a := variable(t, f, "logical"); !a.Logical || !slices.Equal(ints(t, a), []int{1, 0, 1}) {
		t.Errorf("logical = %+v", a)
	}
	if a := variable(t, f, "frac"); !slices.Equal(floats(t, a), []float64{0.1, 0.2}) {
		t.Errorf("frac = %v", floats(t, a))
	} else if _, err := a.Ints(); err == nil {
		t.Error("0.1 was read as a whole number")
	}
	if a := variable(t, f, "sparse"); a.Class != Sparse {
		t.Errorf("sparse is %v", a.Class)
	} else if _, err := a.Float64s(); err == nil {
		t.Error("a sparse matrix was read as a full one")
	}
}
