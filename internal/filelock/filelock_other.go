//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package filelock

import (
	"errors"
	"os"
)

// Lock says that there are no locks where Go's syscall package has no flock.
func Lock(*os.File) error { return errors.ErrUnsupported }
