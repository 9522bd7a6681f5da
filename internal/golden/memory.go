package golden

import "runtime"

// WithinMemory runs f, which reads a file of size bytes, and fails the test if it takes more memory, garbage included, than
// 16 times what the file can hold and 4 MiB for buffers. A compressed file holds at most 1032 times its bytes.
func WithinMemory(t T, size int, compressed bool, f func()) {
	t.Helper()
	limit := 16 * uint64(size)
	if compressed {
		limit *= 1032
	}
	limit += 4 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > limit {
		t.Errorf("a file of %d bytes took %d bytes of memory, at most %d are allowed", size, got, limit)
	}
}
