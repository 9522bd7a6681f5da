//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package table

import (
	"errors"
	"os"
	"syscall"
)

// lock keeps a second process out of an unfinished file until it is closed, or this process ends in whatever way.
func lock(f *os.File) error {
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another process is writing it, expected to be alone")
	}
	return nil // some file systems have no locks; a second process is not kept out there
}
