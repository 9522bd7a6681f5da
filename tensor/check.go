package tensor

import "fmt"

// need panics unless slice name of op has n elements.
func need(op, name string, got, n int) {
	if got != n {
		panic(fmt.Sprintf("tensor: %s: %s has %d elements, expected %d", op, name, got, n))
	}
}

// needAtLeast panics unless slice name of op has n elements or more.
func needAtLeast(op, name string, got, n int) {
	if got < n {
		panic(fmt.Sprintf("tensor: %s: %s has %d elements, expected at least %d", op, name, got, n))
	}
}
