//go:build !unix

package main

import "os"

// die ends the process with the exit status that shells give one that Ctrl-C has ended.
func die(os.Signal) { os.Exit(128 + 2) }
