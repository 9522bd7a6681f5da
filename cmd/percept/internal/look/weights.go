package look

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"percept/fmri/fit"
	"percept/fmri/table"
	"percept/weights"
	"percept/weights/safetensors"
)

// isSafetensors says whether a file begins with the length of a header and the header's brace.
func isSafetensors(head []byte) bool {
	return len(head) > 9 && head[8] == '{' && binary.LittleEndian.Uint64(head) < 1<<32
}

// isTorchZip says whether a zip file is one of torch.save; numpy's are zip files as well.
func isTorchZip(path string) bool {
	z, err := zip.OpenReader(path)
	if err != nil {
		return true // the reader of torch files says what is wrong
	}
	defer z.Close()
	return slices.ContainsFunc(z.File, func(f *zip.File) bool { return strings.HasSuffix(f.Name, "/data.pkl") || f.Name == "data.pkl" })
}

// safetensors describes features, models and weights.
func (r *Report) safetensors() error {
	s, err := safetensors.Open(r.Path)
	if err != nil {
		return err
	}
	meta := s.Metadata()
	s.Close()
	switch {
	case strings.HasPrefix(meta["kind"], "percept "):
		return r.model()
	case meta["rows_per_chunk"] != "" && meta["feature"] != "":
		return r.table()
	}
	return r.weights()
}

// model describes a fit.
func (r *Report) model() error {
	m, err := fit.Head(r.Path)
	if err != nil {
		return err
	}
	r.Kind = "model of percept fit"
	s := m.Summary()
	r.Details = append(r.Details, fmt.Sprintf("%s of %s from %s of %s, cross-validated %s %.4g", m.Y.Name, m.Y.Columns, m.X.Name,
		m.X.Columns, s.Score, s.CVScore))
	if s.Rows > 0 {
		r.Details = append(r.Details, fmt.Sprintf("training images of %d rows", s.Rows))
	}
	if s.Subject != "" || len(s.Regions) > 0 {
		r.Details = append(r.Details, strings.TrimSpace(s.Subject+" "+strings.Join(s.Regions, ", ")))
	}
	if m.X.Voxels != nil {
		r.Reads = []string{"percept decode --model " + r.Path}
	} else {
		r.WillNot = []string{"percept decode: it predicts voxels from a feature"}
	}
	return r.tensors()
}

// table describes features or responses.
func (r *Report) table() error {
	f, err := table.OpenFile(r.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.Kind = "features of percept"
	use := "--features"
	if f.Voxels != nil {
		r.Kind, use = "responses of percept", "--responses"
	}
	r.Details = append(r.Details, fmt.Sprintf("%s: %d rows of %s, a sum for every %d rows", f.Name, f.Len(), f.Table().Cols, table.ChunkRows))
	r.Rows = fmt.Sprintf("axis 1: %d rows", f.Len())
	if f.Shard.N > 0 {
		r.Kind += ", shard " + f.Shard.String()
		r.Reads = []string{"percept features merge"}
		return r.tensors()
	}
	r.Reads = []string{fmt.Sprintf("percept fit, percept decode: %s %s", use, r.Path)}
	return r.tensors()
}

// tensors lists what is in a safetensors file.
func (r *Report) tensors() error {
	s, err := safetensors.Open(r.Path)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, name := range s.Names() {
		dtype, shape, _ := s.Info(name)
		r.add(name, string(dtype), shape, dtype.Size())
	}
	return nil
}

func (r *Report) add(name, dtype string, shape []int, size int) {
	bytes := int64(size)
	for _, d := range shape {
		bytes *= int64(d)
	}
	r.Arrays = append(r.Arrays, Array{Name: name, Shape: shape, Type: dtype, Bytes: bytes})
}

// torch describes a file of torch.save.
func (r *Report) torch() error { return r.weights() }

// weights describes a file of tensors.
func (r *Report) weights() error {
	s, err := weights.Open(r.Path)
	if err != nil {
		return err
	}
	defer s.Close()
	r.Kind = s.Format()
	c := s.Contents()
	if text := c.String(); text != "" {
		r.Details = append(r.Details, text)
	}
	for _, name := range s.Names() {
		dtype, shape, _ := s.Info(name)
		r.add(name, string(dtype), shape, dtype.Size())
	}
	switch {
	case c.Unsupported != "":
		r.WillNot = []string{"percept generate --model: " + c.Unsupported}
	case len(c.Dialects) > 0:
		r.Reads = []string{"percept generate --model, percept weights convert; percept weights inspect says more"}
	default:
		r.WillNot = []string{"percept generate --model: no part of Stable Diffusion v1 is in it"}
	}
	return nil
}
