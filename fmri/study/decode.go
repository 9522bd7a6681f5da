package study

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"percept/fmri/fit"
	"percept/fmri/study/stage"
	"percept/fmri/table"
	"percept/internal/filesum"
	"percept/tensor"
)

// Folders of a subject with a file for each fit.
func decodersFolder(subject string) string { return "decoders_" + subject }
func decodedFolder(subject string) string  { return "decoded_" + subject }
func controlFolder(subject string) string  { return "control_" + subject }

func fitFile(dir, name string) string { return filepath.Join(dir, name+".safetensors") }

// forEach is a stage that does something for each of some fits; what it finds done in its folder it leaves.
func (r *Run) forEach(name, title, output, subject string, inputs []string, params any, fits []Fit,
	do func(ctx context.Context, path string, f Fit, p stage.Progress) error) (stage.Stage, error) {
	s := stage.Stage{
		Name: name + "-" + subject, Title: title + " " + subject, Output: output, Inputs: inputs, Params: params,
		Extra: map[string]string{"kernels": tensor.KernelSet()}, Resumes: true,
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			defer fit.BoundMemory(fitMemory)()
			for k, f := range fits {
				part := func(done, total int) { p(1000*k/len(fits)+1000*done/max(1, total)/len(fits), 1000) }
				if err := do(ctx, fitFile(tmp, f.Name), f, part); err != nil {
					return fmt.Errorf("%s: fit %s: %w", subject, f.Name, err)
				}
				part(1, 1)
			}
			return sweep(tmp)
		},
	}
	return s, r.dependOnFeatures(&s)
}

// fit fits a subject's models.
func (r *Run) fit(subject string) (stage.Stage, error) {
	fits := r.Config.fits()
	return r.forEach("fit", "fit", decodersFolder(subject), subject, []string{responsesFolder(subject)}, map[string]any{"fits": fits}, fits,
		func(ctx context.Context, path string, f Fit, p stage.Progress) error {
			x, y := f.operands()
			of, err := r.open(x, subject, train)
			if err != nil {
				return err
			}
			to, err := r.open(y, subject, train)
			if err != nil {
				return err
			}
			o := f.options(r.program())
			o.Ridge.Progress = p
			_, _, err = fit.Save(ctx, path, of, to, o)
			return err
		})
}

// decode predicts, for the test images, what was fitted.
func (r *Run) decode(subject string) (stage.Stage, error) {
	fits := r.Config.fits()
	return r.forEach("decode", "decode", decodedFolder(subject), subject, []string{responsesFolder(subject), decodersFolder(subject)}, map[string]any{"fits": fits}, fits,
		func(ctx context.Context, path string, f Fit, _ stage.Progress) error {
			decoder := fitFile(r.runner.Path(decodersFolder(subject)), f.Name)
			m, err := fit.Open(decoder)
			if err != nil {
				return err
			}
			sum, err := filesum.Hex(decoder)
			if err != nil {
				return err
			}
			return r.predict(ctx, path, m, f, subject, map[string]string{"decoder_sha256": sum})
		})
}

// control fits what pictures are made of on shuffled pairs of brain and image, and predicts as decode does: what there is to
// know without a brain. With one seed all regions move together.
func (r *Run) control(subject string) (stage.Stage, error) {
	fits := []Fit{*r.Config.renders("z"), *r.Config.renders("c")}
	return r.forEach("control", "fit shuffled pairs of", controlFolder(subject), subject, []string{responsesFolder(subject)}, map[string]any{"fits": fits, "seed": r.Config.Seed}, fits,
		func(ctx context.Context, path string, f Fit, p stage.Progress) error {
			if _, err := os.Stat(path); err == nil {
				return nil // of this stage before it was interrupted: files appear when they are complete
			}
			x, y := f.operands()
			of, err := r.open(x, subject, train)
			if err != nil {
				return err
			}
			to, err := r.open(y, subject, train)
			if err != nil {
				return err
			}
			o := f.options(r.program())
			o.Ridge.Progress = p
			m, err := fit.Fit(ctx, of.Shuffled(r.Config.Seed), to, o)
			if err != nil {
				return err
			}
			return r.predict(ctx, path, m, f, subject, map[string]string{"shuffled": fmt.Sprint(r.Config.Seed)})
		})
}

// predict writes what a model predicts of the test images.
func (r *Run) predict(ctx context.Context, path string, m *fit.Model, f Fit, subject string, own map[string]string) error {
	x, _ := f.operands()
	of, err := r.open(x, subject, test)
	if err != nil {
		return err
	}
	predicted, err := m.Predict(ctx, of)
	if err != nil {
		return err
	}
	meta := predictionMeta(m, of)
	maps.Copy(meta, own)
	meta["part"], meta["program"] = test, r.program()
	_, err = table.Write(ctx, path, predicted, meta)
	return err
}
