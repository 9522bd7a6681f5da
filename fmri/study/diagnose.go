package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"percept/cmd/percept/internal/decoding"
	"percept/fmri/decode"
	"percept/fmri/stats"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/tensor"
)

// diagnosisFolder says what a subject's decoded features are worth: z.json, z.png, c.json, c.png.
func diagnosisFolder(subject string) string { return "diagnosis_" + subject }

// diagnose compares what was decoded of a subject with the truth and with the training images.
func (r *Run) diagnose(subject string) (stage.Stage, error) {
	s := stage.Stage{
		Name: "diagnose-" + subject, Title: "diagnose " + subject, Output: diagnosisFolder(subject),
		Inputs: []string{decodedFile(subject), responsesFile(subject)},
		Params: map[string]any{"seed": r.Config.Seed, "bootstrap": r.Config.Score.Bootstrap}, Extra: map[string]string{"kernels": tensor.KernelSet()},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			if err := os.MkdirAll(tmp, 0o777); err != nil {
				return err
			}
			for k, half := range halves {
				part := func(done, total int) { p(1000*k/len(halves)+1000*done/max(1, total)/len(halves), 1000) }
				report, err := r.diagnoseHalf(ctx, subject, half.feature, part)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", subject, half.feature, err)
				}
				base := filepath.Join(tmp, half.feature)
				if err := report.Write(base+".json", base+".png"); err != nil {
					return err
				}
			}
			return nil
		},
	}
	return s, r.dependOnFeatures(&s)
}

func (r *Run) diagnoseHalf(ctx context.Context, subject, feature string, p stage.Progress) (*decoding.Report, error) {
	d, _, err := r.load(subject, "")
	if err != nil {
		return nil, err
	}
	f := openFile(r.runner.Path(decodedFile(subject)))
	decoded, truth := f.matrix("decoded."+feature), f.matrix("true."+feature)
	var fit decoding.Fitted
	if f.err == nil {
		f.err = json.Unmarshal([]byte(f.store.Metadata()["decoded."+feature+".fit"]), &fit)
	}
	if err := f.close(); err != nil {
		return nil, err
	}
	file, err := r.openFeature(feature)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	o := decode.DiagnoseOptions{Images: d.of(d.test), Train: decoding.TrainRows(ctx, file, d.of(d.train)), Progress: p,
		Resampling: stats.Resampling{Samples: r.Config.Score.Bootstrap, Seed: r.Config.Seed}}
	diagnosis, err := decode.Diagnose(truth, decoded, o)
	return &decoding.Report{Part: "test", Fit: fit, Diagnosis: diagnosis}, err
}

// diagnoses reads what the page shows of them.
func (r *Run) diagnoses() (all []report.Diagnosis, err error) {
	for _, subject := range r.Config.Subjects {
		for _, half := range halves {
			path := filepath.Join(r.runner.Path(diagnosisFolder(subject)), half.feature+".json")
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			var d decoding.Report
			if err := json.Unmarshal(b, &d); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			all = append(all, shownDiagnosis(subject, half.feature, half.region, &d))
		}
	}
	return all, nil
}

func shownDiagnosis(subject, feature, region string, r *decoding.Report) report.Diagnosis {
	d := r.Diagnosis
	score := func(s decode.Score) report.Value {
		return report.Value{Text: fmt.Sprintf("%.3f", s.Mean), Small: fmt.Sprintf("%.3f – %.3f", s.Low, s.High)}
	}
	percent := func(v decode.Identified) report.Value {
		return report.Value{Text: fmt.Sprintf("%.1f %%", 100*v.Accuracy), Small: fmt.Sprintf("%.1f – %.1f %%", 100*v.Low, 100*v.High)}
	}
	shown := report.Diagnosis{Subject: subject, Feature: feature, From: region, True: d.Dimension.True.Singular, Decoded: d.Dimension.Decoded.Singular}
	shown.Values = []report.Value{
		score(d.Pattern), score(d.Centred), score(d.Target), score(d.R2), percent(d.FixTrue),
		{Text: fmt.Sprintf("%.2f", d.Variance.Total), Small: fmt.Sprintf("targets %.2f – %.2f", d.Variance.Quantiles[0], d.Variance.Quantiles[4])},
		{Text: fmt.Sprintf("%.1f", d.Dimension.Decoded.Participation), Small: fmt.Sprintf("truth %.1f", d.Dimension.True.Participation)},
		{Text: "–"},
		{Text: fmt.Sprintf("%d", r.Fit.Low+r.Fit.High), Small: fmt.Sprintf("of %d: %d low, %d high", d.Targets-r.Fit.Flat, r.Fit.Low, r.Fit.High)},
	}
	if n := d.Nearest; n != nil {
		shown.Values[7] = report.Value{Text: fmt.Sprintf("%d of %d", n.Nearer, d.Images), Small: fmt.Sprintf("%d different ones", n.Named)}
	}
	return shown
}

// diagnosisColumns are the heads of the page's table of diagnoses.
var diagnosisColumns = []report.Column{
	{Title: "pattern r", Explain: "correlation of decoded and true feature over its values, mean over test images, as the published code prints it"},
	{Title: "about the mean", Explain: "the same after the mean over test images has been taken off both: a mean that all images share counts for nothing"},
	{Title: "target r", Explain: "correlation over test images, mean over the feature's values"},
	{Title: "target R²", Explain: "1 less the squared error over the variance, mean over the feature's values"},
	{Title: "2-way", Explain: "two-way identification by pattern correlation: the true feature against its own and another decoded one"},
	{Title: "variance kept", Explain: "variance of predictions over test images over that of the truth; small print: 5 to 95 % of the feature's values"},
	{Title: "dimension", Explain: "participation ratio of the predictions' spectrum; small print: that of the truth over the same images"},
	{Title: "nearer to training", Explain: "test images whose decoded feature is nearer to that of a training image than to their own; small print: how many training images are nearest to one"},
	{Title: "at edge", Explain: "feature values whose penalty is the smallest or largest of the grid: a wider one may be better"},
}
