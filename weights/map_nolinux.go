//go:build !linux

package weights

import "os"

// What linux has in Go's syscall package and others do not, or do in another way; see map_linux.go.

func dropPages([]byte)               {}
func readAhead([]byte)               {}
func reserve(*os.File, int64) error  { return nil }
func freeSpace(string) (int64, bool) { return 0, false }
func bootID() string                 { return "" }
