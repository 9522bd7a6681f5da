package ridge

import (
	"context"
	"sync"
	"sync/atomic"

	"percept/tensor"
)

// targetBatch is the number of targets predicted at once: enough for the matrix products to
// run at full speed, few enough for the float64 copies to stay small.
const targetBatch = 256

// split cuts n into ranges of at most size.
func split(n, size int) [][2]int {
	var r [][2]int
	for lo := 0; lo < n; lo += size {
		r = append(r, [2]int{lo, min(lo+size, n)})
	}
	return r
}

// parallel calls f(0) … f(n−1) from up to tensor.Threads goroutines, until one fails or ctx is
// done, and returns the error of the lowest index. What f computes must not depend on the
// order of calls.
func parallel(ctx context.Context, n int, f func(i int) error) error {
	if n == 1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		return f(0)
	}
	var next, failed atomic.Int64
	errs := make([]error, n)
	var wg sync.WaitGroup
	for range min(n, tensor.Threads()) {
		wg.Go(func() {
			for failed.Load() == 0 && ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				if errs[i] = f(i); errs[i] != nil {
					failed.Store(1)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}
