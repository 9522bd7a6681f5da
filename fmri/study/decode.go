package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"percept/cmd/percept/internal/decoding"
	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/ridge"
	"percept/fmri/study/stage"
	"percept/fmri/table"
	"percept/tensor"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

func decodedFile(subject string) string { return "decoded_" + subject + ".safetensors" }

// subjectData is what decoding needs of a subject: rows are images, means over repeats.
type subjectData struct {
	images        []fmri.ImageID // of each row
	test          []int          // rows of shared images
	train         []int
	counts        []int // trials behind each row
	early, higher linalg.Matrix[float32]
}

func (d *subjectData) write(path string) error {
	counts, isTest := make([]int32, len(d.images)), make([]int32, len(d.images))
	for i, n := range d.counts {
		counts[i] = int32(n)
	}
	for _, i := range d.test {
		isTest[i] = 1
	}
	return safetensors.Write(path, []safetensors.Named{
		namedIDs("images", d.images), namedMatrix("early", d.early), namedMatrix("higher", d.higher),
		safetensors.NamedI32("trials", counts, len(counts)), safetensors.NamedI32("is_test", isTest, len(isTest)),
	}, nil)
}

// of is the images of some rows.
func (d *subjectData) of(rows []int) []fmri.ImageID {
	ids := make([]fmri.ImageID, len(rows))
	for i, row := range rows {
		ids[i] = d.images[row]
	}
	return ids
}

// halves are what is decoded from where; region is a matrix of the responses' file.
var halves = []struct{ feature, region string }{{"z", "early"}, {"c", "higher"}}

// fitMemory bounds a fit with its data, in bytes: c of a whole subject of NSD takes about that much. Where targets do not fit
// into it together they are fitted in parts.
const fitMemory = 6 << 30

// load reads a subject's rows and of the responses only the given region's, or none.
func (r *Run) load(subject, region string) (d subjectData, x linalg.Matrix[float32], err error) {
	f := openFile(r.runner.Path(responsesFile(subject)))
	d.images = f.ids("images")
	for i, t := range f.ids("is_test") {
		if t == 1 {
			d.test = append(d.test, i)
		} else {
			d.train = append(d.train, i)
		}
	}
	if region != "" {
		x = f.matrix(region)
	}
	if err = f.close(); err != nil {
		return d, x, err
	}
	if len(d.test) < 2 || len(d.train) < r.Config.Decode.Folds {
		return d, x, fmt.Errorf("%s: %d training and %d test images, expected at least %d for the folds, and 2", subject, len(d.train), len(d.test), r.Config.Decode.Folds)
	}
	return d, x, nil
}

// decode fits the subject's decoders and writes ẑ and ĉ of the test images: from the responses, and
// from decoders fitted on shuffled pairs.
func (r *Run) decode(subject string) (stage.Stage, error) {
	o := r.Config.Decode
	s := stage.Stage{
		Name: "decode-" + subject, Title: "fit and decode " + subject, Output: decodedFile(subject),
		Inputs: []string{responsesFile(subject)}, Params: map[string]any{"folds": o.Folds, "alphas": o.Alphas, "seed": r.Config.Seed},
		Extra: map[string]string{"kernels": tensor.KernelSet()},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			defer decoding.BoundMemory(fitMemory)()
			d, _, err := r.load(subject, "")
			if err != nil {
				return err
			}
			ids := d.of(d.test)
			var out []safetensors.Streamed
			meta := map[string]string{}
			for k, half := range halves {
				part := func(done, total int) { p(1000*k/len(halves)+1000*done/max(1, total)/len(halves), 1000) }
				fitted, err := r.decodeHalf(ctx, subject, half.feature, half.region, part)
				if err != nil {
					return fmt.Errorf("%s: %s from %s visual cortex: %w", subject, half.feature, half.region, err)
				}
				for _, v := range fitted {
					name := v.variant + "." + half.feature
					out = append(out, decode.StreamMatrix(name, v.predicted), safetensors.NamedF64(name+".alphas", v.alphas, len(v.alphas)).Streamed())
					text, err := json.Marshal(v.fit)
					if err != nil {
						return err
					}
					meta[name+".fit"] = string(text)
				}
				truth, err := r.trueFeature(half.feature, ids)
				if err != nil {
					return err
				}
				out = append(out, truth)
			}
			return safetensors.Stream(tmp, append(out, namedIDs("images", ids).Streamed()), meta)
		},
	}
	return s, r.dependOnFeatures(&s)
}

