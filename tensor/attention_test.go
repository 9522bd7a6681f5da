package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// refProbs is the definition of AttentionProbs, refAttention of Attention.
func refProbs(q, k []float32, s AttentionShape) []float64 {
	c := s.Heads * s.HeadDim
	p := make([]float64, s.N*s.Heads*s.Tq*s.Tk)
	for n := range s.N {
		for h := range s.Heads {
			for i := range s.Tq {
				row := p[((n*s.Heads+h)*s.Tq+i)*s.Tk:][:s.Tk]
				sum, top := 0.0, math.Inf(-1)
				seen := s.Tk
				if s.Causal {
					seen = min(seen, i+1)
				}
				for j := range row[:seen] {
					dot := 0.0
					for d := range s.HeadDim {
						dot += float64(q[(n*s.Tq+i)*c+h*s.HeadDim+d]) * float64(k[(n*s.Tk+j)*c+h*s.HeadDim+d])
					}
					row[j] = dot / math.Sqrt(float64(s.HeadDim))
					top = max(top, row[j])
				}
				for j := range row[:seen] {
					row[j] = math.Exp(row[j] - top)
					sum += row[j]
				}
				for j := range row[:seen] {
					row[j] /= sum
				}
			}
		}
	}
	return p
}

func refAttention(q, k, v []float32, s AttentionShape) []float64 {
	c := s.Heads * s.HeadDim
	p := refProbs(q, k, s)
	y := make([]float64, s.N*s.Tq*c)
	for n := range s.N {
		for h := range s.Heads {
			for i := range s.Tq {
				for j, w := range p[((n*s.Heads+h)*s.Tq+i)*s.Tk:][:s.Tk] {
					for d := range s.HeadDim {
						y[(n*s.Tq+i)*c+h*s.HeadDim+d] += w * float64(v[(n*s.Tk+j)*c+h*s.HeadDim+d])
					}
				}
			}
		}
	}
	return y
}

// attentionInput draws q, k and v.
func attentionInput(r *rand.Rand, s AttentionShape) (q, k, v []float32) {
	c := s.Heads * s.HeadDim
	return random(r, s.N*s.Tq*c), random(r, s.N*s.Tk*c), random(r, s.N*s.Tk*c)
}

// attended is Attention with a result and workspace of its own, full of NaN before.
func attended(q, k, v []float32, s AttentionShape) []float32 {
	y, scratch := make([]float32, s.N*s.Tq*s.Heads*s.HeadDim), make([]float32, AttentionScratch(s))
	for i := range y {
		y[i] = float32(math.NaN())
	}
	for i := range scratch {
		scratch[i] = float32(math.NaN())
	}
	Attention(y, q, k, v, scratch, s)
	return y
}

func checkAttention(t *testing.T, r *rand.Rand, s AttentionShape) {
	t.Helper()
	q, k, v := attentionInput(r, s)
	near(t, fmt.Sprintf("%+v", s), attended(q, k, v, s), refAttention(q, k, v, s), 1e-6)
	p := make([]float32, s.N*s.Heads*s.Tq*s.Tk)
	AttentionProbs(p, q, k, s)
	near(t, fmt.Sprintf("probs %+v", s), p, refProbs(q, k, s), 1e-6)
}

// Heads of the models' widths; one, two and many blocks of keys; widths that are cut into several sums.
func TestAttention(t *testing.T) {
	shapes := []AttentionShape{
		{1, 1, 1, 1, 1, false}, {1, 5, 7, 2, 3, false}, {2, 16, 77, 2, 8, false}, {1, 49, 49, 2, 40, false},
		{1, 77, 77, 3, 16, true}, {2, 9, 9, 1, 5, true}, {1, 30, 30, 1, 160, false}, {1, 33, 65, 1, 80, false}, {1, 20, 40, 1, 512, false},
		{1, 150, 400, 1, 64, false}, {1, 600, 600, 1, 4, true}, {1, 40, 300, 1, 513, false}, {1, 301, 301, 2, 24, true},
		{2, 1, 1000, 2, 10, false}, {1, 300, 1, 2, 12, false}, {1, 21, 30, 1, 1100, true},
	}
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range shapes {
			checkAttention(t, r, s)
		}
	})
}

