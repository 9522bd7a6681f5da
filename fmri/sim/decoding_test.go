package sim

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Early cortex tells where, higher cortex tells what, and a brain that does not see tells nothing.
func TestWhatAndWhereCanBeDecoded(t *testing.T) {
	o := Options{
		SharedImages: 40, OwnImages: 240, Sessions: 4, Shape: [3]int{18, 20, 16}, Subjects: 1,
		EarlyVoxels: 500, MidVoxels: 10, HigherVoxels: 200,
	}.withDefaults()
	d := newDesign(o)
	stimuli, err := drawStimuli(context.Background(), o, d.images, func() {})
	if err != nil {
		t.Fatal(err)
	}
	var seen []stimulus
	for _, id := range d.seen(0) {
		seen = append(seen, stimuli[id])
	}
	where, what := layouts(seen), contents(seen)
	for _, null := range []bool{false, true} {
		o.Null = null
		b, responses, err := newBrain(context.Background(), o, 0, seen)
		if err != nil {
			t.Fatal(err)
		}
		early, higher := averages(b, d, responses)
		score := map[string]float64{
			"where from early":  decode(early, where, o.SharedImages),
			"where from higher": decode(higher, where, o.SharedImages),
			"what from early":   decode(early, what, o.SharedImages),
			"what from higher":  decode(higher, what, o.SharedImages),
		}
		t.Logf("null %v: %v", null, score)
		if null {
			// 40 pictures: the standard error of an identification score is about 0.045, more where
			// a few dimensions carry the target.
			for name, s := range score {
				if math.Abs(s-0.5) > 0.15 {
					t.Errorf("null brain: %s identifies %.2f of the pairs, want chance", name, s)
				}
			}
			continue
		}
		for name, ok := range map[string]bool{
			"where from early above 0.8":            score["where from early"] > 0.8,
			"where from higher below early by 0.12": score["where from higher"] < score["where from early"]-0.12,
			"what from higher above 0.9":            score["what from higher"] > 0.9,
			"what from early below higher":          score["what from early"] < score["what from higher"],
		} {
			if !ok {
				t.Errorf("not true: %s; scores %v", name, score)
			}
		}
	}
}

// layouts is the luminance of each picture on a 12×12 grid less the mean of each row: what stands
// left, what right, without the light, the sky and the ground.
func layouts(seen []stimulus) *mat.Dense {
	const n = 12
	x := mat.NewDense(len(seen), n*n, nil)
	for i, s := range seen {
		row := x.RawRowView(i)
		for at, c := range s.maps {
			row[at/mapSize/2*n+at%mapSize/2] += float64(c[onLuminance]-c[offLuminance]) / 4
		}
		for j := range n {
			line := row[j*n : (j+1)*n]
			m := mean(line)
			for k := range line {
				line[k] -= m
			}
		}
	}
	return x
}

// contents is the kinds of things in each picture.
func contents(seen []stimulus) *mat.Dense {
	const kinds = 12 // the first labels of a scene
	x := mat.NewDense(len(seen), kinds, nil)
	for i, s := range seen {
		for j := range kinds {
			x.Set(i, j, float64(s.labels[j]))
		}
	}
	return x
}

// averages is the mean response over the trials of each picture, z-scored by session, of early and
// of higher voxels.
func averages(b *brain, d *design, responses [][]float32) (earlyX, higherX *mat.Dense) {
	var sessions []session
	for i := range d.sessions {
		sessions = append(sessions, b.newSession(i, d.trials))
	}
	s := newScan(b, d, sessions, responses)
	count := map[bool]int{}
	for _, v := range b.visual {
		count[b.streams[v] == early]++
	}
	earlyX, higherX = mat.NewDense(len(responses), count[true], nil), mat.NewDense(len(responses), count[false], nil)
	next := map[*mat.Dense]int{}
	betas, z := make([]int16, len(d.order)), make([]float64, len(d.order))
	for _, v := range b.visual {
		x := higherX
		if b.streams[v] == early {
			x = earlyX
		}
		column := next[x]
		next[x]++
		s.row(betas, v, 1)
		if v == b.dead {
			continue
		}
		estimateNCSNR(betas, d.trials, s.groups, z) // standardises into z
		for i, trials := range s.groups {
			for _, trial := range trials {
				x.Set(i, column, x.At(i, column)+z[trial]/float64(len(trials)))
			}
		}
	}
	return earlyX, higherX
}

// decode fits ridge regression in its dual form on the rows after the first test ones and returns
// how often a predicted test row is more like its own target than like another's.
func decode(x, y *mat.Dense, test int) float64 {
	n, p := x.Dims()
	_, q := y.Dims()
	trainX, testX := x.Slice(test, n, 0, p), x.Slice(0, test, 0, p)
	mu := make([]float64, q)
	centred := mat.DenseCopyOf(y)
	for j := range q {
		mu[j] = mean(mat.Col(nil, j, y.Slice(test, n, 0, q)))
		for i := range n {
			centred.Set(i, j, y.At(i, j)-mu[j])
		}
	}
	gram := mat.NewSymDense(n-test, nil)
	gram.SymOuterK(1, trainX)
	for i := range n - test {
		gram.SetSym(i, i, gram.At(i, i)+float64(p)) // penalty: about the noise of p averaged voxels
	}
	var chol mat.Cholesky
	chol.Factorize(gram)
	var dual, weights, hat mat.Dense
	if err := chol.SolveTo(&dual, centred.Slice(test, n, 0, q)); err != nil {
		return math.NaN()
	}
	weights.Mul(trainX.T(), &dual)
	hat.Mul(testX, &weights)
	hits := 0
	for i := range test {
		own := pearson(hat.RawRowView(i), centred.RawRowView(i))
		for j := range test {
			if j != i && own > pearson(hat.RawRowView(i), centred.RawRowView(j)) {
				hits++
			}
		}
	}
	return float64(hits) / float64(test*(test-1))
}
