package hdf5

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/half"
)

// combo opens a compressed test file in memory.
func combo(t testing.TB, name string) *File {
	t.Helper()
	b := inflated(t, name)
	f, err := NewFile(name, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func inflated(t testing.TB, name string) []byte {
	t.Helper()
	r, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// comboValue is value i of a dataset of make_combos.py of a type as "le_i2", as float64 (which holds all but the largest
// exactly: those differ by powers of two).
func comboValue(i int, kind string) float64 {
	v := (i*7919+13)%4001 - 2000
	size := int(kind[len(kind)-1] - '0')
	switch kind[len(kind)-2] {
	case 'f':
		return float64(v) / 16
	case 'u':
		m := 1 << min(62, 8*size)
		return float64(((v % m) + m) % m)
	}
	if size == 1 {
		return float64((v+128+25600)%256 - 128)
	}
	return float64(v)
}

// read64 reads a dataset as float64, 64-bit integers through their own type.
func read64(d *Dataset) ([]float64, error) {
	wide := func(n int, at func(i int) float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = at(i)
		}
		return out
	}
	switch t := d.elem.number(); {
	case t.Class == Fixed && t.Size == 8 && t.Signed:
		x, err := Read[int64](d)
		return wide(len(x), func(i int) float64 { return float64(x[i]) }), err
	case t.Class == Fixed && t.Size == 8:
		x, err := Read[uint64](d)
		return wide(len(x), func(i int) float64 { return float64(x[i]) }), err
	}
	return Read[float64](d)
}

var comboFiles = []string{"combos_earliest.h5.gz", "combos_istore.h5.gz", "combos_small4.h5.gz", "combos_v108.h5.gz",
	"combos_v110.h5.gz", "combos_v112.h5.gz", "combos_latest.h5.gz"}

// TestCombos reads every stored type, layout, chunk index and filter in every version of the format that h5py writes.
func TestCombos(t *testing.T) {
	for _, name := range comboFiles {
		t.Run(name, func(t *testing.T) {
			f := combo(t, name)
			count := 0
			check := func(path string, want func(i int, at []int) float64) {
				t.Helper()
				count++
				d, err := f.Dataset(path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				got, err := read64(d)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				at := make([]int, len(d.shape))
				for i, v := range got {
					for k, rest := len(at)-1, i; k >= 0; k-- {
						at[k] = rest % d.shape[k]
						rest /= d.shape[k]
					}
					if w := want(i, at); v != w {
						t.Errorf("%s: value %v is %v, want %v", path, at, v, w)
						return
					}
				}
				parts(t, d, path, got)
			}
			for _, n := range list(t, f, "types") {
				kind, _, _ := strings.Cut(n, ".")
				check("types/"+n, func(i int, _ []int) float64 { return comboValue(i, kind) })
			}
			for _, n := range list(t, f, "index") {
				index, _, _ := strings.Cut(n, ".")
				check("index/"+n, func(i int, at []int) float64 {
					switch {
					case index == "resized":
						return comboValue(at[0]*9+at[1], "le_i4")
					case index == "many_btree2":
						if at[1] < 10 || at[1] >= 40 {
							return -7
						}
					case strings.HasPrefix(index, "many_"):
						n := map[string]int{"many_fixed": 5000, "many_extend": 5000, "many_wide": 2500}[index]
						if !(i < 10 || i >= n/2 && i < n/2+300 || i >= n-3) {
							return -7
						}
					}
					return comboValue(i, "le_i4")
				})
			}
			for _, n := range list(t, f, "fill") {
				check("fill/"+n, func(int, []int) float64 {
					if strings.HasSuffix(n, ".zero") {
						return 0
					}
					return -3
				})
			}
			if got := list(t, f, "many"); len(got) != 40 {
				t.Errorf("%d names, want 40", len(got))
			}
			for i := range 40 {
				check(fmt.Sprintf("many/n%d", i), func(int, []int) float64 { return float64(i) })
			}
			for i := range 20 {
				check(fmt.Sprintf("tracked/z%d", 20-i), func(int, []int) float64 { return float64(i) })
			}
			for _, n := range []string{"deep/er/and/deeper/x", "soft", "softrel", "hard"} {
				check(n, func(int, []int) float64 { return 1.5 })
			}
			check("empty", nil)
			check("null", nil)
			check("committed", func(i int, _ []int) float64 { return comboValue(i, "le_i2") })
			check("bool", func(i int, _ []int) float64 { return []float64{1, 0, 1}[i] })
			check("enum", func(i int, _ []int) float64 { return []float64{2, 0, 5}[i] })
			t.Logf("%d datasets", count)
			rich(t, f)
			refused(t, f)
		})
	}
}

func list(t *testing.T, f *File, group string) []string {
	t.Helper()
	names, err := f.List(group)
	if err != nil {
		t.Fatalf("%s: %v", group, err)
	}
	return names
}

// parts reads slabs and columns of a dataset and compares them with all of it.
func parts(t *testing.T, d *Dataset, path string, all []float64) {
	t.Helper()
	if t := d.elem.number(); t.Class == Fixed && t.Size == 8 || len(d.shape) == 0 || len(all) == 0 || len(all) > 4000 {
		return
	}
	for _, cut := range [][2]int{{0, 0}, {1, 0}, {0, 1}, {1, 1}} { // how much is left out in front and behind
		start, count := make([]int, len(d.shape)), d.Shape()
		n := 1
		for i := range count {
			if count[i] > 2 {
				start[i], count[i] = cut[0], count[i]-cut[0]-cut[1]
			}
			n *= count[i]
		}
		got := make([]float64, n)
		if err := ReadSlab(d, got, start, count); err != nil {
			t.Errorf("%s: slab at %v of %v: %v", path, start, count, err)
			return
		}
		for i, v := range got {
			place, stride := 0, 1
			for k, rest := len(count)-1, i; k >= 0; k-- {
				place += (start[k] + rest%count[k]) * stride
				rest /= count[k]
				stride *= d.shape[k]
			}
			if v != all[place] {
				t.Errorf("%s: slab at %v of %v: value %d is %v, want %v", path, start, count, i, v, all[place])
				return
			}
		}
	}
	width := len(all) / d.shape[0]
	columns := []int{width - 1, 0, width / 2}
	got := make([]float64, d.shape[0]*3)
	if err := readColumns(d, got, columns); err != nil {
		t.Errorf("%s: columns: %v", path, err)
		return
	}
	// The same as they are stored, and everything so.
	size := d.elem.Size
	raw := make([]byte, len(got)*size)
	if err := ReadColumns(d, raw, columns); err != nil {
		t.Errorf("%s: columns as stored: %v", path, err)
		return
	}
	whole, err := Raw(d)
	if err != nil {
		t.Errorf("%s: as stored: %v", path, err)
		return
	}
	for i, v := range got {
		at := i/3*width + columns[i%3]
		if w := all[at]; v != w {
			t.Errorf("%s: column value %d is %v, want %v", path, i, v, w)
			return
		}
		if b := raw[i*size:][:size]; !bytes.Equal(b, whole[at*size:][:size]) {
			t.Errorf("%s: column value %d is stored as % x, want % x", path, i, b, whole[at*size:][:size])
			return
		}
	}
	decode, err := newDecoder[float64](d.elem.number())
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	if decode(got, 1, raw, len(got)); got[len(got)-1] != all[(d.shape[0]-1)*width+columns[2]] {
		t.Errorf("%s: the last column value is stored as % x", path, raw[len(raw)-size:])
	}
	if err := ReadColumns(d, raw[1:], columns); err == nil {
		t.Errorf("%s: columns as stored were read into too little", path)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// rich reads strings, sequences, compounds, references and attributes.
func rich(t *testing.T, f *File) {
	t.Helper()
	data := func(name string) *Dataset { return must[*Dataset](t)(f.Dataset("rich/" + name)) }
	if s := must[[]string](t)(Strings(data("fixed_str"))); !slices.Equal(s, []string{"ab", "cde", ""}) {
		t.Errorf("fixed strings %q", s)
	}
	if s := must[[]string](t)(Strings(data("var_str"))); !slices.Equal(s, []string{"one", "", "zwölf"}) {
		t.Errorf("strings %q", s)
	}
	q := must[[][]byte](t)(Sequences(data("sequences")))
	if len(q) != 3 || len(q[0]) != 0 || !bytes.Equal(q[2], []byte{0, 0, 0, 0, 1, 0, 0, 0}) {
		t.Errorf("sequences %v", q)
	}
	for _, n := range []string{"complex", "complex_chunk"} {
		re, im := must[[]float64](t)(ReadField[float64](data(n), "r")), must[[]float64](t)(ReadField[float64](data(n), "i"))
		if !slices.Equal(re, []float64{1, 0, 4}) || len(im) != 3 || im[0] != 2 || im[1] != -3.5 || im[2] != 0 {
			t.Errorf("%s: %v %v", n, re, im)
		}
	}
	c := data("compound")
	if n := must[[]int16](t)(ReadField[int16](c, "n")); !slices.Equal(n, []int16{1, -3}) {
		t.Errorf("compound: n = %v", n)
	}
	if v := must[[]float32](t)(ReadField[float32](c, "v")); !slices.Equal(v, []float32{2.5, 0.25}) {
		t.Errorf("compound: v = %v", v)
	}
	if _, err := ReadField[int8](c, "n"); err == nil || !strings.Contains(err.Error(),
		"rich/compound: field n: elements are int16, which int8 cannot hold exactly") {
		t.Errorf("int16 field as int8: %v", err)
	}
	if _, err := ReadField[float64](c, "s"); err == nil {
		t.Error("a string field was read as numbers")
	}
	if a := data("arrays").Type(); len(a.Fields) != 2 || a.Fields[0].Type.Class != Array ||
		!slices.Equal(a.Fields[0].Type.Shape, []int{2, 3}) || a.Fields[1].Offset != 24 {
		t.Errorf("array fields %+v", a)
	}
	refs := must[[]Ref](t)(Refs(data("refs")))
	if len(refs) != 3 || refs[2] != 0 {
		t.Fatalf("references %v", refs)
	}
	x := must[*Object](t)(f.ObjectAt(refs[0], "x"))
	if v := must[[]float32](t)(Read[float32](must[*Dataset](t)(x.Dataset()))); v[0] != 1.5 {
		t.Errorf("what a reference leads to is %v", v)
	}
	many := must[*Object](t)(f.ObjectAt(refs[1], "many"))
	if names, members, err := many.Members(); err != nil || len(names) != 40 || len(members) != 40 || many.IsDataset() ||
		!members[0].IsDataset() {
		t.Errorf("members of a group: %v %v", names, err)
	}
	if _, err := f.ObjectAt(refs[2], "x"); err == nil || !strings.Contains(err.Error(), "reference to nothing") {
		t.Errorf("an empty reference: %v", err)
	}
	for _, n := range []string{"opaque", "compound", "refs", "fixed_str", "sequences"} {
		if _, err := Read[float64](data(n)); err == nil || !strings.Contains(err.Error(), "elements are not numbers") {
			t.Errorf("%s as numbers: %v", n, err)
		}
	}
	group := must[*Object](t)(f.Object("rich"))
	attr := func(o *Object, name string) *Dataset {
		d, ok, err := o.Attribute(name)
		if !ok || err != nil {
			t.Fatalf("attribute %s: %v %v", name, ok, err)
		}
		return d
	}
	if v := must[[]int32](t)(Read[int32](attr(group, "int"))); !slices.Equal(v, []int32{7}) {
		t.Errorf("int: %v", v)
	}
	if v := must[[]float64](t)(Read[float64](attr(group, "floats"))); !slices.Equal(v, []float64{1.5, -2}) {
		t.Errorf("floats: %v", v)
	}
	for n, want := range map[string][]string{"fixed": {"double"}, "text": {"grün"}, "names": {"a", "bc"}} {
		if v := must[[]string](t)(Strings(attr(group, n))); !slices.Equal(v, want) {
			t.Errorf("%s: %q", n, v)
		}
	}
	if v := must[[][]byte](t)(Sequences(attr(group, "fields"))); len(v) != 2 || string(v[0]) != "ab" || string(v[1]) != "x" {
		t.Errorf("fields: %q", v)
	}
	if v := must[[]float32](t)(Read[float32](attr(group, "nothing"))); len(v) != 0 {
		t.Errorf("nothing: %v", v)
	}
	if v := must[[]Ref](t)(Refs(attr(group, "ref"))); len(v) != 1 || v[0] != refs[0] {
		t.Errorf("ref: %v", v)
	}
	if _, ok, err := group.Attribute("absent"); ok || err != nil {
		t.Errorf("absent: %v %v", ok, err)
	}
	o := must[*Object](t)(f.Object("rich/attributes"))
	for i := range 20 {
		v := must[[]int16](t)(Read[int16](attr(o, fmt.Sprintf("a%d", i))))
		if len(v) != i || i > 0 && int(v[i-1]) != i-1 {
			t.Errorf("attribute a%d: %v", i, v)
		}
	}
}

// TestLargeAttribute reads an attribute that is kept outside of the heap's blocks.
func TestLargeAttribute(t *testing.T) {
	o := must[*Object](t)(combo(t, "combos_latest.h5.gz").Object("rich/attributes"))
	d, ok, err := o.Attribute("large")
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	x := must[[]int16](t)(Read[int16](d))
	if len(x) != 3000 || x[2999] != 2999 {
		t.Errorf("%d values, the last %d", len(x), x[len(x)-1])
	}
}

// refused wants an error that names file and dataset for what is not supported, from Readable and from reading, and the values of
// what earlier versions refused; shape and type are known of each.
func refused(t *testing.T, f *File) {
	t.Helper()
	for _, n := range list(t, f, "refused") {
		d := must[*Dataset](t)(f.Dataset("refused/" + n))
		x, err := Read[float64](d)
		wants := map[string]string{"external": "keeps its data in other files", "virtual": "is made of elsewhere.h5, another file"}
		if want := wants[n]; want != "" {
			errs := []error{err, d.Readable()}
			if n == "virtual" { // whether the other file is there shows on reading
				errs = errs[:1]
			}
			for _, err := range errs {
				if err == nil || !strings.HasPrefix(err.Error(), f.name+": ") || !strings.Contains(err.Error(), want) {
					t.Errorf("refused/%s: %v, want %q", n, err, want)
				}
			}
			if !slices.Equal(d.Shape(), []int{3}) || d.Type().String() != "int32" {
				t.Errorf("refused/%s: shape %v of %s", n, d.Shape(), d.Type())
			}
			continue
		}
		for i := range x { // nbit and floatbias: nothing was written
			if want := comboValue(i, "le_i4"); x[i] != want && (len(x) != 3 || x[i] != 0) {
				t.Errorf("refused/%s: value %d is %v, want %v", n, i, x[i], want)
			}
		}
		if err != nil || d.Readable() != nil {
			t.Errorf("refused/%s: %v, %v", n, err, d.Readable())
		}
	}
	if _, err := f.Dataset("external"); err == nil || !strings.Contains(err.Error(), "link to another file") {
		t.Errorf("external link: %v", err)
	}
}

// TestSharedMessages wants a dataset whose type is kept in a common table refused, not read wrongly; the first one has
// its own.
func TestSharedMessages(t *testing.T) {
	f := combo(t, "combos_shared.h5.gz")
	x := must[[]int32](t)(Read[int32](must[*Dataset](t)(f.Dataset("x0"))))
	for i, v := range x {
		if float64(v) != comboValue(i, "le_i4") {
			t.Errorf("value %d is %v", i, v)
		}
	}
	if _, err := f.Dataset("x1"); err == nil || !strings.Contains(err.Error(), "shared message version 3 of type 1 is not supported") {
		t.Errorf("error %v", err)
	}
}

// TestHalf compares all halves with the definition.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		sign, e, m := 1-2*float64(h>>15), h>>10&31, float64(h&1023)
		want := sign * math.Ldexp(1+m/1024, e-15)
		switch e {
		case 0:
			want = sign * math.Ldexp(m, -24)
		case 31:
			want = math.Inf(int(sign))
			if m != 0 {
				want = math.NaN()
			}
		}
		got := float64(half.FromF16(uint16(h)))
		if got != want && !(got != got && want != want) {
			t.Fatalf("half %#04x is %v, want %v", h, got, want)
		}
	}
}

// readColumns is ReadColumns with the elements as numbers.
func readColumns[T Number](d *Dataset, dst []T, columns []int) error {
	r, err := newReader(d, dst)
	if err != nil {
		return err
	}
	return r.columns(columns)
}
