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
