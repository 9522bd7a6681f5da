// Package atomicfile writes files that appear under their name only when they are complete: the bytes go to
// a temporary file in the same folder, which Commit syncs and renames.
package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// File is a file being written. Exactly one of Commit and Abort takes effect, the first one called; a
// deferred Abort after Commit does nothing.
type File struct {
	*os.File
	path string
	done bool
}

// Create opens a temporary file beside path, making the folder where it is missing.
func Create(path string) (*File, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("%s: cannot make its folder: %w", path, errors.Unwrap(err))
	}
	tmp, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf(".%s.%d.tmp", filepath.Base(path), os.Getpid())),
		os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, errors.Unwrap(err))
	}
	return &File{File: tmp, path: path}, nil
}

// Path is the name that the file will have.
func (f *File) Path() string { return f.path }

// Commit syncs the file and gives it its name. On an error nothing is left behind.
func (f *File) Commit() error {
	if f.done {
		return nil
	}
	f.done = true
	err := f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("%s: cannot be written: %w", f.path, err)
	}
	return nil
}

// Abort closes and removes the temporary file.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.Close()
	os.Remove(f.Name())
}
