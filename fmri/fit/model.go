package fit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/ridge"
	"percept/fmri/stats"
	"percept/fmri/table"
)

// A Model is a fit with what it was made of.
type Model struct {
	*ridge.Model                // Coef [columns of X, targets]; without CVTable, if it was read from a file
	X, Y         Side           // what it predicts from, and what
	Images       []fmri.ImageID // of each training row; nil where they are not known
	Penalties    []Penalty
	Options      Description
	Made         map[string]string // sums of what it was made of, program, kernels
}

// A Side is the columns of X or of Y.
type Side struct {
	Name string // of the feature; Responses of voxels
	table.Columns
	Meta map[string]string // what a feature's file says of itself
}

// Responses is the name of a side of voxels.
const Responses = "responses"

func sideOf(t *table.Table) Side {
	if t.Cols.Voxels != nil { // what they are, Voxels says; where their file came from is no part of a model
		return Side{Responses, t.Cols, nil}
	}
	return Side{t.Name, t.Cols, t.Meta}
}

// A Penalty is one of the grid.
type Penalty struct {
	Alpha   float64 `json:"alpha"`
	Score   float64 `json:"score"`   // mean over targets of the cross-validated score
	Targets int     `json:"targets"` // that chose it, those without variance included
}

// summarise sets Penalties from the table of cross-validation.
func (m *Model) summarise() {
	m.Penalties = make([]Penalty, len(m.Grid))
	targets := m.Coef.Cols
	for a, alpha := range m.Grid {
		m.Penalties[a].Alpha = alpha
		for j, s := range m.CVTable[a*targets : (a+1)*targets] {
			m.Penalties[a].Score += s / float64(targets)
			if m.Alphas[j] == alpha {
				m.Penalties[a].Targets++
			}
		}
	}
}

// Predict predicts Y for the rows of x. Voxels are found by their coordinates; x of another subject, space, beta version or
// scale, without some of the voxels, or of another feature, is an error that names it.
//
//	x  [rows, columns], at least those that the model was fitted on
func (m *Model) Predict(ctx context.Context, x *table.Table) (*table.Table, error) {
	columns, err := m.X.at(x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x, err)
	}
	if columns != nil {
		if x, err = x.Select(columns); err != nil {
			return nil, err
		}
	}
	values, err := x.Matrix(ctx)
	if err != nil {
		return nil, err
	}
	predicted, err := m.Model.Predict(values)
	if err != nil {
		return nil, err
	}
	name := m.Y.Name
	if m.Y.Voxels != nil {
		name = x.Name
	}
	t, err := table.New(name, predicted, x.Rows, m.Y.Columns)
	if err == nil {
		t.Meta = m.Y.Meta
	}
	return t, err
}

// at lists the columns of x that are those of the side, in its order; nil if x has just these.
func (s Side) at(x *table.Table) ([]int, error) {
	if s.Voxels == nil || x.Cols.Voxels == nil {
		if (s.Voxels == nil) != (x.Cols.Voxels == nil) || !slices.Equal(s.Shape, x.Cols.Shape) {
			return nil, fmt.Errorf("%s of %s, expected %s of %s, as the model was fitted on", sideOf(x).Name, x.Cols, s.Name, s.Columns)
		}
		return nil, s.sameKind(x)
	}
	columns, err := x.Cols.Voxels.At(*s.Voxels)
	if err != nil {
		return nil, err
	}
	if len(columns) == x.Width() && slices.IsSorted(columns) {
		return nil, nil
	}
	return columns, nil
}

// Truth says why t cannot be what the model predicts: a feature of another name or shape, or made in another way.
func (m *Model) Truth(t *table.Table) error {
	if !slices.Equal(t.Cols.Shape, m.Y.Shape) {
		return fmt.Errorf("%s: %s of %s, expected %s, as the decoder predicts", t, t.Name, t.Cols, m.Y.Columns)
	}
	if err := m.Y.sameKind(t); err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	return nil
}

// sameKind says in what way a feature was made that the side's was not.
func (s Side) sameKind(t *table.Table) error {
	if t.Meta == nil {
		return nil
	}
	for _, k := range slices.Sorted(maps.Keys(s.Meta)) {
		if have, want := t.Meta[k], s.Meta[k]; have != want && !ofTheFile[k] {
			return fmt.Errorf("made with %s %q, expected %q, as the decoder was fitted on", k, have, want)
		}
	}
	return nil
}

// ofTheFile are keys of a feature's metadata that do not say what kind of feature it is.
var ofTheFile = map[string]bool{"kernels": true, "forms": true, "program": true, "source": true, "request": true, "shard": true,
	"weights": true, "model": true}

// Summary is what is told of a fit beside what its predictions are worth.
type Summary struct {
	Feature   string    `json:"feature"`
	Shape     []int     `json:"shape"`
	Voxels    int       `json:"voxels"`
	Subject   string    `json:"subject,omitempty"`
	Regions   []string  `json:"regions,omitempty"`
	Rows      int       `json:"training_rows,omitempty"`
	Score     string    `json:"score"`
	CVScore   float64   `json:"cv_score"` // mean over targets
	Low       int       `json:"targets_at_smallest_penalty"`
	High      int       `json:"targets_at_largest_penalty"`
	Flat      int       `json:"targets_without_variance"`
	Penalties []Penalty `json:"penalties"`
}

// Summary summarises the fit. Its feature is that of Y, or of X where Y is voxels.
func (m *Model) Summary() Summary {
	feature, voxels := m.Y, m.X.Voxels
	if m.Y.Voxels != nil {
		feature, voxels = m.X, m.Y.Voxels
	}
	s := Summary{Feature: feature.Name, Shape: feature.Shape, Rows: len(m.Images), Score: m.Options.Score, CVScore: stats.Mean(m.CVScores),
		Low: m.Edge.Low, High: m.Edge.High, Flat: m.Edge.Flat, Penalties: m.Penalties}
	if voxels != nil {
		s.Voxels, s.Subject, s.Regions = voxels.N, string(voxels.Subject), voxels.Named()
	}
	return s
}

// TrainedOn counts the rows whose image the model was fitted on: of those, predictions are no test. known is false where the
// images of either are not.
func (m *Model) TrainedOn(rows table.Rows) (n int, known bool) {
	if rows.Images == nil || len(m.Images) == 0 {
		return 0, false
	}
	return rows.Among(m.Images), true
}

// EdgeWarning is a line for a model with penalties at the edge of the grid, or empty.
func (m *Model) EdgeWarning() string {
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
	vary := ""
	if e.Flat > 0 {
		vary = " that vary,"
	}
	return fmt.Sprintf("of %d targets of %s%s %s: a wider grid may be better", e.Targets-e.Flat, m.Y.Name, vary, strings.Join(parts, ", and "))
}