// fittedHalf is what a decoder of one feature made of the test responses.
type fittedHalf struct {
	variant   string // "decoded", or "shuffled" from the decoder of shuffled pairs
	predicted linalg.Matrix[float32]
	alphas    []float64
	fit       decoding.Fitted
}

// decodeHalf fits and predicts one feature. One region's responses, the feature's training rows and one decoder are in memory
// at a time.
func (r *Run) decodeHalf(ctx context.Context, subject, feature, region string, p stage.Progress) ([]fittedHalf, error) {
	d, all, err := r.load(subject, region)
	if err != nil {
		return nil, err
	}
	train, test := all.Take(d.train), all.Take(d.test)
	all.Data = nil
	f, err := r.openFeature(feature)
	if err != nil {
		return nil, err
	}
	shape := f.Shape
	y := decode.Targets{Width: f.Width()}
	if err := f.Close(); err != nil {
		return nil, err
	}
	var kept linalg.Matrix[float32] // columns from keptLo on; both variants have the same truth
	keptLo := 0
	y.Read = func(ctx context.Context, lo, hi int) (m linalg.Matrix[float32], err error) {
		if keptLo != lo || kept.Cols != hi-lo {
			kept = linalg.Matrix[float32]{}
			if kept, err = r.featureColumns(ctx, feature, d.of(d.train), lo, hi); err != nil {
				return kept, err
			}
			keptLo = lo
		}
		return kept, nil
	}
	var fitted []fittedHalf
	var regions []string
	for _, name := range map[string][]string{"early": r.Config.Decode.Early, "higher": r.Config.Decode.Higher}[region] {
		regions = append(regions, r.Config.Decode.Atlas+"/"+name)
	}
	for k, variant := range []string{"decoded", "shuffled"} {
		x := train
		if variant == "shuffled" {
			x = train.Take(decode.Shuffled(train.Rows, r.Config.Seed))
		}
		o := ridge.Options{Alphas: r.Config.Decode.Alphas, Folds: r.Config.Decode.Folds, MaxMemory: fitMemory}
		o.Progress = func(done, total int) { p(1000*k+1000*done/max(1, total), 2000) }
		m := &decode.Model{Feature: feature, Shape: shape, Images: d.of(d.train), Voxels: table.Voxels{N: x.Cols, Subject: fmri.Subject(subject), Chosen: regions},
			Options: decode.FitOptions{Score: o.Score.String()}}
		if m.Model, err = decode.FitTargets(ctx, x, y, o); err != nil {
			return nil, err
		}
		m.Summarise()
		h := fittedHalf{variant: variant, alphas: m.Alphas, fit: decoding.FitOf(m)}
		if h.predicted, err = m.Predict(test); err != nil {
			return nil, err
		}
		fitted = append(fitted, h)
	}
	return fitted, nil
}

// featureColumns reads columns lo to hi−1 of a feature of images.
func (r *Run) featureColumns(ctx context.Context, name string, ids []fmri.ImageID, lo, hi int) (linalg.Matrix[float32], error) {
	f, err := r.openFeature(name)
	if err != nil {
		return linalg.Matrix[float32]{}, err
	}
	defer f.Close()
	return decoding.Columns(ctx, f, ids, lo, hi)
}

// trueFeature is the images' own feature as a tensor of a file, read when it is written.
func (r *Run) trueFeature(name string, ids []fmri.ImageID) (safetensors.Streamed, error) {
	f, err := r.openFeature(name)
	if err != nil {
		return safetensors.Streamed{}, err
	}
	defer f.Close()
	return safetensors.Streamed{Name: "true." + name, DType: safetensors.F32, Shape: []int{len(ids), f.Width()}, Write: func(w io.Writer) error {
		f, err := r.openFeature(name)
		if err != nil {
			return err
		}
		defer f.Close()
		m, err := featureMatrix(f, ids)
		if err != nil {
			return err
		}
		return decode.StreamMatrix("", m).Write(w)
	}}, nil
}