// Every count of queries up to a few panels, with counts of keys and widths of no common divisor.
func TestAttentionTails(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for tq := 1; tq <= 70; tq++ {
			tk, d := 1+(tq*11)%53, 1+(tq*7)%19
			checkAttention(t, r, AttentionShape{1 + tq%2, tq, tk, 1 + tq%3, d, false})
			checkAttention(t, r, AttentionShape{1, tq, tq, 1 + tq%3, d, true})
		}
	})
}

// Scores that are whole numbers have no rounding error, so the weights have to be as good where scores differ by
// thousands, and where the largest comes first, last or anywhere between.
func TestAttentionLargeScores(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, most := range []int{3, 30, 300, 3000} {
			for order := range 3 {
				s := AttentionShape{1, 37, 333, 2, 4, order == 2}
				if s.Causal {
					s.Tq = s.Tk
				}
				q, k, v := attentionInput(r, s)
				for i := range q {
					q[i] = float32(r.IntN(5) - 2)
				}
				for i := range k {
					k[i] = float32(r.IntN(2*most+1) - most)
					if order == 1 { // scores grow from key to key
						k[i] = float32(i / (s.Heads * s.HeadDim) * most / s.Tk)
					}
				}
				near(t, fmt.Sprintf("scores to %d, order %d", most, order), attended(q, k, v, s), refAttention(q, k, v, s), 1e-6)
			}
		}
	})
}

// A score far above the others takes all the weight; they may underflow, whichever block they are in.
func TestAttentionOneKey(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		s := AttentionShape{1, 40, 400, 1, 4, false}
		q, k, v := attentionInput(r, s)
		for i := range q {
			q[i] = 1
		}
		for _, far := range []float32{100, 1e4, 1e30} {
			for _, at := range []int{0, 143, 144, 250, 399} {
				for i := range k {
					k[i] = -far
				}
				for i := range s.HeadDim {
					k[at*s.HeadDim+i] = far
				}
				for i, got := range attended(q, k, v, s) {
					if want := v[at*s.HeadDim+i%s.HeadDim]; math.Abs(float64(got-want)) > 2e-7*math.Abs(float64(want)) {
						t.Fatalf("key %d above the rest by %g: [%d] = %v, want %v", at, 2*far, i, got, want)
					}
				}
			}
		}
	})
}

// A query's result must not depend on which other queries are computed with it, nor on other heads and sequences.
func TestAttentionBits(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		s := AttentionShape{2, 83, 170, 3, 20, false}
		q, k, v := attentionInput(r, s)
		want := attended(q, k, v, s)
		c := s.Heads * s.HeadDim
		for n := range s.N {
			for _, cut := range [][2]int{{0, 1}, {1, 18}, {18, 83}, {50, 53}} {
				part := AttentionShape{1, cut[1] - cut[0], s.Tk, s.Heads, s.HeadDim, false}
				from, to := (n*s.Tq+cut[0])*c, (n*s.Tq+cut[1])*c
				for i, got := range attended(q[from:to], k[n*s.Tk*c:][:s.Tk*c], v[n*s.Tk*c:][:s.Tk*c], part) {
					if got != want[from+i] {
						t.Fatalf("sequence %d, queries %v: [%d] = %v, among all %v", n, cut, i, got, want[from+i])
					}
				}
			}
		}
	})
}

// NaN in one query or key stays with those that see it.
func TestAttentionNaN(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		s := AttentionShape{1, 50, 50, 2, 6, true}
		q, k, v := attentionInput(r, s)
		c := s.Heads * s.HeadDim
		q[7*c] = float32(math.NaN())      // head 0
		k[30*c+c-1] = float32(math.NaN()) // head 1
		y := attended(q, k, v, s)
		for i := range s.Tq {
			for h := range s.Heads {
				want := h == 0 && i == 7 || h == 1 && i >= 30
				if got := y[i*c+h*s.HeadDim]; (got != got) != want {
					t.Fatalf("query %d, head %d: %v, NaN expected: %v", i, h, got, want)
				}
			}
		}
	})
}
