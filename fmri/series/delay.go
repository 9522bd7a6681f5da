package series

import "fmt"

// Indicators returns [len(label), classes]: 1 in the column of a row's label, 0 elsewhere. A negative label (rest) is none.
func Indicators(label []int, classes int) ([]float32, error) {
	if classes < 1 {
		return nil, fmt.Errorf("series: %d classes, expected at least 1", classes)
	}
	x := make([]float32, len(label)*classes)
	for i, l := range label {
		if l >= classes {
			return nil, fmt.Errorf("series: label %d of row %d, expected less than %d", l, i, classes)
		}
		if l >= 0 {
			x[i*classes+l] = 1
		}
	}
	return x, nil
}

// Delay returns copies of the features x [rows, cols] delayed by some volumes, side by side as [rows, len(delays)·cols]: a
// finite impulse response, in which a linear model finds the shape of the haemodynamic response of each feature and target.
// Before the begin of a run (for a negative delay after its end) the features are 0.
//
// Source: Nishimoto et al. 2011, doi:10.1016/j.cub.2011.08.031, and others since.
func Delay(x []float32, cols int, run []int, delays []int) ([]float32, error) {
	spans, err := spansOf(x, cols, run)
	if err != nil {
		return nil, err
	}
	if len(delays) == 0 {
		return nil, fmt.Errorf("series: no delays")
	}
	wide := cols * len(delays)
	out := make([]float32, len(run)*wide)
	for _, s := range spans {
		for i := s.From; i < s.To; i++ {
			for d, delay := range delays {
				if from := i - delay; from >= s.From && from < s.To {
					copy(out[i*wide+d*cols:i*wide+(d+1)*cols], x[from*cols:(from+1)*cols])
				}
			}
		}
	}
	return out, nil
}
