package study

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri/diagnose"
	"percept/fmri/fit"
	"percept/fmri/stats"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/fmri/table"
)

// diagnosisFolder says what a subject's predictions are worth: NAME.json and NAME.png of each fit.
func diagnosisFolder(subject string) string { return "diagnosis_" + subject }

// diagnose compares what was predicted for a subject with the truth and with the training images.
func (r *Run) diagnose(subject string) (stage.Stage, error) {
	s := stage.Stage{Name: "diagnose", Title: "diagnose", Output: diagnosisFolder(subject),
		Inputs: []string{decodedFolder(subject), decodersFolder(subject)}}
	params := map[string]any{"seed": r.Config.Seed, "bootstrap": r.Config.Score.Bootstrap}
	return r.eachFit(s, subject, r.Config.fits(), params, ".png",
		func(ctx context.Context, path string, f Fit, p stage.Progress) error {
			d, err := r.diagnoseFit(ctx, subject, f, p)
			if err != nil {
				return err
			}
			return d.Write(strings.TrimSuffix(path, ".png")+".json", path)
		})
}

func (r *Run) diagnoseFit(ctx context.Context, subject string, f Fit, p stage.Progress) (*Diagnosis, error) {
	m, err := fit.Head(r.fitFile(decodersFolder(subject), f))
	if err != nil {
		return nil, err
	}
	decoded, err := r.decoded(decodedFolder(subject), f)
	if err != nil {
		return nil, err
	}
	_, y := f.operands()
	truth, err := r.open(y, subject, test)
	if err != nil {
		return nil, err
	}
	o := diagnose.Options{Progress: p, Resampling: stats.Resampling{Samples: r.Config.Score.Bootstrap, Seed: r.Config.Seed}}
	if o.Train, err = r.open(y, subject, train); err != nil {
		return nil, err
	}
	d, err := diagnose.Compare(ctx, truth, decoded, o)
	return &Diagnosis{Part: test, TrainedOn: trainedOn(m, decoded), Fit: m.Summary(), Diagnosis: d, Made: f.made()}, err
}

// decoded opens what a fit predicted, in a folder of the run directory.
func (r *Run) decoded(folder string, f Fit) (*table.Table, error) {
	file, err := table.OpenFile(r.fitFile(folder, f))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Table(), nil
}

// diagnoses reads what the page shows of them.
func (r *Run) diagnoses() (all []report.Diagnosis, err error) {
	for _, subject := range r.Config.Subjects {
		for _, f := range r.Config.fits() {
			path := filepath.Join(r.runner.Path(diagnosisFolder(subject)), f.Name+".json")
			var d Diagnosis
			if err := readJSON(path, &d); err != nil {
				return nil, err
			}
			all = append(all, d.shown(subject, f))
		}
	}
	return all, nil
}

// shown is the diagnosis as a row of the page's table.
func (d *Diagnosis) shown(subject string, f Fit) report.Diagnosis {
	x, w := d.Diagnosis, d.Fit
	score := func(s diagnose.Score) report.Value {
		return report.Value{Text: fmt.Sprintf("%.3f", s.Mean), Small: fmt.Sprintf("%.3f – %.3f", s.Low, s.High)}
	}
	percent := func(v diagnose.Identified) report.Value {
		return report.Value{Text: fmt.Sprintf("%.1f %%", 100*v.Accuracy), Small: fmt.Sprintf("%.1f – %.1f %%", 100*v.Low, 100*v.High)}
	}
	shown := report.Diagnosis{Subject: subject, Feature: f.Name, From: f.from(), Made: f.made(), True: x.Dimension.True.Singular,
		Decoded: x.Dimension.Decoded.Singular}
	shown.Values = []report.Value{
		score(x.Pattern), score(x.Centred), score(x.Target), score(x.R2), percent(x.FixTrue),
		{Text: fmt.Sprintf("%.2f", x.Variance.Total), Small: fmt.Sprintf("targets %.2f – %.2f", x.Variance.Quantiles[0],
			x.Variance.Quantiles[4])},
		{Text: fmt.Sprintf("%.1f", x.Dimension.Decoded.Participation), Small: fmt.Sprintf("truth %.1f", x.Dimension.True.Participation)},
		{Text: "–"},
		{Text: fmt.Sprintf("%d", w.Low+w.High), Small: fmt.Sprintf("of %d: %d low, %d high", x.Targets-w.Flat, w.Low, w.High)},
	}
	if n := x.Nearest; n != nil {
		shown.Values[7] = report.Value{Text: fmt.Sprintf("%d of %d", n.Nearer, x.Images), Small: fmt.Sprintf("%d different ones", n.Named)}
	}
	return shown
}

// made is the word for what the fit makes.
func (f Fit) made() report.Made {
	if _, y := f.operands(); y.region != "" {
		return report.Predicted
	}
	return report.Decoded
}

// diagnosisColumns are the heads of the page's table of diagnoses, in the words of decoders, or of all fits where one predicts
// responses.
func (c Config) diagnosisColumns() []report.Column {
	made, what, own, values := "decoded", "feature", "its values", "the feature's values"
	if slices.ContainsFunc(c.fits(), func(f Fit) bool { return f.made() == report.Predicted }) {
		made, what, own, values = "predicted", "pattern", "voxels or a feature's values", "voxels or the feature's values"
	}
	return []report.Column{
		{Title: "pattern r", Explain: fmt.Sprintf(
			"correlation of %s and true %s over %s, mean over test images, as the published code prints it", made, what, own)},
		{Title: "about the mean", Explain: "the same after the mean over test images has been taken off both: " +
			"a mean that all images share counts for nothing"},
		{Title: "target r", Explain: "correlation over test images, mean over " + values},
		{Title: "target R²", Explain: "1 less the squared error over the variance, mean over " + values},
		{Title: "2-way", Explain: fmt.Sprintf(
			"two-way identification by pattern correlation: the true %s against its own and another %s one", what, made)},
		{Title: "variance kept", Explain: "variance of predictions over test images over that of the truth; small print: 5 to 95 % of " + values},
		{Title: "dimension", Explain: "participation ratio of the predictions' spectrum; small print: that of the truth over the same images"},
		{Title: "nearer to training", Explain: fmt.Sprintf("test images whose %s %s is nearer to that of a training image than "+
			"to their own; small print: how many training images are nearest to one", made, what)},
		{Title: "at edge", Explain: map[string]string{"feature": "feature values", "pattern": "voxels or feature values"}[what] +
			" whose penalty is the smallest or largest of the grid: a wider one may be better"},
	}
}
