package table

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/fmri"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// Every table is written and read back: values, rows, columns and what was said of it.
func TestWriteOfEveryBacking(t *testing.T) {
	for name, b := range backings(t) {
		t.Run(name, func(t *testing.T) {
			x := *b.table
			if x.Name == "" {
				x.Name = "train"
			}
			path := filepath.Join(t.TempDir(), "made", "x.safetensors")
			meta := map[string]string{"part": "train"}
			if len(x.Rows.Distinct()) < x.Len() && x.Rows.Images != nil && x.Rows.Sessions == nil {
				_, err := Write(t.Context(), path, &x, meta)
				wantError(t, err, path, "image 4 of row 2 is there twice", "expected each once, or sessions of the rows")
				return
			}
			for _, again := range []bool{false, true, true} {
				upToDate, err := Write(t.Context(), path, &x, meta)
				if err != nil || upToDate != again {
					t.Fatalf("up to date: %v, want %v (%v)", upToDate, again, err)
				}
			}
			f, err := OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			y := f.Table()
			checkValues(t, y, b.want)
			if x.Rows.Images == nil {
				x.Rows.Images = numbered(x.Len(), 0, 1)
			}
			if v := x.Cols.Voxels; !reflect.DeepEqual(y.Rows, x.Rows) || !reflect.DeepEqual(y.Cols, x.Cols) {
				t.Errorf("rows %+v, want %+v; columns %+v with %+v, want %+v with %+v", y.Rows, x.Rows, y.Cols, y.Cols.Voxels, x.Cols, v)
			}
			for k, v := range x.Meta {
				if k != "request" && k != "shard" && k != "space" && y.Meta[k] != v {
					t.Errorf("%s is %q, want %q", k, y.Meta[k], v)
				}
			}
			if y.Meta["part"] != "train" || y.Name != x.Name || y.Path != path {
				t.Errorf("%s of %s with %v", y.Name, y.Path, y.Meta)
			}
		})
	}
}

