package experiment

import (
	"fmt"

	"percept/fmri"
	"percept/fmri/table"
	"percept/tensor/linalg"
	"percept/weights/safetensors"
)

// An artefact's matrices are safetensors: float32, rows are images.

func namedMatrix(name string, m linalg.Matrix[float32]) safetensors.Named {
	return safetensors.NamedF32(name, m.Data, m.Rows, m.Cols)
}

func namedIDs(name string, ids []fmri.ImageID) safetensors.Named {
	x := make([]int32, len(ids))
	for i, id := range ids {
		x[i] = int32(id)
	}
	return safetensors.NamedI32(name, x, len(x))
}

// file is an opened artefact. The first error sticks, so that several reads need one check.
type file struct {
	store *safetensors.File
	err   error
}

func openFile(path string) *file {
	s, err := safetensors.Open(path)
	return &file{s, err}
}

func (f *file) close() error {
	if f.store != nil {
		if err := f.store.Close(); f.err == nil {
			f.err = err
		}
	}
	return f.err
}

func (f *file) matrix(name string) linalg.Matrix[float32] {
	if f.err != nil {
		return linalg.Matrix[float32]{}
	}
	_, shape, ok := f.store.Info(name)
	if !ok || len(shape) != 2 {
		f.err = fmt.Errorf("%s: %s has shape %v, expected a matrix", f.store.Path(), name, shape)
		return linalg.Matrix[float32]{}
	}
	x, err := f.store.Float32(name)
	if f.err = err; err != nil {
		return linalg.Matrix[float32]{}
	}
	return linalg.Of(x, shape[0], shape[1])
}

func (f *file) ids(name string) []fmri.ImageID {
	if f.err != nil {
		return nil
	}
	var x []int64
	if x, f.err = f.store.Int64(name); f.err != nil {
		return nil
	}
	ids := make([]fmri.ImageID, len(x))
	for i, v := range x {
		ids[i] = fmri.ImageID(v)
	}
	return ids
}

// featureMatrix reads the features of images.
func featureMatrix(f *table.File, ids []fmri.ImageID) (linalg.Matrix[float32], error) {
	m := linalg.New[float32](len(ids), f.Width())
	return m, f.Rows(m.Data, ids)
}
