package hdf5

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/internal/golden"
)

func TestRejectsFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, err := os.ReadFile("testdata/h5_earliest.h5")
	if err != nil {
		t.Fatal(err)
	}
	version := append([]byte{}, good...)
	version[8] = 9
	for _, c := range []struct{ path, want string }{
		{write("truncated.h5", good[:36780]), "truncated: the file has 36780 bytes, its superblock says 73560"},
		{"testdata/h5_bad_signature.h5", "not an HDF5 file"},
		{write("empty.h5", nil), "not an HDF5 file"},
		{write("short.h5", good[:20]), "offset 15: 9 bytes wanted"},
		{write("version.h5", version), "offset 8: superblock version 9"},
		{filepath.Join(dir, "absent.h5"), "no such file"},
		{dir, "is a folder"},
	} {
		f, err := Open(c.path)
		if err == nil {
			f.Close()
			t.Errorf("%s: no error", c.path)
			continue
		}
		if !strings.HasPrefix(err.Error(), c.path+": ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want the file and %q", err, c.want)
		}
	}
}

func TestRejectsRequests(t *testing.T) {
	f := open(t, "h5_earliest.h5")
	if _, err := f.Dataset("nowhere"); err == nil || !strings.Contains(err.Error(), "no /nowhere; there is ") {
		t.Errorf("unknown name: %v", err)
	}
	if _, err := f.Dataset("grp"); err == nil || !strings.Contains(err.Error(), "is a group") {
		t.Errorf("group: %v", err)
	}
	d, err := f.Dataset("contig")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read[int8](d); err == nil || !strings.Contains(err.Error(), "elements are int16, which int8 cannot hold exactly") {
		t.Errorf("int16 into int8: %v", err)
	}
	if err := ReadSlab(d, make([]int16, 1), []int{13, 0, 0, 0}, []int{1, 1, 1, 1}); err == nil {
		t.Error("a slab outside was read")
	}
	if err := ReadSlab(d, make([]int16, 2), []int{0, 0, 0, 0}, []int{1, 1, 1, 1}); err == nil {
		t.Error("a slab into a slice of another length was read")
	}
	if err := readColumns(d, make([]int16, 13), []int{140}); err == nil {
		t.Error("a column outside was read")
	}
	f64, err := f.Dataset("f64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read[float32](f64); err == nil {
		t.Error("float64 was rounded to float32")
	}
}

// TestHolds checks the rule of exact conversion with its limits.
func TestHolds(t *testing.T) {
	i := func(size int) Type { return Type{Class: Fixed, Size: size, Signed: true} }
	u := func(size int) Type { return Type{Class: Fixed, Size: size} }
	fl := func(size int) Type { return Type{Class: Float, Size: size} }
	for _, c := range []struct {
		to, from Type
		want     bool
	}{
		{fl(4), i(2), true}, {fl(4), u(2), true}, {fl(4), i(4), false}, {fl(4), u(4), false},
		{fl(8), i(4), true}, {fl(8), u(4), true}, {fl(8), i(8), false}, {fl(8), fl(4), true}, {fl(4), fl(8), false},
		{i(4), fl(4), false}, {i(2), u(1), true}, {i(1), u(1), false}, {u(2), i(1), false}, {i(8), i(8), true},
		{u(8), u(4), true}, {u(1), u(2), false}, {fl(8), Type{Class: String, Size: 1}, false},
	} {
		if got := holds(c.to, c.from); got != c.want {
			t.Errorf("holds(%s, %s) = %v, want %v", c.to, c.from, got, c.want)
		}
	}
}

// FuzzFile reads everything in a damaged file: any result but a panic, a hang or a huge allocation is fine here.
func FuzzFile(f *testing.F) {
	for _, name := range []string{"small_earliest.h5", "small_latest.h5"} { // by h5py, all kinds of chunk index
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint32(0), uint16(0))
		f.Add(b, uint32(600), uint16(0xffff))
		f.Add(b[:len(b)/2], uint32(0), uint16(0))
	}
	for _, name := range []string{"kinds_nbit_latest.h5.gz", "kinds_masks_earliest.h5.gz", "kinds_named_latest.h5.gz",
		"kinds_virtual_v110.h5.gz"} {
		f.Add(inflated(f, name), uint32(0), uint16(0))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint32, change uint16) {
		if len(b) > 1<<20 {
			return
		}
		if int(at)+2 <= len(b) { // damage that the fuzzer would take long to find in a large file
			b = append([]byte{}, b...)
			b[at] ^= byte(change)
			b[at+1] ^= byte(change >> 8)
		}
		golden.WithinMemory(t, len(b), true, func() { readEverything(b) })
	})
}

// readEverything opens a file and reads all that can be found in the first two levels.
func readEverything(b []byte) {
	file, err := NewFile("fuzz.h5", bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	names, _ := file.List("")
	for _, n := range names[:min(len(names), 64)] {
		if sub, err := file.List(n); err == nil {
			for _, m := range sub[:min(len(sub), 8)] {
				readOne(file, n+"/"+m)
			}
			continue
		}
		readOne(file, n)
	}
}

func readOne(file *File, name string) {
	d, err := file.Dataset(name)
	if err != nil && strings.Contains(err.Error(), "\n") && !strings.Contains(name, "\n") {
		panic(err)
	}
	if err != nil || d.Len() > 1<<20 {
		return
	}
	_, _ = Read[float64](d)
	if d.Len()*d.elem.Size < 1<<20 {
		_, _ = Raw(d)
		_, _ = Strings(d)
		_, _ = Sequences(d)
		_, _ = Refs(d)
		_, _ = ReadField[float64](d, "r")
	}
	if o, err := file.Object(name); err == nil {
		_, _, _ = o.Attribute("x")
		_, _, _ = o.Members()
	}
	if s := d.Shape(); len(s) > 0 && s[0] > 0 && s[0] < 1000 && d.Len() > 0 {
		_ = readColumns(d, make([]float64, 2*s[0]), []int{0, d.Len()/s[0] - 1})
	}
}

// TestDamage changes bytes all over the golden files and cuts them short: nothing may panic.
func TestDamage(t *testing.T) {
	for _, name := range []string{"small_earliest.h5", "small_latest.h5"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		step := len(b) / 150
		for at := 0; at < len(b); at += step {
			for _, v := range []byte{0x00, 0xff} {
				c := append([]byte{}, b...)
				c[at] = v
				readEverything(c)
			}
		}
		for n := 0; n < len(b); n += 5 * step {
			readEverything(b[:n])
		}
	}
}
