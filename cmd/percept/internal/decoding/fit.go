package decoding

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"percept/fmri/decode"
	"percept/fmri/ridge"
	"percept/internal/cause"
	"percept/internal/filesum"
	"percept/tensor"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// FitRequest is what is asked of Fit.
type FitRequest struct {
	Responses, Images string // see OpenResponses
	ROIs              []string
	Part              string // of a folder: train or train_trials
	Features, Feature string // see OpenFeatures
	Groups            string // ByImage, NoGroups or an array
	Takagi            bool
	Ridge             ridge.Options // MaxMemory bounds everything
	Version           string        // of the program
	Note              func(line string)
}

// What FitRequest.Groups may be, other than FILE or FILE:ARRAY with a group for each row.
const (
	ByImage  = "image" // repeats of an image are in one fold, where images are known
	NoGroups = "none"
)

// TakagiAlphas are the penalties that the code released with Takagi & Nishimoto (2023) compares for a feature.
func TakagiAlphas(feature string) []float64 {
	if feature == "z" || feature == "c" {
		return ridge.LogSpace(-6, 0, 7)
	}
	return []float64{10000, 20000, 40000}
}

// Fit fits a decoder and leaves it in the file out. A decoder that is there already is left if it is the very one; another is
// an error.
func Fit(ctx context.Context, out string, q FitRequest) (m *decode.Model, upToDate bool, err error) {
	f, err := OpenFeatures(q.Features, q.Feature)
	if err != nil {
		return nil, false, err
	}
	r, err := OpenResponses(q.Responses, q.Part, q.ROIs, q.Images)
	if err != nil {
		return nil, false, err
	}
	if err := f.Fits(r); err != nil {
		return nil, false, err
	}
	o := q.Ridge
	m = &decode.Model{Feature: f.Name, Shape: f.Shape, Images: r.Images, Voxels: r.Voxels, FeatureMeta: f.Meta}
	m.Made = map[string]string{"program": "percept " + q.Version, "kernels": tensor.KernelSet(), "responses": r.Sum, "features": f.Sum}
	if q.Takagi {
		o.NoIntercept, o.StandardiseOnce = true, true
		if o.Alphas == nil {
			o.Alphas = TakagiAlphas(f.Name)
		}
		m.Options.Compat = "takagi"
	}
	if o.Alphas == nil {
		o.Alphas = ridge.DefaultAlphas()
	}
	if o.Folds == 0 {
		o.Folds = 5
	}
	if m.Options.Groups, err = group(&o, q, r, m.Made); err != nil {
		return nil, false, err
	}
	slabs, err := decode.Slabs(r.X.Rows, r.X.Cols, f.Width(), o)
	if err == nil && f.y != nil && len(slabs) > 1 && o.MaxMemory > 0 { // all of Y lies in memory
		o.MaxMemory = max(1, o.MaxMemory-4*int64(len(f.y.Data)))
		slabs, err = decode.Slabs(r.X.Rows, r.X.Cols, f.Width(), o)
	}
	if err != nil {
		return nil, false, err
	}
	describe(&m.Options, q, o, len(slabs))
	m.Made["grid"] = fmt.Sprint(o.Alphas)
	if have, err := sameDecoder(out, m); have != nil || err != nil {
		return have, true, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return nil, false, fmt.Errorf("%s: its folder cannot be made: %w", out, cause.Of(err))
	}
	if len(slabs) > 1 && q.Note != nil {
		q.Note(fmt.Sprintf("%d targets do not fit into the memory together and are fitted in %d parts", f.Width(), len(slabs)))
	}
	defer BoundMemory(o.MaxMemory)()
	y := decode.Targets{Width: f.Width(), Read: func(ctx context.Context, lo, hi int) (linalg.Matrix[float32], error) {
		return f.Columns(ctx, r.Images, lo, hi)
	}}
	if m.Model, err = decode.FitTargets(ctx, r.X, y, o); err != nil {
		return nil, false, err
	}
	m.Summarise()
	return m, false, m.Write(out)
}

