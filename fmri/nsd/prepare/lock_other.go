//go:build !unix || solaris || illumos || aix

package prepare

import (
	"fmt"
	"os"
	"percept/internal/cause"
)

// lockFile opens the file; this system has no locks that end with the process.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	return f, nil
}
