package sim

import (
	"math"
	"slices"
	"testing"
)

// measure scans a small subject and returns its betas [voxel][trial] and the scan.
func measure(t *testing.T, o Options) ([][]int16, *scan) {
	t.Helper()
	b, d, responses := smallBrain(t, o, 0)
	var sessions []session
	for i := range d.sessions {
		sessions = append(sessions, b.newSession(i, d.trials))
	}
	s := newScan(b, d, sessions, responses)
	var betas [][]int16
	for v := range b.brain {
		row := make([]int16, len(d.order))
		s.row(row, v, 1)
		betas = append(betas, row)
	}
	return betas, s
}

func TestMeasuredNCSNRIsTheStatedOne(t *testing.T) {
	o := small
	o.OwnImages, o.OwnRepeats = 80, 3
	_, s := measure(t, o)
	var stated, got []float64
	for _, v := range s.visual {
		if v != s.dead {
			stated, got = append(stated, s.brain.ncsnr[v]), append(got, float64(s.ncsnr[v]))
		}
	}
	if m, w := mean(got), mean(stated); math.Abs(m-w) > 0.04 {
		t.Errorf("mean ncsnr measured %.3f, stated %.3f", m, w)
	}
	if r := pearson(stated, got); r < 0.9 {
		t.Errorf("measured and stated ncsnr correlate by %.3f only", r)
	}
	if !math.IsNaN(float64(s.ncsnr[s.dead])) {
		t.Errorf("the dead voxel has ncsnr %g, want NaN", s.ncsnr[s.dead])
	}
	for v, inside := range s.brain.brain {
		if !inside && s.ncsnr[v] != 0 {
			t.Fatalf("ncsnr %g outside the brain", s.ncsnr[v])
		}
	}
}

// By hand: two pictures with two repeats each in one session.
func TestEstimateNCSNR(t *testing.T) {
	groups := [][]int{{0, 1}, {2, 3}}
	for _, c := range []struct {
		name  string
		betas []int16
		want  float64
	}{
		// z = -1, -1, 1, 1: no noise at all.
		{"perfect", []int16{-300, -300, 300, 300}, math.Inf(1)},
		// z = ±3/√5, ±1/√5: variance over repeats 0.4 in both, so √(0.6/0.4).
		{"noisy", []int16{-300, -100, 100, 300}, math.Sqrt(1.5)},
		{"nothing but noise", []int16{-300, 300, -300, 300}, 0},
		{"constant", []int16{5, 5, 5, 5}, math.NaN()},
	} {
		got := estimateNCSNR(c.betas, 4, groups, make([]float64, 4))
		if math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%s: ncsnr %g, want %g", c.name, got, c.want)
		}
	}
}

// Betas of two trials of the same picture agree in a brain that sees, by chance in one that does not.
func TestNullBrainSeesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		null bool
		ok   func(r float64) bool
		want string
	}{
		{"seeing", false, func(r float64) bool { return r > 0.15 }, "more than 0.15"},
		// 280 voxels with 48 to 56 pairs each: the mean correlation has a standard error below 0.02
		// with the shared noise.
		{"null", true, func(r float64) bool { return math.Abs(r) < 0.06 }, "0 within 0.06"},
	} {
		o := small
		o.Null = c.null
		betas, s := measure(t, o)
		var r []float64
		for _, v := range s.visual {
			if v == s.dead {
				continue
			}
			var first, second []float64
			for _, trials := range s.groups {
				first = append(first, float64(betas[v][trials[0]]))
				second = append(second, float64(betas[v][trials[1]]))
			}
			r = append(r, pearson(first, second))
		}
		if m := mean(r); !c.ok(m) {
			t.Errorf("%s: responses to repeats correlate by %.3f, want %s", c.name, m, c.want)
		}
	}
}

// The null brain has the noise of the seeing one, sample for sample.
func TestNullBrainHasTheSameNoise(t *testing.T) {
	o := small
	seeing, s := measure(t, o)
	o.Null = true
	null, _ := measure(t, o)
	for v := range s.brain.brain {
		if s.streams[v] <= 0 && !slices.Equal(seeing[v], null[v]) {
			t.Fatalf("voxel %d sees nothing and differs all the same", v)
		}
	}
}

func TestBetasLookLikeNSD(t *testing.T) {
	betas, s := measure(t, small)
	levels := map[int]float64{}
	for v, row := range betas {
		zero := !slices.ContainsFunc(row, func(b int16) bool { return b != 0 })
		if want := !s.brain.brain[v] || v == s.dead; zero != want {
			t.Fatalf("voxel %d: all betas 0 is %v, want %v", v, zero, want)
		}
		if s.streams[v] > 0 {
			for i, b := range row {
				levels[i/s.design.trials] += float64(b) / betasPerPercent
			}
		}
	}
	for session, sum := range levels {
		if m := sum / float64(len(s.visual)*s.design.trials); m < 0.5 || m > 2 {
			t.Errorf("session %d: mean response of visual voxels %.2f percent, want about 1", session, m)
		}
	}
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

func pearson(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	var xy, xx, yy float64
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}
