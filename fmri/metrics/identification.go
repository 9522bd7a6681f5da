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

// Identify makes all two-way choices. A tie is a failure, as is an undefined similarity: the rule of published code.
// The cost is O(N² log N).
func (s *Similarity) Identify(d Direction) *Identification { return s.identify(d, 0) }

// IdentifyTies is Identify with half of a choice won where it is a tie or undefined, as guessing would. Where predictions vary, ties do not
// happen and both agree; predictions that are all alike have 0 % by the published rule and 50 % by this one.
func (s *Similarity) IdentifyTies(d Direction) *Identification { return s.identify(d, 0.5) }

// Ties returns how many images have no other choice than ties: every generated picture is as similar to the original, or
// every original to the generated picture, as its own.
func (s *Similarity) Ties(d Direction) int {
	n := 0
	for i := range s.N {
		alike := s.N > 1
		for j := range s.N {
			other := s.At(i, j)
			if d == FixGenerated {
				other = s.At(j, i)
			}
			alike = alike && other == s.At(i, i)
		}
		if alike {
			n++
		}
	}
	return n
}

func (s *Similarity) identify(d Direction, tie float64) *Identification {
	id := &Identification{s.N, make([]float64, s.N*s.N)}
	if d == FixOriginal || d == Symmetric {
		for i := range s.N {
			wins(s.Data[i*s.N:(i+1)*s.N], tie, func(j int, won float64) { id.wins[i*s.N+j] += won })
		}
	}
	if d == FixGenerated || d == Symmetric {
		column := make([]float64, s.N)
		for j := range s.N {
			for i := range column {
				column[i] = s.At(i, j)
			}
			wins(column, tie, func(i int, won float64) { id.wins[i*s.N+j] += won })
		}
	}
	if d == Symmetric {
		for i := range id.wins {
			id.wins[i] /= 2
		}
	}
	return id
}

// wins reports for each value the fraction of the other values that are smaller, ties counted as so much of one.
func wins(values []float64, tie float64, set func(i int, won float64)) {
	sorted := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	slices.Sort(sorted)
	for i, v := range values {
		undefined := len(values) - len(sorted)
		won := tie * float64(len(values)-1)
		if !math.IsNaN(v) {
			smaller, _ := slices.BinarySearch(sorted, v)
			upTo, _ := slices.BinarySearchFunc(sorted, v, func(x, v float64) int {
				if x <= v {
					return -1
				}
				return 1
			})
			won = float64(smaller) + tie*float64(upTo-smaller-1+undefined)
		}
		set(i, won/float64(len(values)-1))
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
