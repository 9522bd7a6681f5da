package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"percept/fmri/ridge"
	"percept/tensor/linalg"
)

// Ridge is a ridge regression with cross-validation: Targets of Samples rows from as many Features, with intercept,
// X taken as it is, Penalties of equal ratios from 1 to 10⁶ and the mean squared error of Folds contiguous folds.
type Ridge struct {
	Samples, Features, Targets, Folds, Penalties int

	// Data is a folder with x.f32 and y.f32, float32 values in the byte order of the machine's kind (little-endian),
	// row after row; percept.f64 is written there: the chosen penalty of every target, then its score. Empty: random
	// data with a planted signal.
	Data      string
	MaxMemory int64
}

// RidgeResult is what a fit took.
type RidgeResult struct {
	Seconds   float64 `json:"seconds"`
	Processor float64 `json:"processor_seconds"`
	MaxRSS    int64   `json:"max_rss"` // of the process, data included
	Score     float64 `json:"mean_score"`
	Edge      string  `json:"edge"`
}

// Run fits once.
func (r Ridge) Run(ctx context.Context, progress func(done, total int)) (RidgeResult, error) {
	for _, v := range []struct {
		name        string
		value, most int
	}{
		{"samples", r.Samples, 1 << 20}, {"features", r.Features, 1 << 20}, {"targets", r.Targets, 1 << 22},
		{"folds", r.Folds, r.Samples}, {"penalties", r.Penalties, 1000},
	} {
		if v.value < 1 || v.value > v.most {
			return RidgeResult{}, fmt.Errorf("%s %d: expected 1 to %d", v.name, v.value, v.most)
		}
	}
	var x, y linalg.Matrix[float32]
	var err error
	if r.Data == "" {
		x, y = r.random()
	} else {
		if x, err = readMatrix(filepath.Join(r.Data, "x.f32"), r.Samples, r.Features); err != nil {
			return RidgeResult{}, err
		}
		if y, err = readMatrix(filepath.Join(r.Data, "y.f32"), r.Samples, r.Targets); err != nil {
			return RidgeResult{}, err
		}
	}
	start, processor := time.Now(), processorSeconds()
	m, err := ridge.FitCV(ctx, x, y, ridge.Options{
		Alphas: ridge.LogSpace(0, 6, r.Penalties), Folds: r.Folds, NoStandardise: true, MaxMemory: r.MaxMemory, Progress: progress,
	})
	if err != nil {
		return RidgeResult{}, err
	}
	result := RidgeResult{
		Seconds: time.Since(start).Seconds(), Processor: processorSeconds() - processor, MaxRSS: maxRSS(), Edge: m.Edge.String(),
	}
	for _, s := range m.CVScores {
		result.Score += s / float64(len(m.CVScores))
	}
	if r.Data != "" {
		err = writeBinary(filepath.Join(r.Data, "percept.f64"), slices.Concat(m.Alphas, m.CVScores))
	}
	return result, err
}

// random returns features that are mixtures of one another, and targets of which half the variance is theirs.
func (r Ridge) random() (x, y linalg.Matrix[float32]) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, y = linalg.New[float32](r.Samples, r.Features), linalg.New[float32](r.Samples, r.Targets)
	for i := range x.Rows {
		row := x.Row(i)
		last := 0.0
		for j := range row {
			last = 0.6*last + 0.8*rng.NormFloat64()
			row[j] = float32(last)
		}
	}
	for i := range y.Rows {
		row := y.Row(i)
		for j := range row {
			from := x.Row(i)
			signal := from[j%len(from)] + from[(7*j+1)%len(from)] - from[(13*j+5)%len(from)]
			row[j] = signal + 2*float32(rng.NormFloat64())
		}
	}
	return x, y
}

func readMatrix(path string, rows, cols int) (linalg.Matrix[float32], error) {
	f, err := os.Open(path)
	if err != nil {
		return linalg.Matrix[float32]{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return linalg.Matrix[float32]{}, err
	}
	if size := 4 * int64(rows) * int64(cols); info.Size() != size {
		return linalg.Matrix[float32]{}, fmt.Errorf("%s: %d bytes, expected %d of %d×%d float32", path, info.Size(), size, rows, cols)
	}
	m := linalg.New[float32](rows, cols)
	in := bufio.NewReaderSize(f, 1<<20)
	line := make([]byte, 4*cols)
	for i := range rows {
		if _, err := io.ReadFull(in, line); err != nil {
			return m, fmt.Errorf("%s: %w", path, err)
		}
		for j := range cols {
			m.Row(i)[j] = math.Float32frombits(binary.LittleEndian.Uint32(line[4*j:]))
		}
	}
	return m, nil
}
