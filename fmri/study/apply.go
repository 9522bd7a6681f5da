package study

import (
	"context"
	"path/filepath"
	"strings"

	"percept/fmri/diagnose"
	"percept/fmri/fit"
	"percept/fmri/stats"
	"percept/fmri/study/report"
	"percept/fmri/table"
	"percept/internal/atomicfile"
	"percept/tensor"
)

// ApplyRequest is what is asked of Apply.
type ApplyRequest struct {
	Model             string // file of a decoder
	Responses, Images string // see table.OpenResponses
	Mask              string // of responses that are an array, see Table.Masked; empty: all voxels
	Part              string // of a folder: train or test
	Truth             string // features to compare with, see table.OpenFeatures; empty: no diagnosis
	Seed              uint64 // of the diagnosis's intervals
	Version           string
	Progress          func(done, total int) // of the diagnosis; may be nil
	Note              func(line string)     // told which axes of a file were taken for what; may be nil
}

// Applied is what Apply has left.
type Applied struct {
	Rows      int
	TrainedOn *int // rows of images that the decoder was fitted on; nil where that is not known
	Columns   table.Columns
	UpToDate  bool // the features were there already
	Diagnosis *Diagnosis
	JSON, PNG string // files of the diagnosis
}

// Apply predicts features from responses and leaves them in the file out, which is one as percept features makes. With a
// truth it leaves a diagnosis beside it, a JSON file and a picture. Decoders are those of percept fit, or of a run's directory.
func Apply(ctx context.Context, out string, q ApplyRequest) (*Applied, error) {
	m, sum, err := openModel(q.Model)
	if err != nil {
		return nil, err
	}
	x, err := table.OpenResponses(q.Responses, q.Part, nil, q.Images)
	if err != nil {
		return nil, err
	}
	note := func(line string) {
		if line != "" && q.Note != nil {
			q.Note(line)
		}
	}
	note(x.Note)
	if q.Mask != "" {
		if x, err = x.Masked(q.Mask); err != nil {
			return nil, err
		}
	}
	var truth *table.Table
	if q.Truth != "" {
		if truth, err = openTruth(q.Truth, m, x); err != nil {
			return nil, err
		}
	}
	if truth != nil {
		note(truth.Note)
	}
	predicted, err := m.Predict(ctx, x)
	if err != nil {
		return nil, err
	}
	d := &Applied{Rows: predicted.Len(), TrainedOn: trainedOn(m, x), Columns: m.Y.Columns}
	own := predictionMeta(m, x)
	own["decoder_sha256"], own["part"], own["program"] = sum, q.Part, "percept "+q.Version
	if d.UpToDate, err = table.Write(ctx, out, predicted, own); err != nil || truth == nil {
		return d, err
	}
	d.Diagnosis = &Diagnosis{Decoder: sum, Responses: x.Sum, Truth: truth.Sum, Part: q.Part, TrainedOn: d.TrainedOn, Fit: m.Summary(),
		Made: report.Decoded}
	if m.Y.Voxels != nil {
		d.Diagnosis.Made = report.Predicted
	}
	m.Coef.Data = nil // room
	o := diagnose.Options{Resampling: stats.Resampling{Seed: q.Seed}, Progress: q.Progress}
	predicted, joined, err := table.Join(predicted, truth)
	if err != nil {
		return d, err
	}
	if truth.Rows.Images != nil && len(m.Images) > 0 && truth.Has(m.Images) {
		if o.Train, err = truth.ByImage(table.Rows{Images: m.Images}.Distinct()); err != nil {
			return d, err
		}
	}
	if d.Diagnosis.Diagnosis, err = diagnose.Compare(ctx, joined, predicted, o); err != nil {
		return d, err
	}
	base := strings.TrimSuffix(out, filepath.Ext(out)) + ".diagnosis"
	d.JSON, d.PNG = base+".json", base+".png"
	return d, d.Diagnosis.Write(d.JSON, d.PNG)
}

// trainedOn is fit.Model.TrainedOn for a JSON file.
func trainedOn(m *fit.Model, x *table.Table) *int {
	n, known := m.TrainedOn(x.Rows)
	if !known {
		return nil
	}
	return &n
}

// openTruth opens the features to compare with, which have to be the kind that the decoder was fitted on, of the rows of x.
func openTruth(path string, m *fit.Model, x *table.Table) (*table.Table, error) {
	truth, err := table.OpenFeatures(path, m.Y.Name)
	if err == nil {
		err = m.Truth(truth)
	}
	if err == nil {
		_, _, err = table.Join(x, truth)
	}
	return truth, err
}

// predictionMeta says what predictions from x were made of.
func predictionMeta(m *fit.Model, x *table.Table) map[string]string {
	v := m.X.Voxels
	if v == nil {
		return map[string]string{"source": "encoded from " + m.X.Name, "features": x.Sum, "kernels": tensor.KernelSet()}
	}
	return map[string]string{"source": "decoded from responses", "responses": x.Sum, "kernels": tensor.KernelSet(),
		"subject": string(v.Subject), "regions": strings.Join(v.Named(), " ")}
}

// Diagnosis is what predictions are worth, with what they are of.
type Diagnosis struct {
	Decoder   string              `json:"decoder_sha256,omitempty"`
	Responses string              `json:"responses,omitempty"`
	Truth     string              `json:"features,omitempty"`
	Part      string              `json:"part,omitempty"`
	TrainedOn *int                `json:"rows_trained_on"` // rows of images that the decoder was fitted on; null: not known
	Made      report.Made         `json:"made"`            // the word for the predictions: responses are predicted, features decoded
	Fit       fit.Summary         `json:"fit"`
	Diagnosis *diagnose.Diagnosis `json:"diagnosis"`
}

// Write writes the diagnosis to a JSON file and a picture.
func (d *Diagnosis) Write(jsonFile, pngFile string) error {
	if err := writeJSON(jsonFile, d, " "); err != nil {
		return err
	}
	b, err := report.DrawDiagnosis(d.Diagnosis, d.Fit, d.Made)
	if err != nil {
		return err
	}
	return atomicfile.Write(pngFile, b)
}
