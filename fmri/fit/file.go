package fit

import (
	"bufio"
	"cmp"
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

// The file of a model is one safetensors:
//
//	coef              F32 [columns, targets]  of the standardised X
//	intercept         F64 [targets]           0 without an intercept
//	mean  scale       F64 [columns]           of the training rows of X; 0 and 1 where they were taken as they are
//	alphas            F64 [targets]           penalty of each target
//	cv_scores         F64 [targets]           its cross-validated score
//	grid  grid_scores F64 [penalties]         penalties compared, and the mean score over targets of each
//	grid_chosen       I32 [penalties]         targets that took each
//	images            I32 [rows]              0-based image of each training row
//	voxels  y_voxels  I32 [voxels, 3]         of X and of Y, where known: x, y, z from 0; on fsaverage hemisphere, vertex, 0
//	rois  y_rois      U8  [voxels, regions]   where known: 1 where a voxel is in a region of the metadata's list
//
// so that ((X - mean) / scale) @ coef + intercept predicts. The metadata says the rest, most of it as JSON: kind, format,
// feature and shape of Y, feature_meta, space (the voxels of X) or x (its feature), y_space (the voxels of Y), options, made,
// edge, standardised. The file is sealed: each part of it is compared with its sum when it is read. The same model gives the
// same bytes.
const (
	decoderKind = "percept decoder" // from voxels to a feature
	modelKind   = "percept model"   // any other
	modelFormat = "1"
)

// header is the JSON of the metadata.
type header struct {
	shape, feature, edge, options, made, space, x, ySpace, standardised any
}

// fields are the metadata that are JSON, by their key; what is nil is left out.
func (h *header) fields() map[string]any {
	return map[string]any{"shape": h.shape, "feature_meta": h.feature, "edge": h.edge, "options": h.options, "made": h.made,
		"space": h.space, "x": h.x, "y_space": h.ySpace, "standardised": h.standardised}
}

// featureOfX is the side of X where that is a feature.
type featureOfX struct {
	Name  string            `json:"name"`
	Shape []int             `json:"shape"`
	Meta  map[string]string `json:"meta"`
}

// Write writes the model to a file, which appears complete or not at all.
func (m *Model) Write(path string) error {
	h := header{shape: m.Y.Shape, feature: m.Y.Meta, edge: m.Edge, options: m.Options, made: m.Made, standardised: m.Scaler != nil}
	meta := map[string]string{"kind": decoderKind, "format": modelFormat, "feature": m.Y.Name}
	if m.X.Voxels != nil {
		h.space = *m.X.Voxels
	} else {
		h.x = featureOfX{m.X.Name, m.X.Shape, m.X.Meta}
	}
	if m.Y.Voxels != nil {
		h.ySpace = *m.Y.Voxels
	}
	if m.X.Voxels == nil || m.Y.Voxels != nil {
		meta["kind"] = modelKind
	}
	for key, value := range h.fields() {
		if value == nil {
			continue
		}
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
		safetensors.NamedF64("intercept", m.Intercept, t), safetensors.NamedF64("mean", scaler.Mean, p),
		safetensors.NamedF64("scale", scaler.Scale, p), safetensors.NamedF64("alphas", m.Alphas, t),
		safetensors.NamedF64("cv_scores", m.CVScores, t), safetensors.NamedF64("grid", grid, len(grid)),
		safetensors.NamedF64("grid_scores", scores, len(grid)), safetensors.NamedI32("grid_chosen", chosen, len(grid)),
		safetensors.NamedI32("images", images, len(images)),
	}
	named = append(append(named, voxelTensors("", m.X.Voxels)...), voxelTensors("y_", m.Y.Voxels)...)
	tensors := []safetensors.Streamed{streamMatrix("coef", m.Coef)}
	for _, n := range named {
		tensors = append(tensors, n.Streamed())
	}
	return safetensors.StreamSealed(path, tensors, meta)
}

// voxelTensors are where the voxels of a side lie and in which regions they are.
func voxelTensors(side string, v *table.Voxels) (named []safetensors.Named) {
	if v != nil && v.XYZ != nil {
		named = append(named, safetensors.NamedI32(side+"voxels", v.XYZ, v.N, 3))
	}
	if v != nil && len(v.Regions) > 0 {
		named = append(named, safetensors.Named{Name: side + "rois", DType: safetensors.U8, Shape: []int{v.N, len(v.Regions)},
			Data: v.Member})
	}
	return named
}

// streamMatrix is a matrix as a tensor of a file, without a second copy of it in memory.
func streamMatrix(name string, m linalg.Matrix[float32]) safetensors.Streamed {
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

// Open reads what Write wrote. It checks that everything fits together and is finite.
func Open(path string) (*Model, error) { return open(path, true) }

// Head is Open without the coefficients, which are most of a file: what a model is, not what it predicts.
func Head(path string) (*Model, error) { return open(path, false) }

func open(path string, coefficients bool) (*Model, error) {
	s, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	m, err := read(s, coefficients)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func read(s *safetensors.File, coefficients bool) (*Model, error) {
	meta := s.Metadata()
	if k := meta["kind"]; k != decoderKind && k != modelKind {
		return nil, fmt.Errorf("no decoder, expected a file that percept fit has made")
	}
	if meta["format"] != modelFormat {
		return nil, fmt.Errorf("decoder of format %q, expected %s; percept fit makes it anew", meta["format"], modelFormat)
	}
	m := &Model{Model: &ridge.Model{}}
	var standardised bool
	var x featureOfX
	h := header{shape: &m.Y.Shape, feature: &m.Y.Meta, edge: &m.Edge, options: &m.Options, made: &m.Made, standardised: &standardised}
	m.Y.Name = meta["feature"]
	if _, feature := meta["x"]; feature {
		h.x = &x
	} else {
		m.X.Voxels = &table.Voxels{}
		h.space = m.X.Voxels
	}
	if _, voxels := meta["y_space"]; voxels {
		m.Y.Voxels = &table.Voxels{}
		h.ySpace = m.Y.Voxels
	}
	for key, into := range h.fields() {
		if into == nil {
			continue
		}
		if err := json.Unmarshal([]byte(meta[key]), into); err != nil {
			return nil, fmt.Errorf("metadata %s: %w", key, cause.OfJSON(err))
		}
	}
	_, shape, ok := s.Info("coef")
	if !ok || len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return nil, fmt.Errorf("coef of shape %v, expected [columns, targets]", shape)
	}
	p, t := shape[0], shape[1]
	m.X.Name, m.X.Shape, m.X.Meta = Responses, []int{p}, nil
	if m.X.Voxels == nil {
		m.X.Name, m.X.Shape, m.X.Meta = x.Name, x.Shape, x.Meta
	}
	if err := cmp.Or(m.X.readVoxels(s, "", "columns", p), m.Y.readVoxels(s, "y_", "targets", t)); err != nil {
		return nil, err
	}
	if coefficients {
		data, err := s.Float32("coef", p, t)
		if err != nil {
			return nil, err
		}
		m.Coef = linalg.Of(data, p, t)
		for i, v := range data {
			if v-v != 0 {
				return nil, fmt.Errorf("coef: column %d, target %d is %v, expected a finite number", i/t, i%t, v)
			}
		}
	}
	return m, m.readVectors(s, p, t, standardised)
}

// readVoxels reads where the voxels of a side lie, if it is one of voxels, and compares what it is with its n columns.
func (x *Side) readVoxels(s *safetensors.File, prefix, what string, n int) error {
	if x.Voxels != nil {
		if err := x.Voxels.Read(s, prefix, n); err != nil {
			return err
		}
	}
	if err := x.Check(); err != nil || x.N() != n || x.Name == "" {
		return fmt.Errorf("%q of shape %v, expected a name and the shape of %d %s", x.Name, x.Shape, n, what)
	}
	return nil
}

// readVectors reads what there is for each column, target, penalty and row.
func (m *Model) readVectors(s *safetensors.File, p, t int, standardised bool) (err error) {
	scaler := &ridge.Scaler{}
	var grid, scores []float64
	_, gridShape, _ := s.Info("grid")
	for _, v := range []struct {
		name string
		into *[]float64
		n    []int
	}{{"intercept", &m.Intercept, []int{t}}, {"mean", &scaler.Mean, []int{p}}, {"scale", &scaler.Scale, []int{p}},
		{"alphas", &m.Alphas, []int{t}}, {"cv_scores", &m.CVScores, []int{t}}, {"grid", &grid, gridShape}, {"grid_scores", &scores,
			gridShape}} {
		if *v.into, err = s.Float64(v.name, v.n...); err != nil {
			return err
		}
		for i, x := range *v.into {
			if x-x != 0 || v.name == "scale" && !(x > 0) {
				return fmt.Errorf("%s: value %d is %v, expected a finite number, of scale above 0", v.name, i, x)
			}
		}
	}
	if standardised {
		m.Scaler = scaler
	}
	chosen, err := s.Int64("grid_chosen", len(grid))
	if err != nil {
		return err
	}
	m.Model.Grid = grid
	for i, a := range grid {
		m.Penalties = append(m.Penalties, Penalty{a, scores[i], int(chosen[i])})
	}
	ids, err := s.Int64("images")
	for _, id := range ids {
		m.Images = append(m.Images, fmri.ImageID(id))
	}
	return err
}
