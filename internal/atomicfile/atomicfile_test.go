package atomicfile

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestAFileAppearsWhenItIsCommitted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Create(path) // beside it, in the same process
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*File{a, b} {
		if !strings.HasPrefix(filepath.Base(f.Name()), Prefix) || filepath.Dir(f.Name()) != dir || f.Path() != path {
			t.Errorf("temporary file %s of %s", f.Name(), f.Path())
		}
	}
	if _, err := a.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Errorf("before Commit: %q", got)
	}
	b.Abort()
	if err := b.Commit(); err != nil {
		t.Errorf("Commit after Abort: %v", err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
	a.Abort()
	if got, _ := os.ReadFile(path); string(got) != "new" {
		t.Errorf("after Commit: %q", got)
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func TestErrorsNameTheFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "no", "a"), filepath.Join(dir, "folder")} {
		err := Write(path, []byte("x"))
		if err == nil || !strings.HasPrefix(err.Error(), path+": cannot be written: ") || strings.Contains(err.Error(), Prefix) {
			t.Errorf("%s: error %v", path, err)
		}
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

func TestArrayHoldsWhatItAnnounces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	create := func() *Array[int16] {
		t.Helper()
		a, err := CreateArray[int16](path, false, []byte("head"), binary.BigEndian, 3, "three hold")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := create()
	if err := a.Append([]int16{1, 2, 3, 4}); err == nil || !strings.Contains(err.Error(), "more values than three hold") {
		t.Errorf("too many: %v", err)
	}
	if err := a.Append([]int16{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err == nil || !strings.Contains(err.Error(), "2 of 3 values") {
		t.Errorf("too few: %v", err)
	}
	if got := names(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	a = create()
	a.Footer = []byte("foot")
	for _, v := range [][]int16{{1}, {2, -1}} {
		if err := a.Append(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != "head\x00\x01\x00\x02\xff\xfffoot" {
		t.Errorf("file: %q", got)
	}
}
