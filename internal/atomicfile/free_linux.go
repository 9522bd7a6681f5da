package atomicfile

import "syscall"

// FreeSpace returns how many bytes may still be written below dir, and whether that is known.
func FreeSpace(dir string) (int64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
