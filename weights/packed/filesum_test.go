package packed

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFileSum(t *testing.T) {
	dir, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
	path := filepath.Join(dir, "x")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	when := time.Unix(1700000000, 0)
	change := func(at int64, b byte, when time.Time) {
		t.Helper()
		if _, err := f.WriteAt([]byte{b}, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	sum := func(o Options) [sha256.Size]byte {
		t.Helper()
		s, err := o.FileSum(context.Background(), os.DirFS(dir), "x")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	whole := func() [sha256.Size]byte {
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<40)); err != nil {
			t.Fatal(err)
		}
		return [sha256.Size]byte(h.Sum(nil))
	}
	with, without := Options{Dir: cache}, Options{NoCache: true}
	if err := f.Truncate(largeFile); err != nil {
		t.Fatal(err)
	}
	change(largeFile-1, 1, when)
	first := whole()
	for i, o := range []Options{without, with, with} {
		if got := sum(o); got != first {
			t.Errorf("call %d: %x, want %x", i, got, first)
		}
	}
	kept, err := filepath.Glob(filepath.Join(cache, "*"+sumSuffix))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v, %v", kept, err)
	}
	change(0, 7, when) // looked at
	if got := sum(with); got != whole() {
		t.Error("the sum of what was there before")
	}
	change(12345, 7, when.Add(time.Second)) // not looked at, but later
	if got := sum(with); got != whole() {
		t.Error("the sum of an earlier file")
	}
	if err := os.WriteFile(kept[0], []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	change(0, 0, when)
	change(12345, 0, when)
	if got := sum(with); got != first {
		t.Error("a damaged sum is believed")
	}
	if err := f.Truncate(100); err != nil {
		t.Fatal(err)
	}
	if got := sum(with); got != whole() {
		t.Error("wrong sum of a small file")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := with.FileSum(ctx, os.DirFS(dir), "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := with.FileSum(context.Background(), os.DirFS(dir), "y"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
