package table

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/weights/safetensors"
)

// spec is of n images in no order, of 6 values each.
func spec(n int, dtype safetensors.DType) Spec {
	s := Spec{Name: "z", Shape: []int{2, 3}, DType: dtype, Meta: map[string]string{"model": "m", "posterior": "mean"}}
	for _, k := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
		s.Images = append(s.Images, fmri.ImageID(3*k))
	}
	return s
}

// value is what the tests put in: exact in float16.
func value(id fmri.ImageID, k int) float32 { return float32(id) + float32(k) }

// fill writes the chunks that are not done, at most so many.
func fill(t *testing.T, w *Writer, most int) (put int) {
	t.Helper()
	for c := range w.Chunks() {
		if w.Done(c) || put == most {
			continue
		}
		lo, hi := w.Rows(c)
		var x []float32
		for _, id := range w.spec.Images[lo:hi] {
			for k := range 6 {
				x = append(x, value(id, k))
			}
		}
		if err := w.Put(c, x); err != nil {
			t.Fatal(err)
		}
		put++
	}
	return put
}

func create(t *testing.T, path string, s Spec) *Writer {
	t.Helper()
	w, err := Create(path, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func write(t *testing.T, path string, s Spec) []byte {
	t.Helper()
	w := create(t, path, s)
	fill(t, w, -1)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWriteAndRead(t *testing.T) {
	for _, dtype := range []safetensors.DType{safetensors.F32, safetensors.F16} {
		for _, n := range []int{1, 31, 32, 33, 100} {
			path := filepath.Join(t.TempDir(), "z.safetensors")
			s := spec(n, dtype)
			write(t, path, s)
			f, err := OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if f.Len() != n || f.Width() != 6 || !slices.Equal(f.Images, s.Images) || f.Meta["model"] != "m" || f.Name != "z" {
				t.Errorf("%d images: %+v", n, f)
			}
			ids := []fmri.ImageID{s.Images[n-1], s.Images[0]}
			if n == 1 {
				ids = ids[:1]
			}
			taken, err := f.Table().ByImage(ids)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range matrix(t, taken).Data {
				if want := value(ids[i/6], i%6); v != want {
					t.Errorf("%s, %d images: value %d is %g, want %g", dtype, n, i, v, want)
				}
			}
			_, err = f.Table().ByImage([]fmri.ImageID{1})
			wantError(t, err, path, "image 1 ", "expected one of its")
			if err := f.Verify(); err != nil {
				t.Error(err)
			}
			f.Close()
		}
	}
}

func TestInterruptedGoesOnToTheSameBytes(t *testing.T) {
	s := spec(200, safetensors.F32)
	want := write(t, filepath.Join(t.TempDir(), "z.safetensors"), s)
	path := filepath.Join(t.TempDir(), "z.safetensors")
	for _, damage := range []func(){
		func() {},
		func() { // values of a chunk that did not reach the disk
			f, err := os.OpenFile(path+".part", os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			l, _ := s.layout()
			f.WriteAt(make([]byte, 100), l.valuesAt)
			f.Close()
		},
		func() { os.Truncate(path+".part", 50) }, // in the middle of the beginning
		func() {},
	} {
		w := create(t, path, s)
		fill(t, w, 2)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		damage()
	}
	w := create(t, path, s)
	if n := fill(t, w, -1); n != 7-2 {
		t.Errorf("%d chunks were left to do, want 5", n)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
		t.Error("other bytes than at once")
	}
	if again := create(t, path, s); fill(t, again, -1) != 0 || again.Finish() != nil {
		t.Error("a complete file was made again")
	}
}

func TestFinishRejectsWhatIsNotComplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "z.safetensors")
	w := create(t, path, spec(100, safetensors.F32))
	fill(t, w, 2)
	if err := w.Finish(); err == nil || !strings.Contains(err.Error(), "rows 64 to 95") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("an incomplete file has its name")
	}
}

func TestCreateRejects(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "z.safetensors")
	write(t, path, spec(40, safetensors.F32))
	for _, c := range []struct {
		name   string
		change func(*Spec)
		want   string
	}{
		{"another option", func(s *Spec) { s.Meta["posterior"] = "sample" }, "another posterior"},
		{"other images", func(s *Spec) { s.Images[0] = 1000 }, "another request"},
		{"another type", func(s *Spec) { s.DType = safetensors.F16 }, "type"},
		{"image twice", func(s *Spec) { s.Images[0] = s.Images[1] }, "twice"},
		{"no image", func(s *Spec) { s.Images = nil }, "0 images"},
		{"integers", func(s *Spec) { s.DType = safetensors.I32 }, "F16"},
		{"too many values", func(s *Spec) { s.Shape = []int{1 << 20, 1 << 20, 1 << 30} }, "at most"},
		{"empty shard", func(s *Spec) { s.Shard = Shard{1, 3} }, "1/3"},
		{"full shard beside empty ones", func(s *Spec) { s.Shard = Shard{3, 3} }, "at most"},
		{"names", func(s *Spec) { s.Names = []string{"a"} }, "1 names of 40 rows, expected one of each"},
	} {
		s := spec(40, safetensors.F32)
		c.change(&s)
		if _, err := Create(path, s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	w := create(t, filepath.Join(dir, "h.safetensors"), spec(1, safetensors.F16))
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1)), 65520} {
		if err := w.Put(0, []float32{0, 0, bad, 0, 0, 0}); err == nil || !strings.Contains(err.Error(), "value 2") {
			t.Errorf("%g as float16: error %v", bad, err)
		}
	}
	if _, err := Create(filepath.Join(dir, "h.safetensors"), spec(1, safetensors.F16)); err == nil {
		t.Error("two writers of one file")
	}
}

