package fit

import (
	"context"
	"fmt"
	"runtime"

	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// Slabs says how many of the targets can be fitted together in o.MaxMemory bytes, which hold X [rows, columns] and all that
// lies in memory at once: ranges lo … hi−1, one of all targets where there is no limit or it is large enough. More of them
// take more time, since the part of the work that X alone needs is done again for each.
func Slabs(rows, columns, targets int, o ridge.Options) ([][2]int, error) {
	if o.MaxMemory < 0 {
		return nil, fmt.Errorf("fit: a memory limit of %d bytes, expected 0 (none) or more", o.MaxMemory)
	}
	var need int64
	for n := 1; n <= targets; n++ {
		wide := (targets + n - 1) / n
		if (targets+wide-1)/wide != n { // the slabs of another n
			continue
		}
		least, _, err := o.Memory(rows, columns, wide)
		if err != nil {
			return nil, err
		}
		need = least + besides(rows, columns, wide, targets)
		if o.MaxMemory == 0 || need <= o.MaxMemory {
			var slabs [][2]int
			for lo := 0; lo < targets; lo += wide {
				slabs = append(slabs, [2]int{lo, min(lo+wide, targets)})
			}
			if o.Global && len(slabs) > 1 {
				if least, _, err = o.Memory(rows, columns, targets); err != nil {
					return nil, err
				}
				return nil, fmt.Errorf("fit: %s of memory is too little for one penalty of all %d targets, which have to be fitted together; "+
					"expected at least %d MiB at %d rows of %d columns",
					ridge.Bytes(o.MaxMemory), targets, mib(least+besides(rows, columns, targets, targets)), rows, columns)
			}
			return slabs, nil
		}
	}
	return nil, fmt.Errorf("fit: %s of memory is too little for %d rows of %d columns and %d targets, expected at least %d MiB",
		ridge.Bytes(o.MaxMemory), rows, columns, targets, mib(need))
}

func mib(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }

// besides is what lies beside the fit of some targets: X, their Y and, unless they are all, the coefficients of all.
func besides(rows, columns, wide, targets int) int64 {
	bytes := 4 * int64(rows) * (int64(columns) + int64(wide))
	if wide < targets {
		bytes += 4 * int64(columns) * int64(targets)
	}
	return bytes
}

// fitSlabs is ridge.FitCV for targets that are read as they are needed. o.MaxMemory bounds everything, x included. In several
// slabs a model may differ from that of one in its last digits.
func fitSlabs(ctx context.Context, x linalg.Matrix[float32], y *table.Table, slabs [][2]int, o ridge.Options) (*ridge.Model, error) {
	var whole *ridge.Model
	for k, s := range slabs {
		part, err := y.Slab(ctx, s[0], s[1])
		if err != nil {
			return nil, err
		}
		each := o
		if o.MaxMemory > 0 {
			each.MaxMemory = o.MaxMemory - besides(x.Rows, x.Cols, s[1]-s[0], y.Width())
		}
		if o.Progress != nil {
			each.Progress = func(done, total int) {
				o.Progress(stepsOfSlab*k+stepsOfSlab*done/max(1, total), stepsOfSlab*len(slabs))
			}
		}
		m, err := ridge.FitCV(ctx, x, part, each)
		if err != nil {
			return nil, err
		}
		if len(slabs) == 1 {
			return m, nil
		}
		if whole == nil {
			whole = &ridge.Model{Coef: linalg.New[float32](x.Cols, y.Width()), Scaler: m.Scaler, Grid: m.Grid,
				CVTable: make([]float64, len(m.Grid)*y.Width())}
		}
		put(whole, m, s[0])
		if 8*int64(x.Rows+x.Cols)*int64(s[1]-s[0]) > largeSlab {
			runtime.GC() // before the next slab lies beside this one
		}
	}
	return whole, nil
}

const (
	stepsOfSlab = 1000
	largeSlab   = 256 << 20 // bytes
)

// put puts the model of the targets from lo on into that of all.
func put(whole, part *ridge.Model, lo int) {
	n := part.Coef.Cols
	for i := range part.Coef.Rows {
		copy(whole.Coef.Row(i)[lo:], part.Coef.Row(i))
	}
	for a := range part.Grid {
		copy(whole.CVTable[a*whole.Coef.Cols+lo:], part.CVTable[a*n:(a+1)*n])
	}
	whole.Intercept = append(whole.Intercept, part.Intercept...)
	whole.Alphas, whole.CVScores = append(whole.Alphas, part.Alphas...), append(whole.CVScores, part.CVScores...)
	whole.Moved += part.Moved
	whole.OneFold = part.OneFold // of X, and so of each part
	whole.Edge.Low += part.Edge.Low
	whole.Edge.High += part.Edge.High
	whole.Edge.Flat += part.Edge.Flat
	whole.Edge.Targets += part.Edge.Targets
}
