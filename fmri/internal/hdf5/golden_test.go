package hdf5

import (
	"path/filepath"
	"strings"
	"testing"

	"percept/internal/golden"
	"percept/internal/half"
)

func open(t *testing.T, name string) *File {
	t.Helper()
	f, err := Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func equal[T Number](t *testing.T, f *File, name string, want []T) {
	t.Helper()
	d, err := f.Dataset(name)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got, err := Read[T](d)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s[%d] = %v, want %v", name, i, got[i], want[i])
			return
		}
	}
}

// roundToHalf rounds to the nearest half, ties to even, for values of ordinary size.
func roundToHalf(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		best := float32(1e30)
		for h := range uint16(0x7c00) {
			for _, c := range []float32{half.FromF16(h), -half.FromF16(h)} {
				if abs(c-v) < abs(best-v) || abs(c-v) == abs(best-v) && h&1 == 0 {
					best = c
				}
			}
		}
		out[i] = best
	}
	return out
}

func abs(x float32) float32 { return max(x, -x) }

// TestGolden reads the same contents as h5py wrote them in three versions of the format.
func TestGolden(t *testing.T) {
	want := golden.Open(t, "testdata/h5_expected.safetensors")
	i16, u8 := golden.Values[int16](want, "i16_4d"), golden.Values[uint8](want, "u8")
	f32, f64 := golden.Values[float32](want, "f32_2d"), golden.Values[float64](want, "f64")
	halves := roundToHalf(f32[:30])
	for _, name := range []string{"h5_earliest.h5", "h5_latest.h5"} {
		t.Run(name, func(t *testing.T) {
			f := open(t, name)
			for _, d := range []string{"contig", "chunk_plain", "chunk_gzip_shuffle"} {
				equal(t, f, d, i16)
				wide := make([]float32, len(i16))
				for i, v := range i16 {
					wide[i] = float32(v)
				}
				equal(t, f, d, wide)
			}
			for _, d := range []string{"chunk_gzip", "fletcher", "resizable"} {
				equal(t, f, d, f32)
			}
			for _, d := range []string{"f64", "f64_be", "hard_link"} {
				equal(t, f, d, f64)
			}
			equal(t, f, "u8", u8)
			equal(t, f, "f16", halves)
			equal(t, f, "grp/sub/nested", f32[:20])
			equal(t, f, "/soft_link", f32[:20])
			equal(t, f, "i64", []int64{-3, -2, -1, 0, 1, 2, 3})
			equal(t, f, "scalar", []float64{3.25})
			equal(t, f, "empty", []float32{})
			fill := make([]float32, 16)
			for i := range fill {
				fill[i] = -1.5
			}
			equal(t, f, "unwritten_fill", fill)
			partly := make([]int32, 36)
			for i := range partly {
				partly[i] = 7
				if r, c := i/6, i%6; r < 3 && c >= 3 {
					partly[i] = int32(r*3 + c - 3)
				}
			}
			equal(t, f, "partly_written", partly)
			names, err := f.List("many")
			if err != nil || len(names) != 20 {
				t.Errorf("List(many) = %v, %v", names, err)
			}
			for i, n := range names {
				equal(t, f, "many/"+n, []int32{int32(i)})
			}
			for _, d := range []string{"compact_str", "vlen_str"} {
				ds, err := f.Dataset(d)
				if err != nil {
					t.Errorf("%s: %v", d, err)
					continue
				}
				if _, err := Read[float64](ds); err == nil || !strings.Contains(err.Error(), "not numbers") {
					t.Errorf("%s read as numbers: %v", d, err)
				}
			}
		})
	}
}

// TestSmall reads the seeds of the fuzz test, which h5py wrote: one dataset for each kind of chunk index.
func TestSmall(t *testing.T) {
	for _, name := range []string{"small_earliest.h5", "small_latest.h5"} {
		f := open(t, name)
		equal(t, f, "c", ramp[int16](30))
		equal(t, f, "p", ramp[float32](30))
		equal(t, f, "x", ramp[uint8](40))
		equal(t, f, "b", ramp[int32](40))
		equal(t, f, "g/s", []float64{2.5})
		equal(t, f, "g/l", ramp[float32](30))
	}
}