func TestShardsMergeToTheSameBytes(t *testing.T) {
	s := spec(200, safetensors.F16)
	for _, id := range s.Images {
		s.Names = append(s.Names, "p"+string(rune('a'+int(id)%26))+".png")
	}
	want := write(t, filepath.Join(t.TempDir(), "z.safetensors"), s)
	dir := t.TempDir()
	const n = 3
	for k := 1; k <= n; k++ {
		s.Shard = Shard{k, n}
		write(t, filepath.Join(dir, FileName("z", s.Shard)), s)
		files, err := ShardFiles(dir)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, FileName("z", Shard{}))
		err = Merge(out, files["z"], nil)
		if k < n {
			if err == nil || !strings.Contains(err.Error(), "not there") {
				t.Errorf("with %d of %d shards: %v", k, n, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(out); !bytes.Equal(got, want) {
			t.Error("other bytes than without shards")
		}
	}
	// A shard of other options.
	s.Shard, s.Meta = Shard{2, n}, map[string]string{"model": "other", "posterior": "mean"}
	os.Remove(filepath.Join(dir, FileName("z", s.Shard)))
	write(t, filepath.Join(dir, FileName("z", s.Shard)), s)
	files, _ := ShardFiles(dir)
	if err := Merge(filepath.Join(dir, "other.safetensors"), files["z"], nil); err == nil || !strings.Contains(err.Error(), "model") {
		t.Errorf("shards of two models: %v", err)
	}
}

func TestOpenRejectsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "z.safetensors")
	s := spec(70, safetensors.F32)
	good := write(t, path, s)
	l, err := s.layout()
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[l.valuesAt+40*24] ^= 1 // row 40, chunk 1
	os.WriteFile(path, flipped, 0o666)
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Table().Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := make([]float32, 6)
	if err := r.Row(x, 0); err != nil {
		t.Error(err)
	}
	wantError(t, r.Row(x, 33), path, "rows 32 to 63", "damaged")
	wantError(t, f.Verify(), path, "rows 32 to 63", "damaged")
	f.Close()
	for n := 0; n < len(good); n += 37 {
		os.WriteFile(path, good[:n], 0o666)
		if f, err := OpenFile(path); err == nil {
			f.Close()
			t.Fatalf("a file cut to %d bytes was opened", n)
		}
	}
}
