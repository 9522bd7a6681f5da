package stats

import (
	"fmt"
	"math/rand/v2"
)

// Further streams of random numbers, see bootstrapStream.
const (
	withinStream = 0x7769746e
	shiftStream  = 0x73686966
)

// WithinGroups returns random orders of len(group) items, one for each resample, in which items change places with items of
// their own group only: of blocks of stimuli within their run, which keeps what differs between runs out of the null
// distribution. Item i of an order is the item that takes the place of i.
//
// What changes places has to be exchangeable under the hypothesis: blocks of stimuli with a pause between them, not the
// volumes of a block.
func WithinGroups(group []int, r Resampling) ([][]int, error) {
	r, err := r.withDefaults()
	if err != nil {
		return nil, err
	}
	members := make(map[int][]int)
	var seen []int // groups in order of appearance: the order of a map is not the same twice
	for i, g := range group {
		if members[g] == nil {
			seen = append(seen, g)
		}
		members[g] = append(members[g], i)
	}
	if len(seen) == len(group) {
		return nil, fmt.Errorf("stats: %d items in %d groups, expected a group of at least 2 to permute", len(group), len(seen))
	}
	random := rand.New(rand.NewPCG(r.Seed, withinStream))
	orders := make([][]int, r.Samples)
	for s := range orders {
		order := make([]int, len(group))
		for _, g := range seen {
			m := members[g]
			for i, from := range random.Perm(len(m)) {
				order[m[i]] = m[from]
			}
		}
		orders[s] = order
	}
	return orders, nil
}

// CircularShifts returns random orders of rows, one for each resample, in which the rows of each run are rotated by a
// number of their own, each from 0 to the run's length − 1 alike. A rotated series keeps its autocorrelation but where its
// ends are joined, and a periodic design its period; only its phase is lost. It assumes that a run is stationary, so trends
// have to be removed before.
//
//	run  of each row; rows of a run follow one another
func CircularShifts(run []int, r Resampling) ([][]int, error) {
	r, err := r.withDefaults()
	if err != nil {
		return nil, err
	}
	var starts []int
	for i := range run {
		if i == 0 || run[i] != run[i-1] {
			starts = append(starts, i)
		}
	}
	if len(run) < 2 {
		return nil, fmt.Errorf("stats: %d rows, expected at least 2 to shift", len(run))
	}
	starts = append(starts, len(run))
	random := rand.New(rand.NewPCG(r.Seed, shiftStream))
	orders := make([][]int, r.Samples)
	for s := range orders {
		order := make([]int, len(run))
		for k, from := range starts[:len(starts)-1] {
			n := starts[k+1] - from
			shift := random.IntN(n)
			for i := range n {
				order[from+i] = from + (i+shift)%n
			}
		}
		orders[s] = order
	}
	return orders, nil
}
