package ridge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Search tries weights of several bands of features, or of several kernels: with weights
// γ on the simplex, band k is scaled by √γₖ and kernel k by γₖ, and a penalty is chosen as by
// FitCV. Each target keeps the best candidate; of equal ones the first.
type Search struct {
	// Gammas are the candidates [candidates][bands], 0 or more each. nil: Candidates random ones.
	Gammas [][]float64
	// Candidates is how many are drawn; 0 means 100. The first has equal weights.
	Candidates int
	// Concentration are parameters of the Dirichlet distribution that they are drawn from, in
	// turn; below 1 the simplex's corners are preferred. nil means 0.1 and 1.
	Concentration []float64
	Seed          uint64
}

// Source of the defaults and of the rule for ties: himalaya's random search, Dupré la Tour et
// al. 2022, doi:10.1016/j.neuroimage.2022.119728.

// candidates returns the weights to try for that many bands.
func (s Search) candidates(bands int) ([][]float64, error) {
	if s.Gammas != nil {
		if len(s.Gammas) == 0 {
			return nil, errors.New("ridge: an empty list of candidate weights")
		}
		for i, g := range s.Gammas {
			if len(g) != bands {
				return nil, fmt.Errorf("ridge: candidate %d has %d weights, expected one for each of %d bands", i, len(g), bands)
			}
			sum := 0.0
			for _, v := range g {
				if !(v >= 0) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("ridge: candidate %d has the weight %v, expected 0 or a positive number", i, v)
				}
				sum += v
			}
			if !(sum > 0) {
				return nil, fmt.Errorf("ridge: candidate %d has no weight above 0", i)
			}
		}
		return s.Gammas, nil
	}
	n := s.Candidates
	if n == 0 {
		n = 100
	}
	if n < 0 {
		return nil, fmt.Errorf("ridge: %d candidates, expected 1 or more", n)
	}
	concentration := s.Concentration
	if len(concentration) == 0 {
		concentration = []float64{0.1, 1}
	}
	for _, c := range concentration {
		if !(c > 0) {
			return nil, fmt.Errorf("ridge: concentration %v, expected a positive number", c)
		}
	}
	src := rand.NewPCG(s.Seed, 0)
	gammas := make([][]float64, n)
	for i := range gammas {
		gammas[i] = dirichlet(bands, concentration[i%len(concentration)], src)
	}
	for k := range gammas[0] {
		gammas[0][k] = 1 / float64(bands)
	}
	return gammas, nil
}

// dirichlet draws from the symmetric distribution; an infinite concentration is its centre.
func dirichlet(bands int, concentration float64, src rand.Source) []float64 {
	g := make([]float64, bands)
	sum := 0.0
	for sum == 0 {
		for k := range g {
			g[k] = 1
			if !math.IsInf(concentration, 1) {
				g[k] = distuv.Gamma{Alpha: concentration, Beta: 1, Src: src}.Rand()
			}
			sum += g[k]
		}
	}
	for k := range g {
		g[k] /= sum
	}
	return g
}

// found is the best candidate of every target.
type found struct {
	gamma  []int     // which of the candidates
	alphas []float64 // the penalty with it
	scores []float64
	each   [][]float64 // [candidates][targets] the best score of each
	tables [][]float64 // [candidates][penalties·targets] of all scores
}

// search tries all candidates. weight turns one into the factors that the form expects.
func (p *problem[E]) search(ctx context.Context, gammas [][]float64, weight func([]float64) []float64) (*found, error) {
	grid, targets, units := p.opt.Alphas, p.y.Cols, p.opt.units(p.y)
	if p.opt.Global {
		unit := mean(units)
		for t := range units {
			units[t] = unit
		}
	}
	f := &found{gamma: make([]int, targets), alphas: make([]float64, targets), scores: make([]float64, targets)}
	top := make([]float64, targets)
	for t := range top {
		top[t] = math.Inf(-1)
	}
	for g, gamma := range gammas {
		table, err := p.crossValidate(ctx, weight(gamma))
		if err != nil {
			return nil, err
		}
		best := choose(table, grid, units, p.opt.Global)
		scores, compared := make([]float64, targets), make([]float64, targets)
		for t, a := range best {
			scores[t] = table[a*targets+t]
			if units[t] > 0 {
				compared[t] = scores[t] + tie*units[t]*math.Log(grid[a])
			}
		}
		f.each, f.tables = append(f.each, scores), append(f.tables, table)
		if p.opt.Global {
			all := 0.0
			for _, v := range compared {
				all += v / float64(targets)
			}
			for t := range compared {
				compared[t] = all
			}
		}
		for t, a := range best {
			if compared[t] > top[t]+0x1p-52*units[t] {
				top[t], f.gamma[t], f.alphas[t], f.scores[t] = compared[t], g, grid[a], scores[t]
			}
		}
	}
	return f, nil
}

// refit solves for all rows with the candidate and penalty of each target, and calls solved
// with batches of weights of the targets columns.
func (p *problem[E]) refit(ctx context.Context, f *found, gammas [][]float64, weight func([]float64) []float64,
	solved func(w dense, weight []float64, columns []int)) error {
	for g, gamma := range gammas {
		var columns []int
		var alphas []float64
		for t, of := range f.gamma {
			if of == g {
				columns, alphas = append(columns, t), append(alphas, f.alphas[t])
			}
		}
		if columns == nil {
			continue
		}
		factors := weight(gamma)
		err := p.weights(ctx, factors, columns, alphas, func(w dense, lo, hi int) { solved(w, factors, columns[lo:hi]) })
		if err != nil {
			return err
		}
	}
	return nil
}

// deltas returns ln(γ/α) for every band and target.
func (f *found) deltas(gammas [][]float64) dense {
	bands, targets := len(gammas[0]), len(f.gamma)
	d := newDense(bands, targets)
	for k := range bands {
		for t, g := range f.gamma {
			d.Row(k)[t] = math.Log(gammas[g][k] / f.alphas[t])
		}
	}
	return d
}

// steps is how many parts of work a search reports.
func (p *problem[E]) steps(candidates int) int {
	folds := len(p.starts) - 1
	return candidates * folds * (1 + p.plan.rounds*len(p.plan.batches))
}
