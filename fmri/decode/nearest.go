package decode

import (
	"fmt"
	"math"

	"percept/fmri"
	"percept/tensor/linalg"
)

// Rows are features that are read row by row.
type Rows struct {
	Images []fmri.ImageID // of each row
	// Read puts row i into dst.
	Read func(dst []float32, i int) error
}

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
func (d *Diagnosis) nearest(decoded linalg.Matrix[float32], o DiagnoseOptions) error {
	total := len(o.Train.Images)
	if total == 0 {
		return fmt.Errorf("decode: no training image to compare with")
	}
	for i := range d.PerImage {
		d.PerImage[i].Similarity = math.Inf(-1)
	}
	block := linalg.New[float32](min(trainRows, total), decoded.Cols)
	for lo := 0; lo < total; lo += trainRows {
		hi := min(lo+trainRows, total)
		part := block.Slice(0, hi-lo, 0, decoded.Cols)
		for k := lo; k < hi; k++ {
			if err := o.Train.Read(part.Row(k-lo), k); err != nil {
				return err
			}
		}
		r := rowCorrelations(decoded, part, nil, nil)
		for i := range d.PerImage {
			p := &d.PerImage[i]
			for k, v := range r.Row(i) {
				if o.Train.Images[lo+k] == p.Image {
					continue // fitted on this very image
				}
				if v > p.Similarity {
					p.Similarity, p.Nearest = v, o.Train.Images[lo+k]
				}
				if v > p.Pattern {
					p.Closer++
				}
			}
		}
		if o.Progress != nil {
			o.Progress(hi, total)
		}
	}
	n := &Nearest{Train: total}
	groups := map[fmri.ImageID]int{}
	for _, p := range d.PerImage {
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

// slabColumns is how many targets are widened to float64 at a time.
const slabColumns = 2048

// rowCorrelations is Pearson's correlation of every row of a with every row of b [a.Rows, b.Rows], in float64, after shifts
// (nil: none) have been taken off their columns; 0 for a row that does not vary.
func rowCorrelations(a, b linalg.Matrix[float32], shiftA, shiftB []float64) linalg.Matrix[float64] {
	r := linalg.New[float64](a.Rows, b.Rows)
	ofA, ofB := momentsOf(a, shiftA), momentsOf(b, shiftB)
	wide := min(slabColumns, a.Cols)
	left, right := linalg.New[float64](a.Rows, wide), linalg.New[float64](b.Rows, wide)
	for lo := 0; lo < a.Cols; lo += wide {
		hi := min(lo+wide, a.Cols)
		x, y := left.Slice(0, a.Rows, 0, hi-lo), right.Slice(0, b.Rows, 0, hi-lo)
		fill(x, a, lo, hi, shiftA, ofA)
		fill(y, b, lo, hi, shiftB, ofB)
		linalg.Mul(r, 1, x, y.T(), 1)
	}
	for i, v := range r.Data {
		r.Data[i] = max(-1, min(1, v))
	}
	return r
}

// pairCorrelations is the diagonal of rowCorrelations.
func pairCorrelations(a, b linalg.Matrix[float32], shiftA, shiftB []float64) []float64 {
	r := make([]float64, a.Rows)
	ofA, ofB := momentsOf(a, shiftA), momentsOf(b, shiftB)
	for i := range r {
		x, y := a.Row(i), b.Row(i)
		for j := range x {
			r[i] += (float64(x[j]) - at(shiftA, j) - ofA[i].mean) * ofA[i].scale * (float64(y[j]) - at(shiftB, j) - ofB[i].mean) * ofB[i].scale
		}
		r[i] = max(-1, min(1, r[i]))
	}
	return r
}

// moments bring a row to mean 0 and length 1; scale is 0 for one that does not vary.
type moments struct{ mean, scale float64 }

func momentsOf(m linalg.Matrix[float32], shift []float64) []moments {
	of := make([]moments, m.Rows)
	for i := range of {
		sum, squares, largest := 0.0, 0.0, 0.0
		for j, v := range m.Row(i) {
			sum += float64(v) - at(shift, j)
			largest = max(largest, math.Abs(float64(v)))
		}
		mean := sum / float64(m.Cols)
		for j, v := range m.Row(i) {
			e := float64(v) - at(shift, j) - mean
			squares += e * e
		}
		of[i].mean = mean
		if noise := 8 * 0x1p-52 * largest; squares > float64(m.Cols)*noise*noise {
			of[i].scale = 1 / math.Sqrt(squares)
		}
	}
	return of
}

func at(v []float64, j int) float64 {
	if v == nil {
		return 0
	}
	return v[j]
}

// fill sets dst to columns lo to hi−1 of m, less shift, by the moments of the rows (nil: as they are).
func fill(dst linalg.Matrix[float64], m linalg.Matrix[float32], lo, hi int, shift []float64, of []moments) {
	for i := range m.Rows {
		row, mo := dst.Row(i), moments{0, 1}
		if of != nil {
			mo = of[i]
		}
		for j, v := range m.Row(i)[lo:hi] {
			row[j] = (float64(v) - at(shift, lo+j) - mo.mean) * mo.scale
		}
	}
}

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
