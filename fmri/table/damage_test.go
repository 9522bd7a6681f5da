package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/weights/safetensors"
)

// A flipped bit in any chunk is named by whoever reads it, and never a number; the other chunks are read.
func TestAnyFlippedBitIsNamed(t *testing.T) {
	for _, dtype := range []safetensors.DType{safetensors.F32, safetensors.F16} {
		path := filepath.Join(t.TempDir(), "z.safetensors")
		s := spec(100, dtype)
		good := write(t, path, s)
		x, err := OpenFeatures(path, "z")
		if err != nil {
			t.Fatal(err)
		}
		view, err := x.Select([]int{5, 0})
		if err != nil {
			t.Fatal(err)
		}
		want := matrix(t, x)
		l, err := s.layout()
		if err != nil {
			t.Fatal(err)
		}
		for c := range l.chunks() {
			at, n := l.chunk(c)
			for _, byteOf := range []int{0, n / 2, n - 1} {
				bad := bytes.Clone(good)
				bad[at+int64(byteOf)] ^= 0x10
				if err := os.WriteFile(path, bad, 0o666); err != nil {
					t.Fatal(err)
				}
				lo, hi := c*ChunkRows, min((c+1)*ChunkRows, 100)-1
				for _, of := range []*Table{x, view, x.Shuffled(1)} {
					_, err := of.Matrix(t.Context())
					wantError(t, err, path, fmt.Sprintf("rows %d to %d ", lo, hi), "expected sum", "damaged")
				}
				r, err := x.Open()
				if err != nil {
					t.Fatal(err)
				}
				row := make([]float32, 6)
				for i := range 100 {
					if err := r.Row(row, i); (err != nil) != (i >= lo && i <= hi) || err == nil && !slices.Equal(row, want.Row(i)) {
						t.Fatalf("row %d with a bit of chunk %d flipped: %v, %v", i, c, row, err)
					}
				}
				r.Close()
			}
		}
		// A flipped bit in a sum is another file, or damage.
		for k := range l.chunks() * 32 {
			bad := bytes.Clone(good)
			bad[l.sumsAt+int64(k)] ^= 1
			if err := os.WriteFile(path, bad, 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := x.Matrix(t.Context())
			wantError(t, err, path, "was replaced while it was in use, expected the features that were there")
			if fresh, err := OpenFeatures(path, ""); err == nil {
				_, err = fresh.Matrix(t.Context())
				wantError(t, err, path, "damaged")
			}
		}
	}
}

// A table whose file is replaced, cut or gone says so, also while it is read.
func TestFilesThatChangeWhileInUse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "z.safetensors")
	s := spec(4000, safetensors.F32) // some pages of the system
	good := write(t, path, s)
	x, err := OpenFeatures(path, "z")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = x.Matrix(t.Context())
	wantError(t, err, path, "no such file")
	if r, err := x.Open(); err == nil || r != nil {
		t.Errorf("a reader %v of no file, %v", r, err)
	}
	both, err := Beside("b", made(t, "a", drawn(1, 4000, 2), Rows{}, Columns{}), x)
	if err != nil {
		t.Fatal(err)
	}
	_, err = both.Open()
	wantError(t, err, path, "no such file")
	other := s
	other.Images = slices.Clone(s.Images)
	other.Images[0], other.Images[1] = other.Images[1], other.Images[0]
	write(t, path, other)
	_, err = x.Matrix(t.Context())
	wantError(t, err, path, "was replaced while it was in use")
	if err := os.WriteFile(path, good, 0o666); err != nil {
		t.Fatal(err)
	}
	matrix(t, x) // as it was
	if runtime.GOOS != "linux" {
		return
	}
	r, err := x.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	row := make([]float32, 6)
	if err := r.Row(row, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(len(good))/2); err != nil { // what is mapped behind it faults
		t.Fatal(err)
	}
	wantError(t, r.Row(row, 3999), path, "row 3999 cannot be read, expected the file as it was when it was opened")
	if err := r.Row(row, 0); err != nil {
		t.Errorf("what is still there: %v", err)
	}
}

// A file of features of version 0.1, made of three pictures of a folder.
func TestOpenReadsTheFirstFormat(t *testing.T) {
	const path = "testdata/z_of_0.1.safetensors"
	x, err := OpenFeatures(path, "z")
	if err != nil {
		t.Fatal(err)
	}
	m := matrix(t, x)
	sum := 0.0
	for _, v := range m.Data {
		sum += float64(v)
	}
	if m.Rows != 3 || x.Cols.String() != "4×4×4" || m.At(0, 0) != 0.18317368626594543 ||
		m.At(1, 0) != -0.46992015838623047 || m.At(2, 63) != -0.6874963045120239 || math.Abs(sum+18.538196064531803) > 1e-12 {
		t.Errorf("%d×%s, from %v to %v, sum %v", m.Rows, x.Cols, m.At(0, 0), m.At(2, 63), sum)
	}
	if x.Rows.Names[2] != "shared0944_nsd68742.png" || !slices.Equal(x.Rows.Images, numbered(3, 0, 1)) ||
		x.Meta["program"] != "percept 0.1.0" || x.Meta["posterior"] != "mean" {
		t.Errorf("rows %+v, %v", x.Rows, x.Meta)
	}
	// This version would write the very file.
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Verify(); err != nil {
		t.Error(err)
	}
	again := filepath.Join(t.TempDir(), "z.safetensors")
	w := create(t, again, f.Spec)
	if err := w.Put(0, m.Data); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, again), read(t, path)) {
		t.Error("written again, the file has other bytes")
	}
}

