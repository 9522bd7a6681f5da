package filelock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A file is locked until it is closed; a lock belongs to an open file, so that a second one of the same process stands
// for another process.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := open(), open()
	defer second.Close()
	switch err := Lock(first); {
	case errors.Is(err, ErrHeld) || err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skipf("no locks here: %v", err)
	}
	if err := Lock(second); !errors.Is(err, ErrHeld) {
		t.Errorf("locked twice: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Lock(second); err != nil {
		t.Errorf("not free after it was closed: %v", err)
	}
}
