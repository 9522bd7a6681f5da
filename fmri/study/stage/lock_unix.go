//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package stage

import (
	"errors"
	"os"
	"syscall"
)

// lockFolder keeps a second run out until the file that it returns is closed, or the process ends in
// whatever way.
func lockFolder(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return nil, errors.New("another run is at work in this folder, expected to be alone")
	}
	return f, nil // some file systems have no locks; a run there is not kept from another
}
