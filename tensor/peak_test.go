package tensor

import "testing"

func TestPeakFMA(t *testing.T) {
	for _, name := range KernelSets() {
		restore, err := UseKernels(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 2} {
			r := PeakFMA(threads)
			t.Logf("%s, %d threads: %.1f GFLOP/s", name, threads, r/1e9)
			if !(r > 0) {
				t.Errorf("%s, %d threads: %g operations a second", name, threads, r)
			}
		}
		restore()
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for 0 threads")
		}
	}()
	PeakFMA(0)
}
