package table

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"percept/internal/cause"
	"percept/internal/filesum"
)

// Arrays of a prepared folder are compared with the sums that its manifest has before anything of them is used. One that was
// compared is known by size and time of change for as long as the process lives; passes over it do not read it twice.

// state is what changes with a file.
type state struct {
	path, sum string
	size      int64
	time      time.Time
}

var compared sync.Map // of state

// verify compares an array with its sum.
func (f *Folder) verify(a ArrayFile) error {
	path := filepath.Join(f.Dir, a.File)
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	now := state{path, a.SHA256, info.Size(), info.ModTime()}
	if _, done := compared.Load(now); done {
		return nil
	}
	sum, err := filesum.Hex(path)
	if err != nil {
		return err
	}
	if sum != a.SHA256 {
		return fmt.Errorf("%s: does not have the sum that %s names, expected it as it was made: the file is damaged or was changed", path,
			manifestName)
	}
	compared.Store(now, true)
	return nil
}

// Verify compares all arrays with their sums.
func (f *Folder) Verify() error {
	for _, a := range f.Manifest.Arrays {
		if err := f.verify(a); err != nil {
			return err
		}
	}
	return nil
}

// sumOfArrays stands for the values of some arrays of the folder.
func (f *Folder) sumOfArrays(files ...string) string {
	parts := []any{"folder"}
	for _, name := range files {
		for _, a := range f.Manifest.Arrays {
			if a.File == name {
				parts = append(parts, name, a.SHA256)
			}
		}
	}
	return sumOf(parts...)
}

// own returns the sum of all that the manifest says but the sum itself.
func (m Manifest) own() (string, error) {
	m.Sum = ""
	text, err := json.Marshal(m)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// checkOwn compares the manifest with the sum that it has of itself, from format 3 on.
func (m *Manifest) checkOwn() error {
	if m.Sum == "" && m.Format < 3 {
		return nil
	}
	if sum, err := m.own(); err != nil || sum != m.Sum {
		return errors.New("does not have its own sum, expected it as it was made: the file is damaged or was changed")
	}
	return nil
}
