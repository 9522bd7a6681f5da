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

// load reads a subject's responses and the features of the same images.
func (r *Run) load(subject string) (d subjectData, z, c ridge.Matrix, err error) {
	f := openFile(r.stages.Path(responsesFile(subject)))
	d.images, d.early, d.higher = f.ids("images"), f.matrix("early"), f.matrix("higher")
	for i, t := range f.ids("is_test") {
		if t == 1 {
			d.test = append(d.test, i)
		} else {
			d.train = append(d.train, i)
		}
	}
	if err = f.close(); err != nil {
		return d, z, c, err
	}
	if len(d.test) == 0 || len(d.train) == 0 {
		return d, z, c, fmt.Errorf("%s: %d training and %d test images, expected some of each", subject, len(d.train), len(d.test))
	}
	g := openFile(r.stages.Path(featuresFile))
	have := g.ids("images")
	z, c = g.matrix("z"), g.matrix("c")
	if err = g.close(); err != nil {
		return d, z, c, err
	}
	if z, err = rowsOf(z, have, d.images); err != nil {
		return d, z, c, err
	}
	c, err = rowsOf(c, have, d.images)
	return d, z, c, err
}

// decode fits the subject's decoders and writes ẑ and ĉ of the test images: from the responses, and
// from decoders fitted on shuffled pairs.
func (r *Run) decode(ctx context.Context, subject string) error {
	o := r.Config.Decode
	return r.stages.Do(ctx, stage.Stage{
		Name: "decode-" + subject, Title: "fit and decode " + subject, Output: decodedFile(subject),
		Inputs: []string{responsesFile(subject), featuresFile}, Params: []any{o.Folds, o.Alphas, r.Config.Seed},
		Extra: map[string]string{"kernels": tensor.KernelSet()},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			d, z, c, err := r.load(subject)
			if err != nil {
				return err
			}
			train := decode.Data{Early: d.early.Take(d.train), Higher: d.higher.Take(d.train), Z: z.Take(d.train), C: c.Take(d.train)}
			early, higher := d.early.Take(d.test), d.higher.Take(d.test)
			ids := make([]fmri.ImageID, len(d.test))
			for i, row := range d.test {
				ids[i] = d.images[row]
			}
			out := []weights.Named{namedIDs("images", ids), namedMatrix("true.z", z.Take(d.test)), namedMatrix("true.c", c.Take(d.test))}
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
	})
}
