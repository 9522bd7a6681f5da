package prepare

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"percept/internal/cause"
	"percept/internal/filelock"
)

// place is where a folder goes that takes its name at the end: what a link points to, so that the link stays.
func place(out string) (string, error) {
	out = filepath.Clean(out)
	if base := filepath.Base(out); base == "." || base == ".." {
		return "", fmt.Errorf("%s: cannot be replaced, expected the name of a folder to make", out)
	}
	if info, err := os.Lstat(out); err == nil && info.Mode()&os.ModeSymlink != 0 {
		to, err := filepath.EvalSymlinks(out)
		if err != nil {
			return "", fmt.Errorf("%s: a link to nothing: %w", out, cause.Of(err))
		}
		return to, nil
	}
	return out, nil
}

func (j *job) partial(parts ...string) string {
	return filepath.Join(append([]string{j.out + ".partial"}, parts...)...)
}

// begin locks the folder of parts and empties it unless it is of the same request.
func (j *job) begin() (*os.File, error) {
	if err := os.MkdirAll(j.partial(), 0o777); err != nil {
		return nil, fmt.Errorf("%s: cannot be made: %w", j.partial(), cause.Of(err))
	}
	lock, err := lockFile(j.partial("lock"))
	if err != nil {
		return nil, err
	}
	have, err := os.ReadFile(j.partial("request.json"))
	if err == nil && bytes.Equal(have, j.request) {
		return lock, nil
	}
	entries, err := os.ReadDir(j.partial())
	for _, e := range entries {
		if e.Name() != "lock" && err == nil {
			err = os.RemoveAll(j.partial(e.Name()))
		}
	}
	if err == nil {
		err = os.WriteFile(j.partial("request.tmp"), j.request, 0o666)
	}
	if err == nil {
		err = os.Rename(j.partial("request.tmp"), j.partial("request.json"))
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("%s: cannot be written: %w", j.partial(), cause.Of(err))
	}
	return lock, nil
}

// publish gives the finished folder its name and removes the parts.
func (j *job) publish(lock *os.File) error {
	if err := os.Remove(j.out); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return fmt.Errorf("%s: cannot be replaced: %w", j.out, cause.Of(err))
	}
	if err := os.Rename(j.partial("result"), j.out); err != nil {
		return fmt.Errorf("%s: cannot be made: %w", j.out, cause.Of(err))
	}
	lock.Close() // some systems do not remove open files
	if err := os.RemoveAll(j.partial()); err != nil {
		return fmt.Errorf("%s: cannot be removed: %w", j.partial(), cause.Of(err))
	}
	return nil
}

// lockFile keeps a second run out of a folder of parts until the file is closed or the process ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	if errors.Is(filelock.Lock(f), filelock.ErrHeld) {
		f.Close()
		return nil, fmt.Errorf("%s: another run is at work there", path)
	}
	return f, nil
}
