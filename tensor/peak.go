package tensor

import (
	"runtime"
	"sync"
	"time"
)

// PeakFMA measures how many floating-point operations a second the kernels in use could do at best on that many
// threads, by multiply-adds (two operations each) that touch no memory. It takes about a twentieth of a second. More
// threads than GOMAXPROCS count as GOMAXPROCS; it panics for fewer than one.
func PeakFMA(threads int) float64 {
	if threads < 1 {
		panic("tensor: PeakFMA: expected 1 thread or more")
	}
	rates := make([]float64, min(threads, runtime.GOMAXPROCS(0)))
	var group sync.WaitGroup
	for i := range rates {
		group.Go(func() { rates[i] = peakRate() })
	}
	group.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// peakRate measures one thread: the best of several short stretches, since others may use the machine as well.
func peakRate() float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const stretches, stretch = 20, 2 * time.Millisecond
	set := current.Load()
	y := make([]float32, set.PeakWidth)
	best, rounds := 0.0, 1000
	for done := 0; done < stretches; {
		start := time.Now()
		set.Peak(y, 0.5, 1, rounds) // towards 2: no overflow, no denormal number
		d := time.Since(start)
		if d < stretch/2 {
			rounds *= 2
			continue
		}
		best = max(best, 2*float64(rounds)*float64(len(y))/d.Seconds())
		done++
	}
	return best
}
