package experiment

import (
	"context"
	"fmt"

	"percept/cmd/percept/internal/stage"
	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/ridge"
	"percept/tensor"
	"percept/weights"
)

func decodedFile(subject string) string { return "decoded_" + subject + ".safetensors" }

// subjectData is what decoding needs of a subject: rows are images, means over repeats.
type subjectData struct {
	images        []fmri.ImageID // of each row
	test          []int          // rows of shared images
	train         []int
	counts        []int // trials behind each row
	early, higher ridge.Matrix
}

func (d *subjectData) write(path string) error {
	counts, isTest := make([]int32, len(d.images)), make([]int32, len(d.images))
	for i, n := range d.counts {
		counts[i] = int32(n)
	}
	for _, i := range d.test {
		isTest[i] = 1
	}
	return weights.WriteSafetensors(path, []weights.Named{
		namedIDs("images", d.images), namedMatrix("early", d.early), namedMatrix("higher", d.higher),
		weights.NamedI32("trials", counts, len(counts)), weights.NamedI32("is_test", isTest, len(isTest)),
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

// load reads a subject's responses.
func (r *Run) load(subject string) (d subjectData, err error) {
	f := openFile(r.runner.Path(responsesFile(subject)))
	d.images, d.early, d.higher = f.ids("images"), f.matrix("early"), f.matrix("higher")
	for i, t := range f.ids("is_test") {
		if t == 1 {
			d.test = append(d.test, i)
		} else {
			d.train = append(d.train, i)
		}
	}
	if err = f.close(); err != nil {
		return d, err
	}
	if len(d.test) < 2 || len(d.train) < r.Config.Decode.Folds {
		return d, fmt.Errorf("%s: %d training and %d test images, expected at least %d for the folds, and 2", subject, len(d.train), len(d.test), r.Config.Decode.Folds)
	}
	return d, nil
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
			d, err := r.load(subject)
			if err != nil {
				return err
			}
			train := decode.Data{Early: d.early.Take(d.train), Higher: d.higher.Take(d.train)}
			early, higher := d.early.Take(d.test), d.higher.Take(d.test)
			ids := d.of(d.test)
			out := []weights.Named{namedIDs("images", ids)}
			for _, k := range []struct {
				name  string
				train *ridge.Matrix
			}{{"z", &train.Z}, {"c", &train.C}} {
				f, err := r.openFeature(k.name)
				if err != nil {
					return err
				}
				defer f.Close()
				if *k.train, err = featureMatrix(f, d.of(d.train)); err != nil {
					return err
				}
				truth, err := featureMatrix(f, ids)
				if err != nil {
					return err
				}
				out = append(out, namedMatrix("true."+k.name, truth))
			}
			meta := map[string]string{}
			for k, variant := range []struct {
				name string
				data decode.Data
			}{{"decoded", train}, {"shuffled", train.ShufflePairs(r.Config.Seed)}} {
				// Each variant fits z, then c, and reports its parts anew for each.
				opt := ridge.Options{Alphas: o.Alphas, Folds: o.Folds}
				half := 0
				opt.Progress = func(done, total int) {
					if total > 0 {
						p(1000*(2*k+half)/4+250*done/total, 1000)
					}
					if done == total {
						half = 1
					}
				}
				m, err := decode.Fit(ctx, variant.data, opt)
				if err != nil {
					return fmt.Errorf("%s: %w", subject, err)
				}
				zHat, cHat, err := m.Predict(early, higher)
				if err != nil {
					return fmt.Errorf("%s: %w", subject, err)
				}
				out = append(out, namedMatrix(variant.name+".z", zHat), namedMatrix(variant.name+".c", cHat),
					weights.NamedF64(variant.name+".z.alphas", m.Z.Alphas, len(m.Z.Alphas)),
					weights.NamedF64(variant.name+".c.alphas", m.C.Alphas, len(m.C.Alphas)))
				meta[variant.name+".z.edge"], meta[variant.name+".c.edge"] = m.Z.Edge.String(), m.C.Edge.String()
			}
			return weights.WriteSafetensors(tmp, out, meta)
		},
	}
	return s, r.dependOnFeatures(&s)
}
