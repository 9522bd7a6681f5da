package decode

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"percept/fmri"
	"percept/fmri/ridge"
	"percept/fmri/table"
	"percept/internal/cause"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// A Model is a fitted decoder of one feature with what it was fitted on. As a file it is one safetensors:
//
//	coef              F32 [voxels, targets]   of the standardised responses
//	intercept         F64 [targets]           0 without an intercept
//	mean  scale       F64 [voxels]            of the training responses; 0 and 1 where they were taken as they are
//	alphas            F64 [targets]           penalty of each target
//	cv_scores         F64 [targets]           its cross-validated score
//	grid  grid_scores F64 [penalties]         penalties compared, and the mean score over targets of each
//	grid_chosen       I32 [penalties]         targets that took each
//	images            I32 [rows]              0-based image of each training row
//	voxels            I32 [voxels, 3]         where known: x, y, z from 0; on fsaverage hemisphere, vertex, 0
//	rois              U8  [voxels, regions]   where known: 1 where a voxel is in a region of the metadata's list
//
// so that ((X - mean) / scale) @ coef + intercept predicts. The metadata says the rest, most of it as JSON. The same model
// gives the same bytes.
type Model struct {
	*ridge.Model                // without CVTable, if it was read
	Feature      string         // what it predicts, "z"
	Shape        []int          // of one image's
	Images       []fmri.ImageID // of each training row
	Voxels       table.Voxels
	Penalties    []Penalty
	Options      FitOptions
	Made         map[string]string // what it was made of: inputs and their sums, program, kernels
	FeatureMeta  map[string]string // what the feature's file says of itself
}

// A Penalty is one of the grid.
type Penalty struct {
	Alpha   float64 `json:"alpha"`
	Score   float64 `json:"score"`   // mean over targets of the cross-validated score
	Targets int     `json:"targets"` // that chose it, those without variance included
}

// FitOptions are those of a fit, in words.
type FitOptions struct {
	Part        string `json:"part"` // of the responses
	Folds       int    `json:"folds"`
	Groups      string `json:"groups"` // what is never split by a fold
	Score       string `json:"score"`
	Global      bool   `json:"global"`
	Intercept   bool   `json:"intercept"`
	Standardise string `json:"standardise"` // fold, once or none
	Form        string `json:"form"`        // auto, primal or dual
	Slabs       int    `json:"slabs"`       // in which targets were fitted
	Compat      string `json:"compat,omitempty"`
}

// Summarise sets Penalties from the table of cross-validation.
func (m *Model) Summarise() {
	m.Penalties = make([]Penalty, len(m.Model.Grid))
	targets := m.Coef.Cols
	for a, alpha := range m.Model.Grid {
		m.Penalties[a].Alpha = alpha
		for j, s := range m.CVTable[a*targets : (a+1)*targets] {
			m.Penalties[a].Score += s / float64(targets)
			if m.Alphas[j] == alpha {
				m.Penalties[a].Targets++
			}
		}
	}
}

const (
	modelKind   = "percept decoder"
	modelFormat = "1"
)

// Write writes the model to a file, which appears complete or not at all.
func (m *Model) Write(path string) error {
	meta := map[string]string{"kind": modelKind, "format": modelFormat, "feature": m.Feature}
	for key, value := range map[string]any{"shape": m.Shape, "space": m.Voxels, "options": m.Options, "made": m.Made,
		"feature_meta": m.FeatureMeta, "edge": m.Edge, "standardised": m.Scaler != nil} {
		b, err := json.Marshal(value)
		if err != nil {
			return err
		}
		meta[key] = string(b)
	}
	p, t := m.Coef.Rows, m.Coef.Cols
	scaler := m.Scaler
	if scaler == nil {
		scaler = &ridge.Scaler{Mean: make([]float64, p), Scale: slices.Repeat([]float64{1}, p)}
	}
	var grid, scores []float64
	var chosen, images []int32
	for _, g := range m.Penalties {
		grid, scores, chosen = append(grid, g.Alpha), append(scores, g.Score), append(chosen, int32(g.Targets))
	}
	for _, id := range m.Images {
		images = append(images, int32(id))
	}
	named := []safetensors.Named{
		safetensors.NamedF64("intercept", m.Intercept, t), safetensors.NamedF64("mean", scaler.Mean, p), safetensors.NamedF64("scale", scaler.Scale, p),
		safetensors.NamedF64("alphas", m.Alphas, t), safetensors.NamedF64("cv_scores", m.CVScores, t),
		safetensors.NamedF64("grid", grid, len(grid)), safetensors.NamedF64("grid_scores", scores, len(grid)), safetensors.NamedI32("grid_chosen", chosen, len(grid)),
		safetensors.NamedI32("images", images, len(images)),
	}
	if m.Voxels.XYZ != nil {
		named = append(named, safetensors.NamedI32("voxels", m.Voxels.XYZ, p, 3))
	}
	if len(m.Voxels.Regions) > 0 {
		named = append(named, safetensors.Named{Name: "rois", DType: safetensors.U8, Shape: []int{p, len(m.Voxels.Regions)}, Data: m.Voxels.Member})
	}
	tensors := []safetensors.Streamed{StreamMatrix("coef", m.Coef)}
	for _, n := range named {
		tensors = append(tensors, n.Streamed())
	}
	return safetensors.Stream(path, tensors, meta)
}

