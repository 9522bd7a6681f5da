package diagnose

import (
	"context"
	"fmt"
	"math"

	"percept/fmri"
	"percept/fmri/metrics"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// Nearest compares decoded features with those of the images that the decoder was fitted on, by correlation of patterns. A
// decoder that names one of its training images in place of the seen one can make convincing pictures.
type Nearest struct {
	Train   int `json:"training_images"`
	Nearer  int `json:"nearer_than_truth"` // decoded images with a training image that is more like them than the truth is
	Named   int `json:"distinct_nearest"`  // different training images among the nearest ones
	MostFor int `json:"largest_group"`     // decoded images that share one nearest training image

	Similarity float64 `json:"mean_nearest_correlation"`
	Own        float64 `json:"mean_true_correlation"`
	// Closer is the mean share of the training images that are more like the decoded image than the truth is: 0 if every image
	// was decoded; ½ or more if none was, as predictions are mixtures of the training images' features.
	Closer float64 `json:"mean_share_closer"`
}

// trainRows is how many training images are compared at a time.
const trainRows = 256

// nearest finds the training image nearest to every decoded one, itself left out; of equal ones the first.
func (d *Diagnosis) nearest(ctx context.Context, decoded linalg.Matrix[float32], train *table.Table, progress func(done, total int)) error {
	if train.Width() != decoded.Cols || train.Rows.Images == nil {
		return fmt.Errorf("%s: %d values of a training image, expected %d, and its images", train, train.Width(), decoded.Cols)
	}
	train, err := train.ByImage(train.Rows.Distinct())
	if err != nil {
		return err
	}
	values, err := train.Open()
	if err != nil {
		return err
	}
	defer values.Close()
	for i := range d.PerImage {
		d.PerImage[i].Similarity = math.Inf(-1)
	}
	total := train.Len()
	block := linalg.New[float32](min(trainRows, total), decoded.Cols)
	for lo := 0; lo < total; lo += trainRows {
		if err := ctx.Err(); err != nil {
			return err
		}
		hi := min(lo+trainRows, total)
		part := block.Slice(0, hi-lo, 0, decoded.Cols)
		for k := lo; k < hi; k++ {
			if err := values.Row(part.Row(k-lo), k); err != nil {
				return err
			}
		}
		r := rowCorrelations(decoded, part)
		for i := range d.PerImage {
			p := &d.PerImage[i]
			for k, v := range r.Row(i) {
				if train.Rows.Images[lo+k] == p.Image {
					continue // fitted on this very image
				}
				if v > p.Similarity {
					p.Similarity, p.Nearest = v, train.Rows.Images[lo+k]
				}
				if v > p.Pattern {
					p.Closer++
				}
			}
		}
		if progress != nil {
			progress(hi, total)
		}
	}
	n := &Nearest{Train: total}
	groups := map[fmri.ImageID]int{}
	for _, p := range d.PerImage {
		if math.IsInf(p.Similarity, -1) {
			return fmt.Errorf("%s: image %d alone, which is the decoded one, expected other training images", train, p.Image)
		}
		if p.Closer > 0 {
			n.Nearer++
		}
		groups[p.Nearest]++
		n.MostFor = max(n.MostFor, groups[p.Nearest])
		n.Similarity += p.Similarity / float64(d.Images)
		n.Own += p.Pattern / float64(d.Images)
		n.Closer += float64(p.Closer) / float64(total) / float64(d.Images)
	}
	n.Named = len(groups)
	d.Nearest = n
	return nil
}

// rowCorrelations are those of package metrics, 0 for a row that does not vary.
func rowCorrelations(a, b linalg.Matrix[float32]) linalg.Matrix[float64] {
	r := metrics.RowCorrelations(a, b, nil, nil)
	defined(r.Data)
	return r
}

// defined sets what is not defined to 0.
func defined(r []float64) {
	for i, v := range r {
		if math.IsNaN(v) {
			r[i] = 0
		}
	}
}

// columnMeans is the mean of every column.
func columnMeans(m linalg.Matrix[float32]) []float64 {
	mean := make([]float64, m.Cols)
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			mean[j] += float64(v)
		}
	}
	for j := range mean {
		mean[j] /= float64(m.Rows)
	}
	return mean
}
