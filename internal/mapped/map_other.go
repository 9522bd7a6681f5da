//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package mapped

import (
	"io"
	"os"
)

// mapFile reads the file where the system has no mmap in Go's syscall package.
func mapFile(f *os.File, size int) ([]byte, func() error, error) {
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, nil, err
	}
	return b, func() error { return nil }, nil
}
