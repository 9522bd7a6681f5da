package offheap

import (
	"os"
	"syscall"
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
