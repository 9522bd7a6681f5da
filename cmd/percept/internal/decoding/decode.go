package decoding

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/stats"
	"percept/fmri/study/report"
	"percept/fmri/table"
	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/internal/filesum"
	"percept/tensor"
	"percept/tensor/linalg"
)

// DecodeRequest is what is asked of Decode.
type DecodeRequest struct {
	Model             string // file of a decoder
	Responses, Images string // see OpenResponses
	Part              string // of a folder: train or test
	Truth             string // features to compare with, see OpenFeatures; empty: no diagnosis
	Seed              uint64 // of the diagnosis's intervals
	Version           string
	Progress          func(done, total int) // of the diagnosis; may be nil
}

// Decoded is what Decode has left.
type Decoded struct {
	Rows      int
	Shape     []int
	UpToDate  bool // the features were there already
	Diagnosis *Report
	JSON, PNG string // files of the diagnosis
}

// Decode predicts features from responses and leaves them in the file out, which is one as percept features makes. With a
// truth it leaves a diagnosis beside it, a JSON file and a picture.
func Decode(ctx context.Context, out string, q DecodeRequest) (*Decoded, error) {
	m, err := decode.ReadModel(q.Model)
	if err != nil {
		return nil, err
	}
	sum, err := filesum.Hex(q.Model)
	if err != nil {
		return nil, err
	}
	r, err := OpenResponses(q.Responses, q.Part, nil, q.Images)
	if err != nil {
		return nil, err
	}
	x, err := r.At(m)
	if err != nil {
		return nil, err
	}
	r.X = linalg.Matrix[float32]{Rows: x.Rows, Cols: x.Cols} // the rest is not needed
	var f *Features
	if q.Truth != "" {
		if f, err = openTruth(q.Truth, m, r); err != nil {
			return nil, err
		}
	}
	predicted, err := m.Predict(x)
	if err != nil {
		return nil, err
	}
	d := &Decoded{Rows: x.Rows, Shape: m.Shape}
	if d.UpToDate, err = write(out, predicted, m, r, map[string]string{"decoder_sha256": sum, "part": q.Part, "program": "percept " + q.Version}); err != nil || f == nil {
		return d, err
	}
	m.Coef.Data = nil // room
	truth, err := f.Columns(ctx, r.Images, 0, f.Width())
	if err != nil {
		return d, err
	}
	d.Diagnosis = &Report{Decoder: sum, Responses: r.Sum, Truth: f.Sum, Part: q.Part, Fit: FitOf(m)}
	o := decode.DiagnoseOptions{Images: r.Images, Resampling: stats.Resampling{Seed: q.Seed}, Progress: q.Progress}
	if rows, done, err := f.train(ctx, m.Images); err != nil {
		return d, err
	} else if rows != nil {
		defer done()
		o.Train = rows
	}
	if d.Diagnosis.Diagnosis, err = decode.Diagnose(truth, predicted, o); err != nil {
		return d, err
	}
	base := strings.TrimSuffix(out, filepath.Ext(out)) + ".diagnosis"
	d.JSON, d.PNG = base+".json", base+".png"
	return d, d.Diagnosis.Write(d.JSON, d.PNG)
}

// openTruth opens the features to compare with, which have to be the kind that the decoder was fitted on.
func openTruth(path string, m *decode.Model, r *Responses) (*Features, error) {
	f, err := OpenFeatures(path, m.Feature)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(f.Shape, m.Shape) {
		return nil, fmt.Errorf("%s: %s of %s, expected %s, as the decoder predicts", path, f.Name, NamedShape(f.Shape), NamedShape(m.Shape))
	}
	for _, k := range slices.Sorted(maps.Keys(m.FeatureMeta)) {
		if have, want := f.Meta[k], m.FeatureMeta[k]; f.Meta != nil && have != want && !ofTheFile[k] {
			return nil, fmt.Errorf("%s: made with %s %q, expected %q, as the decoder was fitted on", path, k, have, want)
		}
	}
	return f, f.Fits(r)
}

// ofTheFile are keys of a feature's metadata that do not say what kind of feature it is.
var ofTheFile = map[string]bool{"kernels": true, "forms": true, "program": true, "source": true, "request": true, "shard": true, "weights": true, "model": true}

