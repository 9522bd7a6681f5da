package hdf5

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// kindsExpected is what h5py reads from a dataset: see tools/formats/make_hdf5.py.
type kindsExpected struct {
	Shape  []int
	SHA256 string
	First  []string
}

// digest is the start of the sha256 of values as little-endian float64, every NaN as one.
func digest(x []float64) string {
	var b []byte
	for _, v := range x {
		u := math.Float64bits(v)
		if math.IsNaN(v) {
			u = 0x7ff8000000000000
		}
		b = binary.LittleEndian.AppendUint64(b, u)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])[:16]
}

// TestKinds reads what labs' files hold beyond plain arrays, value by value as h5py does: places that were never written, every
// type of number, filters and their masks, sparse indexes, user blocks. What h5py reads no real numbers from is refused, by a
// line that names file and dataset, from reading and, unless it is the values' fault, from Readable.
func TestKinds(t *testing.T) {
	var files map[string]map[string]*kindsExpected
	if err := json.Unmarshal(inflated(t, "kinds.json.gz"), &files); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // where virtual datasets find one another
	for name := range files {
		if err := os.WriteFile(filepath.Join(dir, name), inflated(t, name+".gz"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for name, datasets := range files {
		f, err := Open(name)
		if datasets == nil { // h5py does not open it
			if err == nil || !strings.Contains(err.Error(), name+": HDF5, offset 11: ") || !strings.Contains(err.Error(), "expected a closed file") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer f.Close()
		if names := list(t, f, ""); len(names) != len(datasets) {
			t.Errorf("%s: %d names, want %d", name, len(names), len(datasets))
		}
		for n, want := range datasets {
			d, err := f.Dataset(n)
			if err != nil {
				t.Errorf("%s: %v", n, err)
				continue
			}
			x, err := Float64s(d)
			switch {
			case want == nil && n == "null":
				if err != nil || len(x) != 0 {
					t.Errorf("%s: %s: %v %v", name, n, x, err)
				}
			case want == nil:
				if err == nil || !strings.HasPrefix(err.Error(), name+": "+n+": ") {
					t.Errorf("%s: %s: error %v, read %v", name, n, err, x[:min(8, len(x))])
				}
			case n == "int64_odd": // which numpy rounds
				if err == nil || !strings.Contains(err.Error(), "value 1 is 9007199254740993, which float64 cannot hold exactly") {
					t.Errorf("%s: %s: error %v", name, n, err)
				}
			case err != nil:
				if r := d.Readable(); n != "missing" && n != "virtual" && (r == nil || !strings.Contains(err.Error(), r.Error())) {
					t.Errorf("%s: %s: %v, but readable: %v", name, n, err, r)
				}
				if !refusedKinds[n] {
					t.Errorf("%s: %v", n, err)
				}
			case !slices.Equal(d.Shape(), want.Shape) || digest(x) != want.SHA256:
				t.Errorf("%s: %s: shape %v, values %v ..., want %v %v ...", name, n, d.Shape(), x[:min(3, len(x))], want.Shape, want.First)
			case d.elem.number().bits == nil && !slices.ContainsFunc(x, math.IsNaN):
				parts(t, d, n, x)
			}
		}
	}
}

// refusedKinds are those that h5py reads and this package names.
var refusedKinds = map[string]bool{"zfp": true, "sz3": true, "sperr": true, "virtual": true, "missing": true}

// TestNamed says in what words datasets are refused whose neighbours in the file can be read.
func TestNamed(t *testing.T) {
	for _, c := range []struct{ file, name, kind, want string }{
		{"kinds_named_latest.h5", "zfp", "float32",
			"compressed with zfp (filter 32013), which is not read here; h5repack -f NONE rewrites it"},
		{"kinds_named_latest.h5", "sz3", "float32", "compressed with sz3 (filter 32024), which is not read here"},
		{"kinds_named_latest.h5", "external", "int32", "keeps its data in other files (external storage), which are not followed"},
		{"kinds_named_latest.h5", "virtual", "int32", ""},
		{"kinds_virtual_latest.h5", "gaps", "int32", ""},
		{"kinds_types_latest.h5", "compound_complex", "complex of float32", "elements are complex of float32, expected real numbers"},
		{"kinds_types_latest.h5", "native_complex", "complex of float64", "elements are complex of float64, expected real numbers"},
		{"kinds_types_latest.h5", "text", "string of 2 bytes", "string of 2 bytes elements are not numbers"},
		{"kinds_types_latest.h5", "array", "int16", ""},
		{"kinds_types_latest.h5", "bfloat16_be", "bfloat16 big-endian", ""},
		{"kinds_types_latest.h5", "enum_i8", "enum of int64", ""},
		{"kinds_types_latest.h5", "int_i2_12_3_be", "int16 of 12 bits big-endian", ""},
	} {
		d := must[*Dataset](t)(combo(t, c.file+".gz").Dataset(c.name))
		if got := d.Type().String(); got != c.kind {
			t.Errorf("%s is %s, want %s", c.name, got, c.kind)
		}
		err := d.Readable()
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.file+".gz: "+c.name+": "+c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// TestComplexFields reads the parts of complex numbers, of either kind.
func TestComplexFields(t *testing.T) {
	f := combo(t, "kinds_types_latest.h5.gz")
	for _, n := range []string{"compound_complex", "native_complex"} {
		d := must[*Dataset](t)(f.Dataset(n))
		re, im := must[[]float64](t)(ReadField[float64](d, "r")), must[[]float64](t)(ReadField[float64](d, "i"))
		if !slices.Equal(re, []float64{1, -3}) || !slices.Equal(im, []float64{2, 0}) {
			t.Errorf("%s: %v %v", n, re, im)
		}
	}
}

// TestColumnsOfOddNumbers wants bytes that do not say what number they are refused where bytes are asked for.
func TestColumnsOfOddNumbers(t *testing.T) {
	f := combo(t, "kinds_types_latest.h5.gz")
	for n, want := range map[string]bool{"int_i2_12_0_le": false, "bfloat16": false, "enum_u2": true} {
		d := must[*Dataset](t)(f.Dataset(n))
		err := ReadColumns(d, make([]byte, d.Len()*d.Type().Size), []int{0})
		if (err == nil) != want {
			t.Errorf("%s: %v", n, err)
		}
	}
}

// TestBoolBytes: h5py's truth values are true for any byte but 0; the same bytes under other names are numbers.
func TestBoolBytes(t *testing.T) {
	f, err := Open("testdata/bool_bytes.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, want := range map[string][]float64{"bool": {0, 1, 1, 1, 1, 0}, "enum": {0, 1, 7, -31, -1, 0}} { // as h5py reads them
		d, err := f.Dataset(name)
		if err != nil {
			t.Fatal(err)
		}
		if x, err := Float64s(d); err != nil || !slices.Equal(x, want) {
			t.Errorf("%s: %v, %v; expected %v", name, x, err, want)
		}
	}
}