// group sets the groups of cross-validation and says what they are.
func group(o *ridge.Options, q FitRequest, r *Responses, made map[string]string) (string, error) {
	switch {
	case q.Groups == ByImage && r.Images != nil && !q.Takagi:
		o.Groups = make([]int, len(r.Images))
		for i, id := range r.Images {
			o.Groups[i] = int(id)
		}
		return ByImage, nil
	case q.Groups == ByImage || q.Groups == NoGroups:
		return NoGroups, nil
	}
	var err error
	if o.Groups, err = readNumbers(q.Groups, r.X.Rows); err != nil {
		return "", err
	}
	path, _ := splitName(q.Groups)
	made["groups"], err = filesum.Hex(path)
	return "file", err
}

func describe(d *decode.FitOptions, q FitRequest, o ridge.Options, slabs int) {
	d.Part, d.Folds, d.Score, d.Global, d.Intercept, d.Slabs = q.Part, o.Folds, o.Score.String(), o.Global, !o.NoIntercept, slabs
	switch {
	case o.NoStandardise:
		d.Standardise = "none"
	case o.StandardiseOnce:
		d.Standardise = "once"
	default:
		d.Standardise = "fold"
	}
	d.Form = map[ridge.Form]string{ridge.Auto: "auto", ridge.Primal: "primal", ridge.Dual: "dual"}[o.Form]
}

// sameDecoder reads the decoder that is at path if it is the one that m will be; nil if nothing is there.
func sameDecoder(path string, m *decode.Model) (*decode.Model, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	have, err := decode.ReadModel(path)
	if err != nil {
		return nil, fmt.Errorf("%w; remove it or choose another name", err)
	}
	for _, c := range []struct {
		what      string
		have, now any
	}{{"of another feature", []any{have.Feature, have.Shape}, []any{m.Feature, m.Shape}}, {"of other voxels", have.Voxels, m.Voxels},
		{"with other options", have.Options, m.Options}, {"from other inputs or by another program", have.Made, m.Made},
		{"from other inputs", have.FeatureMeta, m.FeatureMeta}} {
		if !reflect.DeepEqual(c.have, c.now) {
			return nil, fmt.Errorf("%s: was made %s%s; expected the same or no file: remove it or choose another name", path, c.what, firstOf(c.have, c.now))
		}
	}
	return have, nil
}

// firstOf says in which key two things differ, in brackets.
func firstOf(have, now any) string {
	a, b := map[string]any{}, map[string]any{}
	for _, x := range []struct {
		v any
		m map[string]any
	}{{have, a}, {now, b}} {
		text, err := json.Marshal(x.v)
		if err != nil || json.Unmarshal(text, &x.m) != nil {
			return ""
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if !reflect.DeepEqual(a[k], b[k]) {
			return fmt.Sprintf(" (%s was %v, is %v)", k, a[k], b[k])
		}
	}
	return ""
}

// EdgeWarning is a line for a decoder with penalties at the edge of the grid, or empty.
func EdgeWarning(m *decode.Model) string {
	e := m.Edge
	if e.Low+e.High == 0 || len(m.Penalties) == 0 {
		return ""
	}
	low, high := m.Penalties[0].Alpha, m.Penalties[0].Alpha
	for _, p := range m.Penalties {
		low, high = min(low, p.Alpha), max(high, p.Alpha)
	}
	var parts []string
	if e.Low > 0 {
		parts = append(parts, fmt.Sprintf("%d chose the smallest penalty, %g", e.Low, low))
	}
	if e.High > 0 {
		parts = append(parts, fmt.Sprintf("%d chose the largest penalty, %g", e.High, high))
	}
	return fmt.Sprintf("of %d targets of %s %s: a wider grid may be better", e.Targets-e.Flat, m.Feature, strings.Join(parts, ", and "))
}

// NamedShape is "4×40×40".
func NamedShape(shape []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", "×")
}

// dtype of decoded features.
const dtype = safetensors.F32

// BoundMemory has garbage collected before it fills what a fit was allowed, until the function that it returns is called.
func BoundMemory(bytes int64) (restore func()) {
	if bytes <= 0 {
		return func() {}
	}
	const besides = 256 << 20 // the program, and what no plan counts
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, bytes+besides))
	return func() { debug.SetMemoryLimit(before) }
}
