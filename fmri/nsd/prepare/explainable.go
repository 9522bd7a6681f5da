package prepare

import (
	"context"
	"fmt"
	"math"
)

// explainable is the share of each voxel's variance over single trials, z-scored by session, that images explain:
//
//	1 - noise/total,  noise = Σ_images Σ_trials (x - mean of the image)² / Σ_images (trials - 1)
//
// over images with two trials or more, total being the population variance of the same trials. With equally many repeats
// of each it is the bias-corrected explainable variance of Sahani and Linden (2003) and Hsu et al. (2004) in the form
// EV - (1-EV)/(n-1). NaN for a voxel without variance.
func (a *assembly) explainable(ctx context.Context, all []group) ([]float32, error) {
	n := len(a.parts[0].from)
	sum, sq, within := make([]float64, n), make([]float64, n), make([]float64, n)
	mean, squares := make([]float64, n), make([]float64, n)
	trials, freedom := 0, 0
	for _, g := range all {
		if len(g.refs) < 2 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(mean)
		clear(squares)
		for _, r := range g.refs {
			x, err := a.parts[r.part].standardised(r.trial)
			if err != nil {
				return nil, err
			}
			for v, x := range x {
				mean[v] += x
				squares[v] += x * x
			}
		}
		k := float64(len(g.refs))
		for v := range n {
			sum[v] += mean[v]
			sq[v] += squares[v]
			within[v] += max(0, squares[v]-mean[v]*mean[v]/k)
		}
		trials += len(g.refs)
		freedom += len(g.refs) - 1
	}
	if freedom == 0 {
		return nil, fmt.Errorf("%s: no training image was shown twice in the chosen sessions, which explainable variance needs",
			a.o.Subject)
	}
	ev := make([]float32, n)
	for v := range ev {
		m := sum[v] / float64(trials)
		total := sq[v]/float64(trials) - m*m
		if !(total > 1e-9) { // of z-scores: no variance
			ev[v] = float32(math.NaN())
			continue
		}
		ev[v] = float32(1 - within[v]/float64(freedom)/total)
	}
	return ev, nil
}
