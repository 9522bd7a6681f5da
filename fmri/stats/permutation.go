package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
)

// A Null is the distribution of a score when there is nothing to find.
type Null struct {
	Scores []float64 // ascending
	level  float64
}

// Interval returns the central interval of the null distribution at the level it was made
// with: a score inside is what chance gives.
func (n *Null) Interval() Interval { return central(n.Scores, n.level) }

// P returns the one-sided p-value of an observed score: (1 + number of null scores at
// least as high) / (1 + number of null scores). It is never 0, and NaN where the score is.
// Scores that differ by rounding alone (2·10⁻¹⁴ of the observed one) are as high.
func (n *Null) P(observed float64) float64 {
	if math.IsNaN(observed) {
		return observed
	}
	below := sort.Search(len(n.Scores), func(i int) bool { return atLeast(n.Scores[i], observed) })
	return float64(1+len(n.Scores)-below) / float64(1+len(n.Scores))
}

// PermuteImages returns the distribution of a score over random pairings of n images: the
// score gets pairing, a permutation of 0 … n−1 that it must not keep, and takes generated
// picture pairing[i] for that of original i. Chance of two-way identification is
//
//	stats.PermuteImages(id.N, stats.Resampling{}, id.Permuted)
//
// and not a binomial over the N(N−1) choices, which are not independent.
func PermuteImages(n int, r Resampling, score func(pairing []int) float64) (*Null, error) {
	r, err := r.withDefaults()
	if err != nil {
		return nil, err
	}
	if n < 2 {
		return nil, fmt.Errorf("stats: %d images, expected at least 2 to permute", n)
	}
	random := rand.New(rand.NewPCG(r.Seed, permutationStream))
	pairing := make([]int, n)
	for i := range pairing {
		pairing[i] = i
	}
	scores := make([]float64, r.Samples)
	for s := range scores {
		random.Shuffle(n, func(i, j int) { pairing[i], pairing[j] = pairing[j], pairing[i] })
		scores[s] = score(pairing)
	}
	return NewNull(scores, r)
}

// BlockOrders returns random orders of n blocks, one for each resample.
func BlockOrders(n int, r Resampling) ([][]int, error) {
	r, err := r.withDefaults()
	if err != nil {
		return nil, err
	}
	if n < 2 {
		return nil, fmt.Errorf("stats: %d blocks, expected at least 2 to permute", n)
	}
	random := rand.New(rand.NewPCG(r.Seed, permutationStream))
	orders := make([][]int, r.Samples)
	for i := range orders {
		orders[i] = random.Perm(n)
	}
	return orders, nil
}

// A BlockTest is the outcome of a permutation test, one entry per target.
type BlockTest struct {
	Observed []float64   // score, of PermuteBlocks the correlation; NaN if undefined (one is constant)
	Count    []int       // orders whose score is at least the observed one, up to rounding
	P        []float64   // (1 + Count) / (1 + number of orders); NaN if undefined
	Null     [][]float64 // [orders][targets]
}

// PermuteBlocks correlates predicted with truth whose rows are put into other orders,
// block by block, so that the dependence of neighbouring rows (volumes of one run) stays.
//
//	truth, predicted  [rows, targets]
//	block             rows of a block; the last one may be shorter
//	orders            each a permutation of the blocks
func PermuteBlocks(truth, predicted []float32, rows, targets, block int, orders [][]int) (*BlockTest, error) {
	if rows < 2 || targets < 1 || len(truth) != rows*targets || len(predicted) != rows*targets {
		return nil, fmt.Errorf("stats: %d and %d values, expected %d×%d each", len(truth), len(predicted), rows, targets)
	}
	if block < 1 || block > rows {
		return nil, fmt.Errorf("stats: blocks of %d rows, expected 1 to %d", block, rows)
	}
	blocks := (rows + block - 1) / block
	a, b := unitColumns(truth, rows, targets), unitColumns(predicted, rows, targets)
	same := make([]int, rows)
	for i := range same {
		same[i] = i
	}
	t := &BlockTest{Observed: columnProducts(a, b, same, targets), Count: make([]int, targets), P: make([]float64, targets)}
	for o, ofBlocks := range orders {
		order, err := rowsOf(ofBlocks, blocks, block, rows)
		if err != nil {
			return nil, fmt.Errorf("stats: order %d: %w", o, err)
		}
		r := columnProducts(a, b, order, targets)
		for j := range r {
			if atLeast(r[j], t.Observed[j]) {
				t.Count[j]++
			}
		}
		t.Null = append(t.Null, r)
	}
	t.finish(len(orders))
	return t, nil
}

// PermuteRows is PermuteBlocks for any orders of the rows, each a permutation of them: those of CircularShifts, say.
func PermuteRows(truth, predicted []float32, rows, targets int, orders [][]int) (*BlockTest, error) {
	return PermuteBlocks(truth, predicted, rows, targets, 1, orders)
}

// rowsOf lists the rows of the blocks in the given order.
func rowsOf(order []int, blocks, block, rows int) ([]int, error) {
	index := make([]int, 0, rows)
	seen := make([]bool, blocks)
	for _, b := range order {
		if b < 0 || b >= blocks || seen[b] {
			return nil, notPermutation(order, blocks, block)
		}
		seen[b] = true
		for i := b * block; i < min((b+1)*block, rows); i++ {
			index = append(index, i)
		}
	}
	if len(index) != rows {
		return nil, notPermutation(order, blocks, block)
	}
	return index, nil
}

func notPermutation(order []int, blocks, block int) error {
	what := "blocks"
	if block == 1 {
		what = "rows"
	}
	if len(order) > 20 {
		return fmt.Errorf("%d numbers are not a permutation of %d %s", len(order), blocks, what)
	}
	return fmt.Errorf("%v is not a permutation of %d %s", order, blocks, what)
}

// unitColumns brings every column to mean 0 and length 1, or NaN if it is constant.
func unitColumns(x []float32, rows, cols int) []float64 {
	z := make([]float64, len(x))
	for j := range cols {
		first := float64(x[j]) // deviations of a constant column are then exactly 0
		mean := 0.0
		for i := range rows {
			mean += float64(x[i*cols+j]) - first
		}
		mean /= float64(rows)
		sum := 0.0
		for i := range rows {
			d := float64(x[i*cols+j]) - first - mean
			z[i*cols+j] = d
			sum += d * d
		}
		length := math.Sqrt(sum)
		for i := range rows {
			z[i*cols+j] /= length // 0/0 is NaN
		}
	}
	return z
}

// columnProducts returns Σ a[index[i], j]·b[i, j] over rows.
func columnProducts(a, b []float64, index []int, cols int) []float64 {
	sum := make([]float64, cols)
	for i, from := range index {
		ai, bi := a[from*cols:(from+1)*cols], b[i*cols:(i+1)*cols]
		for j := range sum {
			sum[j] += ai[j] * bi[j]
		}
	}
	return sum
}
