// Package parts cuts the work on a long array into parts that are done at once.
package parts

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Each calls f for 0 … n-1 cut into parts, several at once where n is large. The parts do not depend on the number of
// processors.
func Each(n int, f func(lo, hi int)) {
	const part = 1 << 18
	workers := min(runtime.GOMAXPROCS(0), (n+part-1)/part)
	if workers <= 1 {
		f(0, n)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				hi := int(next.Add(part))
				if hi-part >= n {
					return
				}
				f(hi-part, min(hi, n))
			}
		})
	}
	wg.Wait()
}
