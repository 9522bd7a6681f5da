//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package stage

import "os"

// lockFolder locks nothing where Go's syscall package has no flock.
func lockFolder(string) (*os.File, error) { return nil, nil }
