package metrics

import (
	"fmt"
	"math"
	"slices"
)

// A Direction says what a two-way identification holds fixed and what it chooses from.
// The same pictures score differently in each; published numbers use either.
type Direction int

const (
	// FixOriginal takes an original and asks whether it is more like its own generated
	// picture than like another generated one (Takagi & Nishimoto 2023).
	FixOriginal Direction = iota
	// FixGenerated takes a generated picture and asks whether it is more like its own
	// original than like another one (MindEye, brain-diffuser and most others).
	FixGenerated
	// Symmetric is the mean of both.
	Symmetric
)

func (d Direction) String() string {
	switch d {
	case FixOriginal:
		return "fix-original"
	case FixGenerated:
		return "fix-generated"
	case Symmetric:
		return "symmetric"
	}
	return fmt.Sprintf("Direction(%d)", int(d))
}

// An Identification has the outcome of every two-way choice, also those of wrong pairings,
// from which chance is computed.
type Identification struct {
	N    int
	wins []float64 // [N, N]: fraction of choices won if original i belonged to generated j
}

// Identify makes all two-way choices. A tie is a failure, as is an undefined similarity.
// The cost is O(N² log N).
func (s *Similarity) Identify(d Direction) *Identification {
	id := &Identification{s.N, make([]float64, s.N*s.N)}
	if d == FixOriginal || d == Symmetric {
		for i := range s.N {
			wins(s.Data[i*s.N:(i+1)*s.N], func(j int, won float64) { id.wins[i*s.N+j] += won })
		}
	}
	if d == FixGenerated || d == Symmetric {
		column := make([]float64, s.N)
		for j := range s.N {
			for i := range column {
				column[i] = s.At(i, j)
			}
			wins(column, func(i int, won float64) { id.wins[i*s.N+j] += won })
		}
	}
	if d == Symmetric {
		for i := range id.wins {
			id.wins[i] /= 2
		}
	}
	return id
}

// wins reports for each value the fraction of the other values that are smaller.
func wins(values []float64, set func(i int, won float64)) {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(sorted)
	for i, v := range values {
		smaller := 0
		if !math.IsNaN(v) {
			smaller, _ = slices.BinarySearch(sorted, v)
		}
		set(i, float64(smaller)/float64(len(values)-1))
	}
}

// PerImage returns for every image the fraction of two-way choices that come out right.
func (id *Identification) PerImage() []float64 {
	acc := make([]float64, id.N)
	for i := range acc {
		acc[i] = id.wins[i*id.N+i]
	}
	return acc
}

// Accuracy is the mean of PerImage; chance is ½.
func (id *Identification) Accuracy() float64 {
	sum := 0.0
	for i := range id.N {
		sum += id.wins[i*id.N+i]
	}
	return sum / float64(id.N)
}

// Permuted returns the accuracy that would be found if original i belonged to generated
// picture pairing[i]. Over random pairings this is the distribution under chance: the
// N(N−1) choices depend on one another, so a binomial test over them is wrong.
func (id *Identification) Permuted(pairing []int) float64 {
	sum := 0.0
	for i, j := range pairing {
		sum += id.wins[i*id.N+j]
	}
	return sum / float64(id.N)
}

// Ranks returns for every generated picture the rank of its own original among all of them
// by similarity: 0 is best. Originals that tie with the right one rank before it.
func (s *Similarity) Ranks() []int {
	ranks := make([]int, s.N)
	for j := range ranks {
		own := s.At(j, j)
		for i := range s.N {
			if i != j && !(s.At(i, j) < own) {
				ranks[j]++
			}
		}
	}
	return ranks
}

// Best returns for every generated picture the index of the most similar original.
func (s *Similarity) Best() []int {
	best := make([]int, s.N)
	for j := range best {
		top := math.Inf(-1)
		for i := range s.N {
			if v := s.At(i, j); v > top {
				top, best[j] = v, i
			}
		}
	}
	return best
}
