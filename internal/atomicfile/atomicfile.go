// Package atomicfile writes files that appear under their name only when they are complete: the bytes go to
// a temporary file in the same folder, which Commit syncs and renames.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"percept/internal/cause"
)

// Prefix is what the names of temporary files begin with.
const Prefix = ".part-"

// File is a file being written. Exactly one of Commit and Abort takes effect, the first one called; a
// deferred Abort after Commit does nothing.
type File struct {
	*os.File
	path string
	done bool
}

var count atomic.Int64

// open are the temporary files that are being written. Once abandoned, no file gets its name any more.
var open struct {
	sync.Mutex
	files     map[string]bool
	abandoned bool
}

var errAbandoned = errors.New("the program is ending")

// Abandon removes the temporary files of all that is being written and has every later Create and Commit fail: a program
// that ends without waiting for its work leaves nothing behind that looks like a result, nor what does not.
func Abandon() {
	open.Lock()
	defer open.Unlock()
	open.abandoned = true
	for tmp := range open.files {
		os.Remove(tmp)
	}
}

// begin notes a temporary file.
func begin(tmp string) error {
	open.Lock()
	defer open.Unlock()
	if open.abandoned {
		os.Remove(tmp)
		return errAbandoned
	}
	if open.files == nil {
		open.files = map[string]bool{}
	}
	open.files[tmp] = true
	return nil
}

// end gives a temporary file its name, or removes it where that is empty.
func end(tmp, path string) error {
	open.Lock()
	defer open.Unlock()
	delete(open.files, tmp)
	if path == "" {
		return os.Remove(tmp)
	}
	if open.abandoned {
		return errAbandoned
	}
	return os.Rename(tmp, path)
}

// Create opens a temporary file in the folder of path, which has to be there. Its permissions are those that the system
// gives a new file of the user's.
func Create(path string) (*File, error) {
	dir, base := filepath.Split(path)
	for {
		tmp := dir + Prefix + base + "." + strconv.Itoa(os.Getpid()) + "." + strconv.FormatInt(count.Add(1), 10)
		f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case errors.Is(err, fs.ErrExist): // left by a process of the same number
			continue
		case err != nil:
			return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
		}
		if err := begin(tmp); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: cannot be written: %w", path, err)
		}
		return &File{File: f, path: path}, nil
	}
}

// CreateAll is Create for a folder that may be missing, which it makes.
func CreateAll(path string) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("%s: cannot make its folder: %w", path, cause.Of(err))
	}
	return Create(path)
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
		err = end(f.Name(), f.path)
	}
	if err != nil {
		_ = end(f.Name(), "")
		return fmt.Errorf("%s: cannot be written: %w", f.path, cause.Of(err))
	}
	SyncFolder(filepath.Dir(f.path))
	return nil
}

// SyncFolder makes a rename durable. Systems that cannot sync a folder say so with an error of their own, which is no
// failure of the write.
func SyncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Abort closes and removes the temporary file.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.Close()
	_ = end(f.Name(), "")
}

// Write is os.WriteFile for a file that appears complete or not at all.
func Write(path string, data []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	return f.Commit()
}
