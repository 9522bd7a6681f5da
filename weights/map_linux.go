package weights

import (
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// mapMemory maps n zero bytes, in large pages where the system has them: weights are read from one end to the other.
func mapMemory(n int) ([]byte, func() error, error) {
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	const hugePages = 14 // MADV_HUGEPAGE
	_ = syscall.Madvise(b, hugePages)
	return b, func() error { return syscall.Munmap(b) }, nil
}

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
