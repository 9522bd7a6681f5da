//go:build unix && !solaris && !illumos && !aix

package prepare

import (
	"fmt"
	"os"
	"percept/internal/cause"
	"syscall"
)

// lockFile keeps a second run out of a folder of parts until the file is closed or the process ends.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: another run is at work there", path)
	}
	return f, nil
}
