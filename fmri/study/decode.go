package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"percept/fmri/fit"
	"percept/fmri/study/stage"
	"percept/fmri/table"
	"percept/internal/filesum"
	"percept/tensor"
	"percept/weights/safetensors"
)

// Folders of a subject with a file for each fit.
func decodersFolder(subject string) string { return "decoders_" + subject }
func decodedFolder(subject string) string  { return "decoded_" + subject }
func controlFolder(subject string) string  { return "control_" + subject }

// tables is the extension of models and predictions.
const tables = ".safetensors"

// fitFile is the file of a fit in a folder of the run directory.
func (r *Run) fitFile(folder string, f Fit) string {
	return filepath.Join(r.runner.Path(folder), f.Name+tables)
}

// eachFit makes a stage that does something for each of some fits. do leaves a file NAME.ext, at path, last and complete: fits
// that have theirs when an interrupted stage goes on are done.
func (r *Run) eachFit(s stage.Stage, subject string, fits []Fit, params map[string]any, ext string,
	do func(ctx context.Context, path string, f Fit, p stage.Progress) error) (stage.Stage, error) {
	const steps = 1000 // of a fit
	s.Name, s.Title = s.Name+"-"+subject, s.Title+" "+subject
	s.Inputs = append(s.Inputs, responsesFolder(subject))
	params["fits"] = fits
	s.Params, s.Extra, s.Resumes = params, map[string]string{"kernels": tensor.KernelSet()}, true
	s.Run = func(ctx context.Context, tmp string, p stage.Progress) error {
		defer fit.BoundMemory(fitMemory)()
		for k, f := range fits {
			path := filepath.Join(tmp, f.Name+ext)
			if !whole(path) {
				part := func(done, total int) { p(steps*k+steps*done/max(1, total), steps*len(fits)) }
				if err := do(ctx, path, f, part); err != nil {
					return fmt.Errorf("%s: fit %s: %w", subject, f.Name, err)
				}
			}
			p(steps*(k+1), steps*len(fits))
		}
		return sweep(tmp)
	}
	return s, r.dependOnFeatures(&s)
}

// whole says whether a file of an interrupted stage can stay. Files appear when they are complete, but a system may go down before
// they are on the disk: a cut one is removed.
func whole(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	if filepath.Ext(path) != tables {
		return true
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return os.Remove(path) != nil // what cannot be removed says so when it is written
	}
	f.Close()
	return true
}

// fit fits a subject's models.
func (r *Run) fit(subject string) (stage.Stage, error) {
	s := stage.Stage{Name: "fit", Title: "fit", Output: decodersFolder(subject)}
	return r.eachFit(s, subject, r.Config.fits(), map[string]any{}, tables,
		func(ctx context.Context, path string, f Fit, p stage.Progress) error {
			m, err := r.fitted(ctx, subject, f, false, p)
			if err != nil {
				return err
			}
			return m.Write(path)
		})
}

// decode predicts, for the test images, what was fitted.
func (r *Run) decode(subject string) (stage.Stage, error) {
	s := stage.Stage{Name: "decode", Title: "decode", Output: decodedFolder(subject), Inputs: []string{decodersFolder(subject)}}
	return r.eachFit(s, subject, r.Config.fits(), map[string]any{}, tables,
		func(ctx context.Context, path string, f Fit, _ stage.Progress) error {
			m, sum, err := openModel(r.fitFile(decodersFolder(subject), f))
			if err != nil {
				return err
			}
			return r.predict(ctx, path, m, f, subject, "decoder_sha256", sum)
		})
}

// control fits what pictures are made of on shuffled pairs of brain and image, and predicts as decode does: what there is to
// know without a brain. With one seed all regions move together.
func (r *Run) control(subject string) (stage.Stage, error) {
	s := stage.Stage{Name: "control", Title: "fit shuffled pairs of", Output: controlFolder(subject)}
	fits := []Fit{*r.Config.renders("z"), *r.Config.renders("c")}
	return r.eachFit(s, subject, fits, map[string]any{"seed": r.Config.Seed}, tables,
		func(ctx context.Context, path string, f Fit, p stage.Progress) error {
			m, err := r.fitted(ctx, subject, f, true, p)
			if err != nil {
				return err
			}
			return r.predict(ctx, path, m, f, subject, "shuffled", fmt.Sprint(r.Config.Seed))
		})
}

// fitted is a model of a subject's training images, or of shuffled pairs of them.
func (r *Run) fitted(ctx context.Context, subject string, f Fit, shuffled bool, p stage.Progress) (*fit.Model, error) {
	of, to := f.operands()
	x, err := r.open(of, subject, train)
	if err != nil {
		return nil, err
	}
	y, err := r.open(to, subject, train)
	if err != nil {
		return nil, err
	}
	if shuffled {
		x = x.Shuffled(r.Config.Seed)
	}
	o := f.options(r.program())
	o.Ridge.Progress = p
	return fit.Fit(ctx, x, y, o)
}

// openModel reads a model and the sum of its file.
func openModel(path string) (m *fit.Model, sum string, err error) {
	if m, err = fit.Open(path); err != nil {
		return nil, "", err
	}
	sum, err = filesum.Hex(path)
	return m, sum, err
}

// predict writes what a model predicts of the test images, with one more thing that it was made of.
func (r *Run) predict(ctx context.Context, path string, m *fit.Model, f Fit, subject, key, value string) error {
	of, _ := f.operands()
	x, err := r.open(of, subject, test)
	if err != nil {
		return err
	}
	predicted, err := m.Predict(ctx, x)
	if err != nil {
		return err
	}
	meta := predictionMeta(m, x)
	meta[key], meta["part"], meta["program"] = value, test, r.program()
	_, err = table.Write(ctx, path, predicted, meta)
	return err
}
