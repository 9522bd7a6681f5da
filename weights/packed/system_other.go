//go:build !linux

package packed

import "os"

// What linux has in Go's syscall package and others do not, or do in another way; see system_linux.go.

func reserve(*os.File, int64) error { return nil }
func bootID() string                { return "" }
