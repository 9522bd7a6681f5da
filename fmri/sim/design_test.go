package sim

import (
	"fmt"
	"slices"
	"testing"
)

func TestDesign(t *testing.T) {
	for _, o := range []Options{
		{},
		{Seed: 7, SharedImages: 5, OwnImages: 23, Sessions: 4, Runs: 3},
		{SharedImages: 3, OwnImages: 10, OwnRepeats: 3, Sessions: 4, Runs: 2},         // nobody has room for one trial more
		{SharedImages: 4, OwnImages: 9, OwnRepeats: 1, SharedRepeats: 1, Sessions: 5}, // one trial each
		{SharedImages: 50, OwnImages: 300, Sessions: 1, Runs: 12, Subjects: 1},        // a session of NSD's length
		{SharedImages: 2, OwnImages: 4, Sessions: 2, Subjects: 8},
	} {
		o := o.withDefaults()
		t.Run(fmt.Sprintf("%d+%d in %d", o.SharedImages, o.OwnImages, o.Sessions), func(t *testing.T) {
			d := newDesign(o)
			if len(d.order) != d.sessions*d.trials {
				t.Fatalf("%d trials in %d sessions of %d", len(d.order), d.sessions, d.trials)
			}
			perRun := 0
			for _, n := range d.runs {
				perRun += n
			}
			if len(d.runs) != o.Runs || perRun != d.trials {
				t.Errorf("runs of %v trials, want %d of %d in all", d.runs, o.Runs, d.trials)
			}
			sessions := map[int][]int{}
			for trial, v := range d.order {
				sessions[v] = append(sessions[v], trial/d.trials)
			}
			for v := range o.SharedImages + o.OwnImages {
				n, want := len(sessions[v]), o.OwnRepeats
				if v < o.SharedImages {
					want = o.SharedRepeats
				}
				if n > 3 || n < want-1 || v < o.SharedImages && n != want {
					t.Errorf("picture %d is shown %d times, want about %d", v, n, want)
				}
				if s := slices.Compact(slices.Sorted(slices.Values(sessions[v]))); len(s) != min(n, d.sessions) {
					t.Errorf("the %d trials of picture %d lie in sessions %v", n, v, sessions[v])
				}
			}
			owners := make([]int, d.images)
			for s := range o.Subjects {
				for _, id := range d.seen(s) {
					owners[id]++
				}
			}
			for id, n := range owners {
				if want := map[bool]int{true: o.Subjects, false: 1}[d.isShared(id)]; n != want {
					t.Errorf("%d subjects see picture %d, want %d", n, id, want)
				}
			}
		})
	}
}

// TestDesignOfFullSize plans NSD itself, without drawing or writing any of it: 8 subjects of 40 sessions of 750 trials in
// 12 runs, 10,000 pictures each, 1,000 of them shared, three times each, out of 73,000.
func TestDesignOfFullSize(t *testing.T) {
	o := Options{Subjects: 8, SharedImages: 1000, OwnImages: 9000, SharedRepeats: 3, OwnRepeats: 3, Sessions: 40, Runs: 12}.withDefaults()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	d := newDesign(o)
	if d.images != 73000 || d.sessions != 40 || d.trials != 750 || len(d.order) != 30000 {
		t.Fatalf("%d images, %d sessions of %d trials, %d in all", d.images, d.sessions, d.trials, len(d.order))
	}
	sum := 0
	for _, n := range d.runs {
		if n != 62 && n != 63 {
			t.Errorf("run of %d trials, want 62 or 63", n)
		}
		sum += n
	}
	if len(d.runs) != 12 || sum != 750 {
		t.Errorf("%d trials in %d runs", sum, len(d.runs))
	}
	shown, sessions := make([]int, 10000), make([]map[int]bool, 10000)
	for trial, v := range d.order {
		if shown[v]++; sessions[v] == nil {
			sessions[v] = map[int]bool{}
		}
		sessions[v][trial/750] = true
	}
	for v, n := range shown {
		if n != 3 || len(sessions[v]) != 3 {
			t.Fatalf("picture %d is shown %d times in %d sessions, want 3 in 3", v, n, len(sessions[v]))
		}
	}
	seen := d.seen(7)
	if !slices.Equal(seen[:1000], d.shared) || len(seen) != 10000 || len(slices.Compact(slices.Sorted(slices.Values(seen)))) != 10000 {
		t.Errorf("the last subject sees %d pictures", len(seen))
	}
	pattern, slots := d.pattern()
	if slots != 75 || len(pattern) != 40*12*75 {
		t.Errorf("stimpattern of %d slots a run, want 75", slots)
	}
	for s := range 40 { // [session, run, slot], first index fastest
		n := 0.0
		for i := s; i < len(pattern); i += 40 {
			n += pattern[i]
		}
		if n != 750 {
			t.Fatalf("stimpattern shows %g pictures in session %d, want 750", n, s+1)
		}
	}
}

func TestPatternHoldsEveryTrial(t *testing.T) {
	d := newDesign(Options{}.withDefaults())
	pattern, slots := d.pattern()
	sum := 0.0
	for _, v := range pattern {
		sum += v
	}
	if int(sum) != len(d.order) || len(pattern) != d.sessions*len(d.runs)*slots {
		t.Errorf("stimpattern shows %g pictures in %d slots, want %d", sum, len(pattern), len(d.order))
	}
}

func TestSceneSeedsAreNotTrainingSeeds(t *testing.T) {
	if sceneSeed < 1_000_000 || uint64(sceneSeed)+9*(1<<16) > 1<<32 {
		t.Errorf("first words from %d on reach the seeds of the training pictures", uint64(sceneSeed))
	}
}
