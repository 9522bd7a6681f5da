package sim

import (
	"context"
	"math"
	"math/rand/v2"
)

// brain is one simulated subject: where its voxels are, what they respond to, how noisy they are.
type brain struct {
	*anatomy
	subject int  // 0-based
	null    bool // sees nothing
	seed    uint64

	// Per visual voxel, in the order of anatomy.visual. A voxel of the middle stages has both a
	// field and a tuning.
	fields []*receptiveField
	tuning []*labelTuning
	field  []calibration
	label  []calibration

	scale      cell // of the channels of the feature maps
	labelMean  []float32
	labelScale []float32

	ncsnr    []float64 // stated ratio of signal to noise standard deviation, per voxel of the volume
	noise    []float64 // standard deviation of the noise of one trial, percent signal change
	baseline []float64 // mean response, percent signal change
	dead     int       // a voxel of early cortex that has no signal in any session
	shared   []mode
}

// calibration maps a raw response to its contribution to the standardised one.
type calibration struct{ mean, gain float64 }

// Distribution of the stated ncsnr over visual voxels: log-normal, cut off. The medians and the
// range are those of good voxels of NSD's visual cortex at 1.8 mm, not of any one subject.
const (
	ncsnrEarly  = 0.55 // median of early cortex
	ncsnrHigher = 0.35 // median of the middle and higher stages
	ncsnrSpread = 0.45 // standard deviation of the logarithm
	ncsnrLow    = 0.10
	ncsnrHigh   = 1.50
)

// newBrain makes a subject and calibrates it on the pictures it will see, so that every visual
// voxel's noise-free response has mean 0 and variance 1 over them.
func newBrain(ctx context.Context, o Options, subject int, seen []stimulus) (*brain, [][]float32, error) {
	a, err := newAnatomy(o.shapeOf(subject), o.EarlyVoxels, o.MidVoxels, o.HigherVoxels)
	if err != nil {
		return nil, nil, err
	}
	b := &brain{anatomy: a, subject: subject, null: o.Null, seed: o.Seed}
	r := stream(o.Seed, forBrain, uint64(subject))
	labels := len(seen[0].labels)

	fields := a.placeFields(r)
	tuning := a.placeTuning(r, labels)
	for _, v := range a.visual {
		f := fields[v]
		if s := a.streams[v]; s == midventral || s == midlateral || s == midparietal {
			span := fieldOfView / 4
			f = newField(r, middle, span*(2*r.Float64()-1), span*(2*r.Float64()-1))
		}
		b.fields = append(b.fields, f)
		b.tuning = append(b.tuning, tuning[v])
	}
	b.drawVoxels(o, r)
	b.shared = drawModes(r)

	pictures := make([]maps, len(seen))
	vectors := make([][]float32, len(seen))
	for i, s := range seen {
		pictures[i], vectors[i] = s.maps, s.labels
	}
	b.scale = channelScale(pictures)
	b.labelMean, b.labelScale = labelStatistics(vectors)
	responses, err := b.calibrate(ctx, seen)
	return b, responses, err
}

// drawVoxels draws what concerns single voxels: reliability, noise, mean.
func (b *brain) drawVoxels(o Options, r *rand.Rand) {
	n := len(b.brain)
	b.ncsnr, b.noise, b.baseline = make([]float64, n), make([]float64, n), make([]float64, n)
	for v, inside := range b.brain {
		if !inside {
			continue
		}
		b.noise[v] = 1.8 * math.Exp(0.25*r.NormFloat64())
		b.baseline[v] = 0.3 * r.NormFloat64()
		snr := ncsnrHigher
		if b.streams[v] == early {
			snr = ncsnrEarly
		}
		snr *= math.Exp(ncsnrSpread * r.NormFloat64())
		if b.streams[v] > 0 {
			b.baseline[v] += 1.2
			if !b.null {
				b.ncsnr[v] = o.NCSNR * min(max(snr, ncsnrLow), ncsnrHigh)
			}
		}
	}
	for b.dead = range b.streams {
		if b.streams[b.dead] == early {
			break
		}
	}
	b.ncsnr[b.dead], b.noise[b.dead], b.baseline[b.dead] = 0, 0, 0
}

// calibrate fixes the mean and gain of every voxel over the pictures and returns the standardised
// responses, [picture][visual voxel].
func (b *brain) calibrate(ctx context.Context, seen []stimulus) ([][]float32, error) {
	n := len(b.visual)
	b.field, b.label = make([]calibration, n), make([]calibration, n)
	for v := range n {
		b.field[v].gain, b.label[v].gain = 1, 1
	}
	fieldRaw, labelRaw := make([][]float64, len(seen)), make([][]float64, len(seen))
	err := parallel(ctx, len(seen), func(i int) error {
		fieldRaw[i], labelRaw[i] = b.raw(seen[i].maps, seen[i].labels)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for v := range n {
		b.field[v] = standardise(fieldRaw, v)
		b.label[v] = standardise(labelRaw, v)
		if b.fields[v] != nil && b.tuning[v] != nil {
			sum := make([][]float64, len(seen))
			for i := range seen {
				sum[i] = []float64{b.combine(v, fieldRaw[i][v], labelRaw[i][v])}
			}
			again := standardise(sum, 0)
			b.field[v].gain *= again.gain
			b.label[v].gain *= again.gain
		}
	}
	responses := make([][]float32, len(seen))
	for i := range seen {
		responses[i] = make([]float32, n)
		for v := range n {
			responses[i][v] = float32(b.combine(v, fieldRaw[i][v], labelRaw[i][v]))
		}
	}
	return responses, nil
}

// raw computes both parts of the response of every visual voxel; 0 where there is none.
func (b *brain) raw(m maps, labels []float32) (field, label []float64) {
	field, label = make([]float64, len(b.visual)), make([]float64, len(b.visual))
	for v := range b.visual {
		if f := b.fields[v]; f != nil {
			field[v] = f.respond(m, &b.scale)
		}
		if t := b.tuning[v]; t != nil {
			label[v] = t.respond(labels, b.labelMean, b.labelScale)
		}
	}
	return field, label
}

// combine adds the calibrated parts of the response of visual voxel v.
func (b *brain) combine(v int, field, label float64) float64 {
	return b.field[v].gain*(field-b.field[v].mean) + b.label[v].gain*(label-b.label[v].mean)
}

// respond is the standardised noise-free response of every visual voxel to any picture.
func (b *brain) respond(s stimulus) []float32 {
	field, label := b.raw(s.maps, s.labels)
	y := make([]float32, len(b.visual))
	for v := range y {
		y[v] = float32(b.combine(v, field[v], label[v]))
	}
	return y
}

// standardise finds the mean and 1 over the standard deviation of a column; the gain of a constant
// column is 0.
func standardise(rows [][]float64, column int) calibration {
	var sum, sq float64
	for _, r := range rows {
		sum += r[column]
	}
	mean := sum / float64(len(rows))
	for _, r := range rows {
		sq += (r[column] - mean) * (r[column] - mean)
	}
	if sq < 1e-12*float64(len(rows)) {
		return calibration{mean: mean}
	}
	return calibration{mean: mean, gain: 1 / math.Sqrt(sq/float64(len(rows)))}
}
