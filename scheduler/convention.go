package scheduler

import (
	"fmt"
	"slices"
)

// A Convention says whose rule picks the timesteps.
type Convention int

const (
	// CompVis is the rule of the original code: range(0, T, T / S) + 1. Where S does not divide T it
	// gives more steps than asked for (31 for 30), and for some S a timestep outside of the table.
	CompVis Convention = iota
	// Diffusers is the rule of diffusers' DDIMScheduler with the configuration of Stable Diffusion
	// (timestep_spacing "leading", steps_offset 1, set_alpha_to_one false): S steps exactly.
	Diffusers
)

// String returns the name of whose rule it is.
func (c Convention) String() string {
	switch c {
	case CompVis:
		return "CompVis"
	case Diffusers:
		return "diffusers"
	}
	return fmt.Sprintf("Convention(%d)", int(c))
}

// Schedule returns the tables of Stable Diffusion v1 as the code of that name samples with: those of
// diffusers are up to 5e-7 away from the original's.
func (c Convention) Schedule() *Schedule {
	if c != Diffusers {
		return StableDiffusion().Rounded()
	}
	s, err := ScaledLinearDiffusers(0.00085, 0.012, 1000)
	if err != nil {
		panic(err) // the constants above are valid
	}
	return s
}

// Timesteps returns the timesteps of a sampler with the given number of steps out of total, descending.
func (c Convention) Timesteps(steps, total int) ([]int, error) {
	if err := checkSteps(steps, total); err != nil {
		return nil, err
	}
	stride := total / steps
	var ts []int
	switch c {
	case CompVis:
		for t := 0; t < total; t += stride {
			ts = append(ts, t+1)
		}
	case Diffusers:
		for i := range steps {
			ts = append(ts, i*stride+1)
		}
	default:
		return nil, fmt.Errorf("scheduler: unknown convention %v", c)
	}
	if last := ts[len(ts)-1]; last >= total {
		return nil, fmt.Errorf(
			"scheduler: %d steps by the %v rule reach timestep %d, the schedule ends at %d; use a number of steps like %d",
			steps, c, last, total-1, nearest(c, steps, total))
	}
	slices.Reverse(ts)
	return ts, nil
}

// nearest finds the number of steps next to an impossible one that is possible.
func nearest(c Convention, steps, total int) int {
	for d := 1; d < total; d++ {
		for _, s := range []int{steps + d, steps - d} {
			if s < 1 || s > total {
				continue
			}
			stride := total / s
			last := (total-1)/stride*stride + 1
			if c == Diffusers {
				last = (s-1)*stride + 1
			}
			if last < total {
				return s
			}
		}
	}
	return 1
}
