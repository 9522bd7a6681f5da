package scheduler

import (
	"fmt"
	"math"
	"slices"
)

// tables returns a schedule that was given, after a look at it, or the configuration's.
func (s *settings) tables(given *Schedule, c Convention, inSigma bool) (*Schedule, error) {
	if given == nil {
		return s.schedule(c, inSigma)
	}
	return given, given.check()
}

// wholeTimesteps are the timesteps, descending, of the samplers of diffusers that take whole ones out of the table.
func (s *settings) wholeTimesteps(steps, total int) ([]int, error) {
	if s.spacing == "leading" && s.stepsOffset == 1 {
		return Diffusers.Timesteps(steps, total) // whose error knows better numbers
	}
	if err := checkSteps(steps, total); err != nil {
		return nil, err
	}
	ts := make([]int, 0, steps)
	for _, t := range s.spaced(steps, total) {
		t := int(math.RoundToEven(t))
		if t < 0 || t >= total {
			return nil, fmt.Errorf("scheduler: %d steps by timestep_spacing %q with steps_offset %d reach timestep %d, expected 0 to %d; "+
				"use another number of steps", steps, s.spacing, s.stepsOffset, t, total-1)
		}
		ts = append(ts, t)
	}
	return ts, nil
}

// spaced are timesteps, descending, by the rule that the samplers of diffusers but DPM-Solver share; those of "linspace" are
// fractions. It may give one more than asked for, see trailing.
func (s *settings) spaced(steps, total int) []float64 {
	var ts []float64
	switch s.spacing {
	case "trailing":
		return trailing(float64(total), float64(total)/float64(steps))
	case "leading":
		ts = make([]float64, steps)
		for i := range ts {
			ts[i] = float64(i*(total/steps) + s.stepsOffset)
		}
	default:
		ts = linspace(float64(total-1), steps)
	}
	slices.Reverse(ts)
	return ts
}

// trailing is round(arange(from, 0, -stride)) - 1 with the rounding of numpy, which for some strides that divide the way
// evenly but for their last bit gives one more, near -1: for 61 of 1000, say.
func trailing(from, stride float64) []float64 {
	n := int(math.Ceil(-from / -stride))
	ts := make([]float64, n)
	delta := (from - stride) - from
	for i := range ts {
		ts[i] = math.RoundToEven(from+float64(float64(i)*delta)) - 1
	}
	return ts
}
