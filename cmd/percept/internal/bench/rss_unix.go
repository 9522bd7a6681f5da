//go:build unix

package bench

import (
	"runtime"
	"syscall"
)

// maxRSS is the most memory that the process had resident so far, in bytes; 0 where it cannot be had.
func maxRSS() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // all 0 if it fails
	if runtime.GOOS == "darwin" {
		return int64(u.Maxrss)
	}
	return int64(u.Maxrss) * 1024
}

// processorSeconds is the processor time of the process so far.
func processorSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // all 0 if it fails
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
