//go:build !linux

package mapped

// Drop gives back the memory of pages where the system can be asked to.
func Drop([]byte) {}

// ReadAhead asks for a mapped file to be read before it is used where the system can be asked to.
func ReadAhead([]byte) {}
