package mapped

import (
	"os"
	"syscall"
	"unsafe"
)

// Drop gives back the memory of the whole pages of b, which is mapped from a file and not written to.
func Drop(b []byte) {
	page := os.Getpagesize()
	if len(b) < 2*page {
		return
	}
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (page - 1)
	if b = b[skip:]; len(b) >= page {
		_ = syscall.Madvise(b[:len(b)/page*page], syscall.MADV_DONTNEED)
	}
}

// ReadAhead asks for a mapped file to be read before it is used.
func ReadAhead(b []byte) { _ = syscall.Madvise(b, syscall.MADV_WILLNEED) }
