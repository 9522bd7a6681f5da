package tensor

import (
	"errors"
	"os"
	"sync/atomic"

	"percept/tensor/internal/kernel"
)

var (
	current   atomic.Pointer[kernel.Set]
	errKernel error
)

func init() {
	set, err := kernel.Find(os.Getenv("PERCEPT_KERNELS"))
	if err != nil {
		errKernel = err
		set = kernel.Best()
	}
	current.Store(set)
}

// KernelSet returns the name of the kernels in use: "generic" (plain Go), "avx2" or "avx512". At start it is the best
// the processor has, unless the environment variable PERCEPT_KERNELS names another.
func KernelSet() string { return current.Load().Name }

// KernelSets returns the names that UseKernels accepts on this processor, the plainest first.
func KernelSets() []string {
	var names []string
	for _, s := range kernel.Available() {
		names = append(names, s.Name)
	}
	return names
}

// KernelError returns what was wrong with PERCEPT_KERNELS at start: an unknown name, or a set that this processor
// does not have; or with PERCEPT_THREADS: anything but a number from 1 to MaxThreads; or with
// PERCEPT_FORMS: a table that cannot be read. The default is used then, and a command
// should stop with the error.
func KernelError() error { return errors.Join(errKernel, errThreads, errForms) }

// UseKernels switches to the named set and returns a function that switches back. Layers made before keep working:
// they pack their weights again on first use.
func UseKernels(set string) (restore func(), err error) {
	s, err := kernel.Find(set)
	if err != nil {
		return nil, err
	}
	old := current.Swap(s)
	return func() { current.Store(old) }, nil
}