// A file is taken for a table only if it is the very one.
func TestWriteOverAnother(t *testing.T) {
	m := drawn(1, 40, 6)
	rows := Rows{Images: numbered(40, 0, 2), Counts: slices.Repeat([]int{3}, 40)}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	x := made(t, "x", m, rows, Columns{Voxels: grid(6)})
	if _, err := Write(t.Context(), path, x, nil); err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	last := m.Clone()
	last.Data[39*6+5]++
	for what, c := range map[string]struct {
		change func(m *linalg.Matrix[float32], r *Rows, v *Voxels)
		meta   map[string]string
		want   string
	}{
		"the last value": {func(m *linalg.Matrix[float32], _ *Rows, _ *Voxels) { *m = last }, nil,
			"rows 32 to 39 have other values, expected the same or no file"},
		"images": {func(_ *linalg.Matrix[float32], r *Rows, _ *Voxels) { r.Images = numbered(40, 0, 3) }, nil,
			"was made with another request"},
		"counts": {func(_ *linalg.Matrix[float32], r *Rows, _ *Voxels) { r.Counts = slices.Repeat([]int{2}, 40) }, nil,
			"another order of images, type, shape, names or voxels"},
		"no counts":    {func(_ *linalg.Matrix[float32], r *Rows, _ *Voxels) { r.Counts = nil }, nil, "another order of images, type"},
		"a coordinate": {func(_ *linalg.Matrix[float32], _ *Rows, v *Voxels) { v.XYZ[4] = 40 }, nil, "another order of images, type"},
		"a membership": {func(_ *linalg.Matrix[float32], _ *Rows, v *Voxels) { v.Member[0] = 0 }, nil, "another order of images, type"},
		"another subject": {func(_ *linalg.Matrix[float32], _ *Rows, v *Voxels) { v.Subject = "subj08" }, nil,
			"was made with another space"},
		"what is said": {func(*linalg.Matrix[float32], *Rows, *Voxels) {}, map[string]string{"decoder": "a"},
			"was made with another decoder"},
	} {
		m, r, v := m, rows, *grid(6)
		c.change(&m, &r, &v)
		upToDate, err := Write(t.Context(), path, made(t, "x", m, r, Columns{Voxels: &v}), c.meta)
		wantError(t, err, path, c.want, "remove it or choose another")
		if upToDate {
			t.Errorf("%s: up to date", what)
		}
	}
	if !bytes.Equal(read(t, path), before) {
		t.Error("the file was changed")
	}
	// Damage is found before the file is taken for good.
	l := layoutOf(t, path)
	damaged := bytes.Clone(before)
	damaged[l.valuesAt+3] ^= 1
	if err := os.WriteFile(path, damaged, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := Write(t.Context(), path, x, nil)
	wantError(t, err, path, "rows 0 to 31", "damaged", "remove it to make it again")
	if err := os.WriteFile(path, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Write(t.Context(), path, x, nil)
	wantError(t, err, path, "remove it or choose another folder")
}

// layoutOf lays out the file at path anew.
func layoutOf(t *testing.T, path string) layout {
	t.Helper()
	f, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.Spec
	s.Shard = Shard{} // of which the metadata speaks
	l, err := s.layout()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A write that was cut goes on, with the values of the table that is written now.
func TestWriteGoesOn(t *testing.T) {
	dir := t.TempDir()
	m := drawn(1, 100, 6)
	rows := Rows{Images: numbered(100, 0, 2), Names: strings.Fields(strings.Repeat("a.png ", 100))}
	x := made(t, "x", m, rows, Columns{})
	at := func(name string) string { return filepath.Join(dir, name) }
	if _, err := Write(t.Context(), at("once"), x, nil); err != nil {
		t.Fatal(err)
	}
	want := read(t, at("once"))
	s := Spec{Name: "x", Shape: []int{6}, DType: safetensors.F32, Images: rows.Images, Names: rows.Names, Meta: map[string]string{}}
	for name, left := range map[string]func(){
		"nothing": func() {},
		"two chunks of the same": func() {
			w := create(t, at("x"), s)
			for c := range 2 {
				if err := w.Put(c, m.Data[c*32*6:(c+1)*32*6]); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
		},
		"two chunks of other values": func() {
			w := create(t, at("x"), s)
			for _, c := range []int{1, 2} {
				if err := w.Put(c, make([]float32, 32*6)); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
		},
		"one of other names": func() {
			other := s
			other.Names = strings.Fields(strings.Repeat("b.png ", 100))
			create(t, at("x"), other).Close()
		},
		"text": func() {
			if err := os.WriteFile(at("x.part"), []byte("text"), 0o666); err != nil {
				t.Fatal(err)
			}
		},
		"all but its name": func() {
			if err := os.WriteFile(at("x.part"), want, 0o666); err != nil {
				t.Fatal(err)
			}
		},
	} {
		left()
		upToDate, err := Write(t.Context(), at("x"), x, nil)
		if err != nil || upToDate {
			t.Errorf("%s was left: up to date %v, %v", name, upToDate, err)
		}
		if !bytes.Equal(read(t, at("x")), want) {
			t.Errorf("%s was left: other bytes than at once", name)
		}
		if err := os.Remove(at("x")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(ctx, at("x"), x, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := os.Stat(at("x")); err == nil {
		t.Error("a file that was not written has its name")
	}
}

func TestWriteRejects(t *testing.T) {
	dir := t.TempDir()
	m := drawn(1, 3, 2)
	bad := m.Clone()
	bad.Data[3] = float32(math.Inf(1))
	under := filepath.Join(dir, "file")
	if err := os.WriteFile(under, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for path, c := range map[string]struct {
		x    *Table
		want string
	}{
		"inf":    {made(t, "x", bad, Rows{}, Columns{}), "x: row 1, column 1 is +Inf, expected a finite number"},
		"name":   {made(t, "", m, Rows{}, Columns{}), "no name, expected that of a feature or of responses"},
		"images": {made(t, "x", m, Rows{Images: []fmri.ImageID{1, 2, 1}}, Columns{}), "image 1 of row 2 is there twice"},
		"large":  {made(t, "x", m, Rows{Images: []fmri.ImageID{1, 2, 1 << 31}}, Columns{}), "image 2147483648 of row 2"},
		"lines": {made(t, "x", m, Rows{Names: []string{"a", "b\nc", "d"}}, Columns{}),
			`file name "b\nc", expected one without line breaks`},
		"file/x": {made(t, "x", m, Rows{}, Columns{}), "its folder cannot be made"},
	} {
		_, err := Write(t.Context(), filepath.Join(dir, path), c.x, nil)
		wantError(t, err, c.want)
		if _, err := os.Stat(filepath.Join(dir, path)); err == nil {
			t.Errorf("%s was written", path)
		}
	}
}

// A writer takes what belongs to it alone.
func TestPutRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "z.safetensors")
	s := spec(64, safetensors.F32)
	w := create(t, path, s)
	wantError(t, w.Put(-1, make([]float32, 32*6)), path, "chunk -1, expected one of 2")
	wantError(t, w.Put(2, nil), path, "chunk 2, expected one of 2")
	wantError(t, w.Put(0, make([]float32, 7)), path, "7 values for rows 0 to 31, expected 192")
	if fill(t, w, 9) != 2 {
		t.Error("chunks were taken for done")
	}
	wantError(t, func() error { w := *w; w.file = nil; return w.Put(0, make([]float32, 192)) }(), path, "after the end")
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	wantError(t, w.Put(0, make([]float32, 192)), path, "after the end, expected them before Finish and Close")
	w = create(t, path, s)
	wantError(t, w.Put(1, make([]float32, 192)), path, "rows 32 to 63 have other values")
	if fill(t, w, 9) != 0 || w.Finish() != nil {
		t.Error("a complete file was made again")
	}
}

// Of two processes that write one name, of which the first finishes while the second begins, neither harms the file.
func TestWritersThatMeet(t *testing.T) {
	dir := t.TempDir()
	one, other := spec(3, safetensors.F32), spec(3, safetensors.F32)
	other.Meta["posterior"] = "sample"
	want := write(t, filepath.Join(dir, "want"), one)
	for range 50 {
		path := filepath.Join(dir, "z.safetensors")
		w := create(t, path, one)
		fill(t, w, -1)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for {
					v, err := Create(path, other)
					if err == nil {
						t.Error("a file of another spec was begun")
						v.Close()
						return
					}
					if strings.Contains(err.Error(), "was made with another posterior") {
						return
					}
					if !strings.Contains(err.Error(), "another process is writing it") {
						t.Error(err)
						return
					}
				}
			})
		}
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		group.Wait()
		if !bytes.Equal(read(t, path), want) {
			t.Fatal("the finished file was changed")
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.part")); err != nil || len(left) > 0 {
		t.Errorf("%v were left", left)
	}
}

func TestShards(t *testing.T) {
	for text, want := range map[string]Shard{"1/1": {1, 1}, "2/8": {2, 8}, "9999/9999": {9999, 9999}} {
		got, err := ParseShard(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "0/3", "4/3", "a/3", "1/b", "1/10000", "1/2/3"} {
		_, err := ParseShard(text)
		wantError(t, err, "expected a part of several as 2/8, at most of 9999")
	}
	if (Shard{}).String() != "" || FileName("z", Shard{}) != "z.safetensors" ||
		FileName("z", Shard{2, 8}) != "z.shard-0002-of-0008.safetensors" {
		t.Error("names of shards")
	}
	// The parts are whole chunks, one after the other, none empty.
	for _, n := range []int{1, 32, 33, 700, 73000} {
		chunks := (n + ChunkRows - 1) / ChunkRows
		for parts := 1; parts <= min(chunks, 40); parts++ {
			at := 0
			for k := range parts {
				lo, hi := Shard{k + 1, parts}.rows(n)
				if lo != at || hi <= lo || lo%ChunkRows != 0 {
					t.Fatalf("%d of %d parts of %d rows: %d to %d after %d", k+1, parts, n, lo, hi, at)
				}
				at = hi
			}
			if at != n {
				t.Fatalf("%d parts of %d rows end at %d", parts, n, at)
			}
		}
	}
	for _, s := range []Shard{{4, 3}, {0, 3}, {-1, 3}, {1, 0}} {
		bad := spec(200, safetensors.F32)
		bad.Shard = s
		_, err := Create(filepath.Join(t.TempDir(), "z"), bad)
		wantError(t, err, "shard", "expected one of at most 7")
	}
}

func TestMergeRejects(t *testing.T) {
	dir := t.TempDir()
	at := func(name string, change func(*Spec)) string {
		s := spec(96, safetensors.F32)
		change(&s)
		path := filepath.Join(dir, name)
		write(t, path, s)
		return path
	}
	part := func(k, n int) func(*Spec) { return func(s *Spec) { s.Shard = Shard{k, n} } }
	one, two, three := at("1", part(1, 3)), at("2", part(2, 3)), at("3", part(3, 3))
	all := at("all", func(*Spec) {})
	other := at("other", func(s *Spec) { s.Shard, s.Meta["model"] = Shard{2, 3}, "n" })
	type16 := at("type", func(s *Spec) { s.Shard, s.DType = Shard{2, 3}, safetensors.F16 })
	images := at("images", func(s *Spec) { s.Shard = Shard{2, 3}; s.Images[0] = 9999 })
	half := at("half", part(2, 2))
	damaged := filepath.Join(dir, "damaged")
	b := read(t, two)
	b[layoutOf(t, one).valuesAt+500] ^= 4
	if err := os.WriteFile(damaged, b, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		shards []string
		want   []string
	}{
		{nil, []string{"no shards, expected some to merge"}},
		{[]string{one, filepath.Join(dir, "none")}, []string{"none", "no such file"}},
		{[]string{one, all}, []string{all, "is a whole feature, expected a shard"}},
		{[]string{one, three}, []string{dir, "shard 2/3 of z is not there, expected all; 1 lack"}},
		{[]string{three}, []string{dir, "shard 1/3 of z is not there, expected all; 2 lack"}},
		{[]string{one, two, two}, []string{two, "is shard 2/3, as is " + two, "expected each once"}},
		{[]string{one, other, three}, []string{other, `model is "n", but "m"`, "expected shards of one feature"}},
		{[]string{one, type16, three}, []string{type16, "is shard 2/3 of F16", "expected shards of one feature"}},
		{[]string{one, images, three}, []string{"request", "expected shards of one feature"}},
		{[]string{one, half}, []string{half, "is shard 2/2"}},
		{[]string{one, damaged, three}, []string{damaged, "rows 0 to 31", "damaged"}},
	} {
		out := filepath.Join(dir, "z")
		wantError(t, Merge(out, c.shards, nil), c.want...)
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("%v were merged", c.shards)
		}
	}
	// In any order, telling how far it is; again there is nothing to do.
	for _, calls := range []int{3, 3} {
		var told []int
		err := Merge(filepath.Join(dir, "z"), []string{three, one, two}, func(done, total int) { told = append(told, done, total) })
		if err != nil || len(told) != 2*calls || told[5] != 96 || told[4] != 96 {
			t.Errorf("told of %v, %v", told, err)
		}
	}
	if !bytes.Equal(read(t, filepath.Join(dir, "z")), read(t, all)) {
		t.Error("other bytes than without shards")
	}
	if _, err := ShardFiles(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there has shards")
	}
}
