package weights

import (
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// dropPages gives back the memory of the whole pages of b, which is mapped from a file and not written to.
func dropPages(b []byte) {
	page := os.Getpagesize()
	if len(b) < 2*page {
		return
	}
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (page - 1)
	if b = b[skip:]; len(b) >= page {
		_ = syscall.Madvise(b[:len(b)/page*page], syscall.MADV_DONTNEED)
	}
}

// readAhead asks for a mapped file to be read before it is used.
func readAhead(b []byte) { _ = syscall.Madvise(b, syscall.MADV_WILLNEED) }

// reserve makes sure that the file's first n bytes have room on the disk.
func reserve(f *os.File, n int64) error {
	err := syscall.Fallocate(int(f.Fd()), 0, 0, n)
	if err == syscall.EOPNOTSUPP || err == syscall.ENOSYS {
		return nil // the disk is full when it is
	}
	return os.NewSyscallError("fallocate", err)
}

// freeSpace returns how many bytes may still be written below dir, and whether that is known.
func freeSpace(dir string) (int64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}

// bootID names the time since the system was started; empty where it is not known.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
