package packed

import (
	"os"
	"strings"
	"syscall"
)

// reserve makes sure that the file's first n bytes have room on the disk.
func reserve(f *os.File, n int64) error {
	err := syscall.Fallocate(int(f.Fd()), 0, 0, n)
	if err == syscall.EOPNOTSUPP || err == syscall.ENOSYS {
		return nil // the disk is full when it is
	}
	return os.NewSyscallError("fallocate", err)
}

// bootID names the time since the system was started; empty where it is not known.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}