// StreamMatrix is a matrix as a tensor of a file, without a second copy of it in memory.
func StreamMatrix(name string, m linalg.Matrix[float32]) safetensors.Streamed {
	return safetensors.Streamed{Name: name, DType: safetensors.F32, Shape: []int{m.Rows, m.Cols}, Write: func(w io.Writer) error {
		buf := bufio.NewWriterSize(w, 1<<16)
		var b [4]byte
		for i := range m.Rows {
			for _, v := range m.Row(i) {
				binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
				if _, err := buf.Write(b[:]); err != nil {
					return err
				}
			}
		}
		return buf.Flush()
	}}
}

// ReadModel reads what Write wrote. It checks that everything fits together and is finite.
func ReadModel(path string) (*Model, error) {
	s, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m, err := readModel(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func readModel(s *safetensors.File) (*Model, error) {
	meta := s.Metadata()
	if meta["kind"] != modelKind {
		return nil, fmt.Errorf("no decoder, expected a file that percept fit has made")
	}
	if meta["format"] != modelFormat {
		return nil, fmt.Errorf("decoder of format %q, expected %s", meta["format"], modelFormat)
	}
	m := &Model{Model: &ridge.Model{}, Feature: meta["feature"]}
	var standardised bool
	for key, into := range map[string]any{"shape": &m.Shape, "space": &m.Voxels, "options": &m.Options, "made": &m.Made,
		"feature_meta": &m.FeatureMeta, "edge": &m.Edge, "standardised": &standardised} {
		if err := json.Unmarshal([]byte(meta[key]), into); err != nil {
			return nil, fmt.Errorf("metadata %s: %w", key, cause.OfJSON(err))
		}
	}
	_, shape, ok := s.Info("coef")
	if !ok || len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("coef of shape %v, expected [voxels, targets]", shape)
	}
	p, t := shape[0], shape[1]
	if width, err := widthOf(m.Shape); err != nil || width != t || m.Feature == "" {
		return nil, fmt.Errorf("%d targets, but a feature %q of shape %v", t, m.Feature, m.Shape)
	}
	coef, err := s.Float32("coef", p, t)
	if err != nil {
		return nil, err
	}
	m.Coef, m.Voxels.N = linalg.Of(coef, p, t), p
	for i, v := range coef {
		if v-v != 0 {
			return nil, fmt.Errorf("coef: voxel %d, target %d is %v, expected a finite number", i/t, i%t, v)
		}
	}
	scaler := &ridge.Scaler{}
	var grid, scores []float64
	_, gridShape, _ := s.Info("grid")
	for _, v := range []struct {
		name string
		into *[]float64
		n    []int
	}{{"intercept", &m.Intercept, []int{t}}, {"mean", &scaler.Mean, []int{p}}, {"scale", &scaler.Scale, []int{p}}, {"alphas", &m.Alphas, []int{t}},
		{"cv_scores", &m.CVScores, []int{t}}, {"grid", &grid, gridShape}, {"grid_scores", &scores, gridShape}} {
		if *v.into, err = s.Float64(v.name, v.n...); err != nil {
			return nil, err
		}
		for i, x := range *v.into {
			if x-x != 0 || v.name == "scale" && !(x > 0) {
				return nil, fmt.Errorf("%s: value %d is %v, expected a finite number, of scale above 0", v.name, i, x)
			}
		}
	}
	if standardised {
		m.Scaler = scaler
	}
	chosen, err := s.Int64("grid_chosen", len(grid))
	if err != nil {
		return nil, err
	}
	m.Model.Grid = grid
	for i, a := range grid {
		m.Penalties = append(m.Penalties, Penalty{a, scores[i], int(chosen[i])})
	}
	ids, err := s.Int64("images")
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		m.Images = append(m.Images, fmri.ImageID(id))
	}
	return m, m.readVoxels(s)
}

func (m *Model) readVoxels(s *safetensors.File) error {
	v := &m.Voxels
	if _, _, ok := s.Info("voxels"); ok {
		xyz, err := s.Int64("voxels", v.N, 3)
		if err != nil {
			return err
		}
		for _, x := range xyz {
			v.XYZ = append(v.XYZ, int32(x))
		}
	}
	if len(v.Regions) == 0 {
		return nil
	}
	dtype, shape, _ := s.Info("rois")
	if dtype != safetensors.U8 || !slices.Equal(shape, []int{v.N, len(v.Regions)}) {
		return fmt.Errorf("rois are %s %v, expected U8 [%d %d]", dtype, shape, v.N, len(v.Regions))
	}
	b, err := s.Bytes("rois")
	v.Member = slices.Clone(b)
	return err
}

// widthOf is the number of values of a shape.
func widthOf(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 1 || n > math.MaxInt32/d {
			return 0, fmt.Errorf("shape %v, expected sides of 1 or more", shape)
		}
		n *= d
	}
	return n, nil
}
