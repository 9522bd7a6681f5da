package ridge

import (
	"fmt"

	"percept/tensor/linalg"
)

// size is what memory depends on.
type size struct {
	n, p, t int
	held    int // rows of the largest fold
	primal  bool
	double  bool
	kernels int  // that take the place of X
	cv      bool // with cross-validation
}

// plan says how much is worked on at once. Results do not depend on it.
type plan struct {
	batches [][2]int // of targets
	group   int      // penalties whose predictors are kept at once
	rounds  int      // over the targets, in each fold
	bytes   int64    // that the fit will take, with the model
}

// wideBatch is the number of targets in a batch where memory does not matter.
const wideBatch = 2048

// plan makes batches as wide as Options.MaxMemory allows.
func (o Options) plan(s size) (plan, error) {
	p := plan{group: max(1, len(o.Alphas))}
	width := min(wideBatch, s.t)
	limit := o.MaxMemory
	if limit < 0 {
		return p, fmt.Errorf("ridge: a memory limit of %d bytes, expected 0 (none) or more", limit)
	}
	if limit > 0 {
		// Narrower batches first, down to a width at which products still run at full speed;
		// then fewer penalties at once; then whatever is needed.
		for _, least := range []int{512, 1} {
			for s.bytes(width, p.group) > limit && width > least {
				width = max(width/2, least)
			}
			if least == 1 {
				break
			}
			for s.bytes(width, p.group) > limit && p.group > 1 {
				p.group = (p.group + 1) / 2
			}
		}
		if need := s.bytes(width, p.group); need > limit {
			return p, fmt.Errorf("ridge: %s of memory is too little for %d samples, %d features and %d targets, expected at least %d MiB",
				Bytes(limit), s.n, s.p, s.t, (need+1<<20-1)>>20)
		}
	}
	p.batches = split(s.t, max(1, width))
	p.rounds = (max(1, len(o.Alphas)) + p.group - 1) / p.group
	p.bytes = s.bytes(width, p.group)
	return p, nil
}

// bytes is an upper bound of what a fit takes at once: the matrices that it counts, and a
// constant for the workspaces of package linalg.
func (s size) bytes(width, group int) int64 {
	e := int64(4)
	if s.double {
		e = 8
	}
	n, p, t, held, w := int64(s.n), int64(s.p), int64(s.t), int64(s.held), int64(width)
	m := n // unknowns
	total := e*n*p + 4*p*t
	if s.kernels > 0 {
		total = 8 * n * t // of the model
	}
	if s.primal {
		m = p
		if s.double {
			total += e * p * t
		}
		total += 16*p*p + e*held*w + 8*gramRows*p
	} else {
		total += 16*n*n + 8*held*n + 8*(n+w)*min(gramRows, p)
	}
	factor := 4*m*m + 8*m*(linalg.BandWidth*11+256) // rotation, and workspaces of the reduction
	if !s.double {
		factor += e * m * m / 2
	}
	if m <= int64(exactSide) {
		factor = 8 * 3 * m * m
	}
	fold := 16*m*held + 8*linalg.WorkPerColumn*held + e*int64(group)*m*held + e*(m+2*held)*w + e*linalg.WorkPerColumn*max(w, held)
	if !s.cv {
		fold = 0
	}
	final := (e+16)*m*w + (e+8)*linalg.WorkPerColumn*w
	return total + factor + max(fold, final)
}

// widest returns the number of targets in the widest batch.
func widest(batches [][2]int) int {
	most := 0
	for _, b := range batches {
		most = max(most, b[1]-b[0])
	}
	return most
}

// isDouble says whether E is float64.
func isDouble[E linalg.Float]() bool {
	var e E
	_, ok := any(e).(float64)
	return ok
}

// Bytes writes a bound of memory in whole MiB, or in a smaller unit where it is less than one.
func Bytes(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 1<<10:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}
