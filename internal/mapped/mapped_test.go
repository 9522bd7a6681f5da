package mapped

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path, empty := filepath.Join(dir, "x"), filepath.Join(dir, "empty")
	text := strings.Repeat("0123456789abcdef", 4096) // more than two pages
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o666), os.WriteFile(empty, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	b, info, release, err := Open(path, "expected text")
	if err != nil {
		t.Fatal(err)
	}
	ReadAhead(b)
	if string(b) != text || info.Size() != int64(len(text)) {
		t.Errorf("%d bytes, want %d", len(b), len(text))
	}
	Drop(b[1:])
	if string(b) != text { // read again from the file
		t.Error("dropped pages have other bytes")
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	for path, want := range map[string]string{dir: "not a regular file, expected text", empty: "the file is empty, expected text"} {
		if _, _, _, err := Open(path, "expected text"); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, _, _, err := Open(path+"y", ""); !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), path) {
		t.Errorf("%v, want that of the system without the path", err)
	}
}
