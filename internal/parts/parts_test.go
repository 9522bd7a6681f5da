package parts

import (
	"sync"
	"testing"
)

// Every place is in one part, of any number of places.
func TestEach(t *testing.T) {
	for _, n := range []int{0, 1, 1 << 18, 1<<18 + 1, 5<<18 - 1} {
		times := make([]uint8, n)
		var mu sync.Mutex
		calls := 0
		Each(n, func(lo, hi int) {
			for i := range times[lo:hi] {
				times[lo+i]++
			}
			mu.Lock()
			calls++
			mu.Unlock()
		})
		for i, k := range times {
			if k != 1 {
				t.Fatalf("%d of %d is in %d parts", i, n, k)
			}
		}
		if calls < 1 || calls > 5 {
			t.Errorf("%d places in %d parts", n, calls)
		}
	}
}