// What stands beside the values has a sum as well: rows, voxels, names and all that the file says of itself.
func TestFlipsBesideTheValuesAreNamed(t *testing.T) {
	s := spec(40, safetensors.F32)
	s.Shape, s.Names = []int{6}, nil
	for i := range s.Images {
		s.Counts, s.Names = append(s.Counts, 1+i%3), append(s.Names, fmt.Sprintf("picture %d.png", i))
	}
	s.Voxels = &Voxels{N: 6, Subject: "subj01", Volume: [3]int{6, 2, 1}, Regions: []string{"a"}, Member: []uint8{1, 0, 1, 1, 0, 0}}
	for i := range int32(6) {
		s.Voxels.XYZ = append(s.Voxels.XYZ, i, i%2, 0)
	}
	path := filepath.Join(t.TempDir(), "z.safetensors")
	good := write(t, path, s)
	l, err := s.layout()
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 8 * len(good) {
		if at := int64(bit / 8); at >= l.valuesAt && at < l.sumsAt || bit%29 != 0 {
			continue
		}
		bad := bytes.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(path)
		if err == nil {
			err = f.Verify()
			f.Close()
		}
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Fatalf("bit %d of byte %d flipped: error %v, expected one that names the file", bit%8, bit/8, err)
		}
	}
}

// handmade writes a file of 2 rows of 3 values, changed.
func handmade(t testing.TB, path string, change func(tensors map[string]safetensors.Named, meta map[string]string)) {
	t.Helper()
	sum := make([]byte, 32)
	tensors := map[string]safetensors.Named{
		"images": safetensors.NamedI32("images", []int32{4, 1}, 2),
		"values": safetensors.NamedF32("values", make([]float32, 6), 2, 3),
		"sums":   {Name: "sums", DType: safetensors.U8, Shape: []int{1, 32}, Data: sum},
	}
	request := sha256.Sum256(int32s([]int32{4, 1}))
	meta := map[string]string{"feature": "z", "format": "1", "rows_per_chunk": "32", "request": hex.EncodeToString(request[:])}
	change(tensors, meta)
	if err := safetensors.Write(path, slices.Collect(maps.Values(tensors)), meta); err != nil {
		t.Fatal(err)
	}
}

