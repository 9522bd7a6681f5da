//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// die ends the process by a signal, as if it had not been caught: a shell then knows that its loop was interrupted as well.
// Where the parent has the signal ignored, which a shell does for what it starts with &, the exit status says the same.
func die(s os.Signal) {
	number := s.(syscall.Signal)
	signal.Reset(s)
	if err := syscall.Kill(syscall.Getpid(), number); err == nil {
		time.Sleep(grace / 4)
	}
	os.Exit(128 + int(number))
}
