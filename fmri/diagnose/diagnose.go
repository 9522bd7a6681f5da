package diagnose

import (
	"context"
	"fmt"
	"math"
	"slices"

	"percept/fmri"
	"percept/fmri/metrics"
	"percept/fmri/stats"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// A Diagnosis says how good decoded features are, and what they owe to the training set.
//
// Correlations of a row (an image's pattern over targets) or of a target (over images) that does not vary count as 0. Targets
// whose truth does not vary, such as those of c's first token, count in patterns alone.
type Diagnosis struct {
	Images  int `json:"images"`
	Targets int `json:"targets"`
	Flat    int `json:"flat_targets"` // whose truth does not vary

	// Pattern is each image's correlation of decoded and true pattern, as Takagi & Nishimoto's code prints it. A mean that all
	// images share makes it high without a brain; Centred is the same after the mean over the images has been taken off both.
	Pattern Score `json:"pattern_correlation"`
	Centred Score `json:"pattern_correlation_centred"`
	// Target and R2 are over images, for each target: correlation, and 1 − Σ(y − ŷ)²/Σ(y − ȳ)².
	Target      Score `json:"target_correlation"`
	R2          Score `json:"target_r2"`
	Significant int   `json:"significant_targets"` // correlations above 0 at a false discovery rate of 5 %, one-sided

	FixTrue    Identified `json:"identification_fix_true"`    // a true pattern against its own and another decoded one
	FixDecoded Identified `json:"identification_fix_decoded"` // a decoded pattern against its own and another true one

	Variance  Variance  `json:"variance_kept"`
	Dimension Dimension `json:"output_dimension"`
	Nearest   *Nearest  `json:"nearest_training_image,omitempty"`

	PerImage []ImageDiagnosis `json:"per_image"`
}

// A Score is the mean of a quantity with its 95 % interval over images, and its quantiles: for patterns the percentile
// bootstrap, for targets the jackknife, mean ± 1.96 standard errors. Quantiles are those of 5, 25, 50, 75 and 95 % of the
// images or targets.
type Score struct {
	Mean      float64    `json:"mean"`
	Low       float64    `json:"low"`
	High      float64    `json:"high"`
	Quantiles [5]float64 `json:"quantiles"`
}

// Identified is the share of two-way choices that come out right, by correlation of patterns: chance is ½, and of random
// pairings 95 % lie from ChanceLow to ChanceHigh.
type Identified struct {
	Accuracy   float64 `json:"accuracy"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	ChanceLow  float64 `json:"chance_low"`
	ChanceHigh float64 `json:"chance_high"`
	Ties       int     `json:"ties"` // images all of whose choices are ties, each of which counts as half
}

// Variance is that of predictions over that of the truth, over images: ridge shrinks what it cannot predict.
type Variance struct {
	Total     float64    `json:"total"`     // Σ var(ŷ) / Σ var(y)
	Quantiles [5]float64 `json:"quantiles"` // of the ratio of each target, 5, 25, 50, 75 and 95 %
}

// ImageDiagnosis is what is known of one decoded image.
type ImageDiagnosis struct {
	Image   fmri.ImageID `json:"image"`
	Pattern float64      `json:"pattern_correlation"`
	Centred float64      `json:"pattern_correlation_centred"`
	// Nearest is the training image whose feature correlates best with the decoded one, Closer how many of the training images
	// correlate better with it than the image's own feature.
	Nearest    fmri.ImageID `json:"nearest_training_image,omitempty"`
	Similarity float64      `json:"nearest_correlation,omitempty"`
	Closer     int          `json:"closer_training_images,omitempty"`
}

// Options says what to compare with, and how intervals are taken.
type Options struct {
	Train      *table.Table // features of the training images; nil: Nearest is left out
	Resampling stats.Resampling
	Progress   func(done, total int) // may be nil
}

// Compare compares predictions with the truth, row by row in their order. Images are those of the rows of either, where both know
// them the same, or else numbered from 0.
//
//	truth, predicted  [images, targets], at least 2 of both
func Compare(ctx context.Context, truth, predicted *table.Table, o Options) (*Diagnosis, error) {
	n, t := truth.Len(), truth.Width()
	switch {
	case predicted.Len() != n || predicted.Width() != t:
		return nil, fmt.Errorf("diagnose: decoded features are %d×%d, expected %d×%d as the truth", predicted.Len(), predicted.Width(),
			n, t)
	case truth.Rows.Images != nil && predicted.Rows.Images != nil && !slices.Equal(truth.Rows.Images, predicted.Rows.Images):
		return nil, fmt.Errorf("diagnose: the rows of %s are of other images than those of %s, expected the same in the same order",
			predicted, truth)
	case n < 2 || t < 2:
		return nil, fmt.Errorf("diagnose: %d images of %d targets, expected at least 2 of both", n, t)
	}
	d := &Diagnosis{Images: n, Targets: t, PerImage: make([]ImageDiagnosis, n)}
	images := predicted.Rows.Images
	if images == nil {
		images = truth.Rows.Images
	}
	for i := range d.PerImage {
		d.PerImage[i].Image = fmri.ImageID(i)
		if images != nil {
			d.PerImage[i].Image = images[i]
		}
	}
	y, err := truth.Matrix(ctx)
	if err != nil {
		return nil, err
	}
	p, err := predicted.Matrix(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.patterns(y, p, o); err != nil {
		return nil, err
	}
	d.targets(y, p)
	if d.Dimension, err = dimensions(y, p); err != nil {
		return nil, err
	}
	if o.Train != nil {
		err = d.nearest(ctx, p, o.Train, o.Progress)
	}
	return d, err
}

// patterns compares rows.
func (d *Diagnosis) patterns(truth, decoded linalg.Matrix[float32], o Options) error {
	all := rowCorrelations(truth, decoded)
	own, centred := make([]float64, d.Images), metrics.PairCorrelations(truth, decoded, columnMeans(truth), columnMeans(decoded))
	defined(centred)
	for i := range own {
		own[i] = all.At(i, i)
		d.PerImage[i].Pattern, d.PerImage[i].Centred = own[i], centred[i]
	}
	for _, s := range []struct {
		values []float64
		into   *Score
	}{{own, &d.Pattern}, {centred, &d.Centred}} {
		in, err := stats.BootstrapMean(s.values, o.Resampling)
		if err != nil {
			return err
		}
		*s.into = Score{stats.Mean(s.values), in.Low, in.High, quantiles(s.values)}
	}
	similarity := &metrics.Similarity{N: d.Images, Data: all.Data}
	for _, c := range []struct {
		direction metrics.Direction
		into      *Identified
	}{{metrics.FixOriginal, &d.FixTrue}, {metrics.FixGenerated, &d.FixDecoded}} {
		id := similarity.IdentifyTies(c.direction)
		in, err := stats.BootstrapMean(id.PerImage(), o.Resampling)
		if err != nil {
			return err
		}
		null, err := stats.PermuteImages(id.N, o.Resampling, id.Permuted)
		if err != nil {
			return err
		}
		chance := null.Interval()
		*c.into = Identified{id.Accuracy(), in.Low, in.High, chance.Low, chance.High, similarity.Ties(c.direction)}
	}
	return nil
}

// targets compares columns.
func (d *Diagnosis) targets(truth, decoded linalg.Matrix[float32]) {
	n, t := d.Images, d.Targets
	my, mp := columnMeans(truth), columnMeans(decoded)
	yy, pp, yp, ee := make([]float64, t), make([]float64, t), make([]float64, t), make([]float64, t)
	noise, size := make([]float64, t), make([]float64, t) // the largest of each, whose rounding is no variance
	each := func(f func(i int, y, p []float32)) {
		for i := range n {
			f(i, truth.Row(i), decoded.Row(i))
		}
	}
	each(func(_ int, y, p []float32) {
		for j := range y {
			a, b := float64(y[j])-my[j], float64(p[j])-mp[j]
			e := float64(y[j]) - float64(p[j])
			yy[j], pp[j], yp[j], ee[j] = yy[j]+a*a, pp[j]+b*b, yp[j]+a*b, ee[j]+e*e
			noise[j], size[j] = max(noise[j], math.Abs(float64(y[j]))), max(size[j], math.Abs(float64(p[j])))
		}
	})
	var used []int
	for j := range t {
		limit := func(largest float64) float64 { return float64(n) * math.Pow(8*0x1p-52*largest, 2) }
		if yy[j] <= limit(noise[j]) {
			d.Flat++
			continue
		}
		if pp[j] <= limit(size[j]) {
			pp[j], yp[j] = 0, 0
		}
		used = append(used, j)
	}
	correlation, r2, ratio, p := make([]float64, len(used)), make([]float64, len(used)), make([]float64, len(used)), make([]float64,
		len(used))
	sumY, sumP := 0.0, 0.0
	for k, j := range used {
		correlation[k], r2[k], ratio[k] = quotient(yp[j], yy[j]*pp[j]), 1-ee[j]/yy[j], pp[j]/yy[j]
		p[k] = stats.CorrelationP(correlation[k], n)
		sumY += yy[j]
	}
	for j := range t {
		sumP += pp[j]
	}
	if len(used) == 0 {
		return
	}
	for _, q := range stats.BenjaminiHochberg(p) {
		if q <= 0.05 {
			d.Significant++
		}
	}
	d.Variance = Variance{sumP / sumY, quantiles(ratio)}
	// Without row i, with deviations a and b from the means of all: Σab of the rest, about their means, is Σab − ab·n/(n−1).
	leftR, leftR2 := make([]float64, n), make([]float64, n)
	f := float64(n) / float64(n-1)
	each(func(i int, y, p []float32) {
		for _, j := range used {
			a, b := float64(y[j])-my[j], float64(p[j])-mp[j]
			e := float64(y[j]) - float64(p[j])
			rest := yy[j] - a*a*f
			if rest <= 1e-12*yy[j] { // it was the only one to differ
				continue
			}
			if pp[j] > 0 {
				leftR[i] += quotient(yp[j]-a*b*f, rest*max(0, pp[j]-b*b*f))
			}
			leftR2[i] += 1 - (ee[j]-e*e)/rest
		}
	})
	for i := range n {
		leftR[i] /= float64(len(used))
		leftR2[i] /= float64(len(used))
	}
	d.Target, d.R2 = jackknifed(correlation, leftR), jackknifed(r2, leftR2)
}

// quotient is ab/√aabb, 0 where there is none, and never beyond ±1 by rounding.
func quotient(ab, aabb float64) float64 {
	if aabb <= 0 {
		return 0
	}
	return max(-1, min(1, ab/math.Sqrt(aabb)))
}

// jackknifed is the mean of values with the interval that means without one image, left, give.
func jackknifed(values, left []float64) Score {
	n, centre, sum := float64(len(left)), stats.Mean(left), 0.0
	for _, v := range left {
		sum += (v - centre) * (v - centre)
	}
	const z = 1.959963984540054 // of 97.5 %
	mean, half := stats.Mean(values), z*math.Sqrt((n-1)/n*sum)
	return Score{mean, mean - half, mean + half, quantiles(values)}
}

func quantiles(values []float64) (q [5]float64) {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	for k, p := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
		q[k] = stats.Quantile(sorted, p)
	}
	return q
}