// A file that does not fit together is told in one line, with its name.
func TestOpenFileRejects(t *testing.T) {
	type tensors = map[string]safetensors.Named
	type meta = map[string]string
	i32 := func(name string, x ...int32) func(tensors, meta) {
		return func(all tensors, _ meta) { all[name] = safetensors.NamedI32(name, x, len(x)) }
	}
	say := func(key, value string) func(tensors, meta) { return func(_ tensors, m meta) { m[key] = value } }
	for what, c := range map[string]struct {
		change func(tensors, meta)
		want   string
	}{
		"no feature":     {say("feature", ""), "no file of features, expected one that percept features has made"},
		"no format":      {func(_ tensors, m meta) { delete(m, "format") }, "no file of features"},
		"another format": {say("format", "9"), "features of format 9, expected 1 or 2"},
		"chunks":         {say("rows_per_chunk", "64"), `"64" rows a chunk, expected 32`},
		"no values":      {func(all tensors, _ meta) { delete(all, "values") }, "expected F32 or F16, images first"},
		"one dimension": {func(all tensors, _ meta) {
			all["values"] = safetensors.NamedF32("values", make([]float32, 6), 6)
		}, "values are F32 [6], expected F32 or F16, images first"},
		"float64": {func(all tensors, _ meta) {
			all["values"] = safetensors.NamedF64("values", make([]float64, 6), 2, 3)
		}, "z as F64, expected F32 or F16"},
		"no column": {func(all tensors, _ meta) {
			all["values"] = safetensors.NamedF32("values", nil, 2, 0)
		}, "shape [0], expected sides of 1 or more"},
		"no row": {func(all tensors, _ meta) {
			all["values"] = safetensors.NamedF32("values", nil, 0, 3)
		}, "values are F32 [0 3], expected F32 or F16, images first"},
		"no images":        {func(all tensors, _ meta) { delete(all, "images") }, "z of 0 images, expected 1 to"},
		"other images":     {i32("images", 1, 2, 3), "images: shape [3], expected [2]"},
		"images exchanged": {i32("images", 1, 4), "images do not have their sum, expected those that were asked for"},
		"an image twice":   {i32("images", 4, 4), "image 4 of row 1 is there twice"},
		"a negative image": {i32("images", 4, -1), "image -1 of row 1, expected 0-based numbers"},
		"other counts":     {i32("counts", 1), "counts: shape [1], expected [2]"},
		"other sessions":   {i32("sessions", 1, 2, 3), "sessions: shape [3], expected [2]"},
		"images as numbers": {func(all tensors, _ meta) {
			all["images"] = safetensors.NamedF32("images", []float32{1, 2}, 2)
		}, "dtype F32 holds no integers"},
		"a large image": {func(all tensors, _ meta) {
			all["images"] = int64s("images", 1, 1<<32)
		}, "images: number 1 is 4294967296, expected one of 32 bits"},
		"names": {func(all tensors, _ meta) { all["names"] = text("names", "a") }, "1 names of 2 rows, expected one of each"},
		"an empty name": {func(all tensors, _ meta) {
			all["names"] = text("names", "a\n")
		}, `file name "", expected one without line breaks`},
		"no sums": {func(all tensors, _ meta) { delete(all, "sums") }, "sums are  [], expected U8 [1 32]"},
		"sums of more": {func(all tensors, _ meta) {
			all["sums"] = safetensors.Named{Name: "sums", DType: safetensors.U8, Shape: []int{2, 32}, Data: make([]byte, 64)}
		}, "sums are U8 [2 32], expected U8 [1 32]"},
		"a shard":          {say("shard", "3/2"), `shard "3/2", expected a part of several as 2/8`},
		"space":            {say("space", "{"), "metadata space: byte 1: unexpected end of JSON input"},
		"space of numbers": {say("space", "3"), "metadata space: it is number, expected an object"},
		"coordinates": {func(all tensors, m meta) {
			m["space"] = "{}"
			i32("voxels", 1, 2, 3)(all, m)
		}, "voxels: shape [3], expected [3 3]"},
		"regions": {say("space", `{"regions":["V1"]}`), "rois are  [], expected U8 [3 1]"},
		"regions of others": {func(all tensors, m meta) {
			m["space"] = `{"regions":["V1"]}`
			all["rois"] = text("rois", "aaa")
		}, "rois are U8 [3], expected U8 [3 1]"},
	} {
		path := filepath.Join(t.TempDir(), "z.safetensors")
		handmade(t, path, c.change)
		f, err := OpenFile(path)
		if err == nil {
			f.Close()
		}
		if wantError(t, err, path, c.want); t.Failed() {
			t.Fatalf("%s: %v", what, err)
		}
	}
	_, err := OpenFile(filepath.Join(t.TempDir(), "none"))
	wantError(t, err, "none", "no such file")
}

func text(name, s string) safetensors.Named {
	return safetensors.Named{Name: name, DType: safetensors.U8, Shape: []int{len(s)}, Data: []byte(s)}
}

func int64s(name string, x ...int64) safetensors.Named {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return safetensors.Named{Name: name, DType: safetensors.I64, Shape: []int{len(x)}, Data: b}
}

// No file makes OpenFile or its table panic, or gives a value that is not that of its sum.
func FuzzOpen(f *testing.F) {
	add := func(s Spec) {
		path := filepath.Join(f.TempDir(), "x")
		w, err := Create(path, s)
		if err != nil {
			f.Fatal(err)
		}
		if err := w.Put(0, make([]float32, len(s.Images)*s.columns().N())); err != nil {
			f.Fatal(err)
		}
		if err := w.Finish(); err != nil {
			f.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(b[:len(b)-1])
		f.Add(bytes.Replace(b, []byte(`"format":"1"`), []byte(`"format":"9"`), 1))
	}
	add(Spec{Name: "c", Shape: []int{2}, DType: safetensors.F16, Images: []fmri.ImageID{4, 1}, Names: []string{"a", "b"}})
	add(Spec{Name: "train", Shape: []int{3}, DType: safetensors.F32, Images: []fmri.ImageID{4, 4}, Sessions: []int{1, 2}, Voxels: grid(3)})
	add(Spec{Name: "z", Shape: []int{1, 2}, DType: safetensors.F32, Images: []fmri.ImageID{4, 1}, Counts: []int{3, 3}})
	b, err := os.ReadFile("testdata/z_of_0.1.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "c.safetensors")
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		file, err := OpenFile(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q does not name the file in one line", err)
			}
			return
		}
		defer file.Close()
		x := file.Table()
		if err := x.Cols.Check(); err != nil {
			t.Fatal(err)
		}
		if err := x.Rows.check(); err != nil {
			t.Fatal(err)
		}
		if v := x.Cols.Voxels; v != nil {
			v.Named()
			if _, err := v.At(*v); err != nil {
				t.Fatal(err)
			}
			_, _ = x.Region(v.Regions...)
		}
		damaged := file.Verify() != nil
		if _, err := x.Matrix(t.Context()); err == nil && damaged {
			t.Error("values without their sum were read")
		}
		_, _, _ = Join(x, x)
	})
}
