//go:build !amd64

package gemm

// kernel says that there is none for this processor.
func kernel() (k micro, ok bool) { return k, false }