// write leaves predictions in a file of features.
func write(out string, predicted linalg.Matrix[float32], m *decode.Model, r *Responses, own map[string]string) (upToDate bool, err error) {
	ids := r.Images
	if ids == nil {
		for i := range predicted.Rows {
			ids = append(ids, fmri.ImageID(i))
		}
	}
	meta := map[string]string{}
	for k, v := range m.FeatureMeta { // what the numbers mean; readers of features look for the model
		if k != "request" && k != "shard" {
			meta[k] = v
		}
	}
	maps.Copy(meta, own)
	meta["source"] = "decoded from responses"
	meta["responses"], meta["kernels"], meta["subject"] = r.Sum, tensor.KernelSet(), string(m.Voxels.Subject)
	meta["regions"] = strings.Join(m.Voxels.Named(), " ")
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return false, fmt.Errorf("%s: its folder cannot be made: %w", out, cause.Of(err))
	}
	w, err := table.Create(out, table.Spec{Name: m.Feature, Shape: m.Shape, DType: dtype, Images: ids, Meta: meta})
	if err != nil {
		return false, err
	}
	defer w.Close()
	upToDate = true
	for c := range w.Chunks() {
		lo, hi := w.Rows(c)
		if w.Done(c) {
			continue
		}
		upToDate = false
		if err := w.Put(c, predicted.Slice(lo, hi, 0, predicted.Cols).Data); err != nil {
			return false, err
		}
	}
	return upToDate, w.Finish()
}

// train is the features of the training images, nil where they are not in the file; call the function at the end.
func (f *Features) train(ctx context.Context, ids []fmri.ImageID) (*decode.Rows, func(), error) {
	if f.y != nil || !f.Has(ids) {
		return nil, nil, nil
	}
	file, err := table.OpenFile(f.Path)
	if err != nil {
		return nil, nil, err
	}
	return TrainRows(ctx, file, ids), func() { file.Close() }, nil
}

// TrainRows are the features of training images, each once, until ctx is done.
func TrainRows(ctx context.Context, file *table.File, ids []fmri.ImageID) *decode.Rows {
	rows := &decode.Rows{}
	seen := map[fmri.ImageID]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			rows.Images = append(rows.Images, id)
		}
	}
	rows.Read = func(dst []float32, i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return file.Row(dst, rows.Images[i])
	}
	return rows
}

// Report is a diagnosis with what it is of.
type Report struct {
	Decoder   string            `json:"decoder_sha256,omitempty"`
	Responses string            `json:"responses,omitempty"`
	Truth     string            `json:"features,omitempty"`
	Part      string            `json:"part,omitempty"`
	Fit       Fitted            `json:"fit"`
	Diagnosis *decode.Diagnosis `json:"diagnosis"`
}

// Fitted is what a diagnosis says of the fit.
type Fitted struct {
	Feature   string           `json:"feature"`
	Shape     []int            `json:"shape"`
	Voxels    int              `json:"voxels"`
	Subject   string           `json:"subject,omitempty"`
	Regions   []string         `json:"regions,omitempty"`
	Rows      int              `json:"training_rows,omitempty"`
	Score     string           `json:"score"`
	CVScore   float64          `json:"cv_score"` // mean over targets
	Low       int              `json:"targets_at_smallest_penalty"`
	High      int              `json:"targets_at_largest_penalty"`
	Flat      int              `json:"targets_without_variance"`
	Penalties []decode.Penalty `json:"penalties"`
}

// FitOf takes it from a decoder.
func FitOf(m *decode.Model) Fitted {
	return Fitted{Feature: m.Feature, Shape: m.Shape, Voxels: m.Voxels.N, Subject: string(m.Voxels.Subject), Regions: m.Voxels.Named(), Rows: len(m.Images),
		Score: m.Options.Score, CVScore: stats.Mean(m.CVScores), Low: m.Edge.Low, High: m.Edge.High, Flat: m.Edge.Flat, Penalties: m.Penalties}
}

// Write writes the JSON file and the picture.
func (r *Report) Write(jsonFile, pngFile string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if err := atomicfile.Write(jsonFile, append(text, '\n')); err != nil {
		return err
	}
	fit := report.Fit{Low: r.Fit.Low, High: r.Fit.High, Flat: r.Fit.Flat}
	for _, p := range r.Fit.Penalties {
		fit.Penalties = append(fit.Penalties, report.Penalty{Alpha: p.Alpha, Targets: p.Targets})
	}
	b, err := report.DrawDiagnosis(r.Diagnosis, fit)
	if err != nil {
		return err
	}
	return atomicfile.Write(pngFile, b)
}
