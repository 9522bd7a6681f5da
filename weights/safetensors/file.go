package safetensors

import (
	"fmt"
	"maps"
	"slices"

	"percept/internal/mapped"
)

// A File hands out the tensors of one file by name. It is safe for concurrent use.
type File struct {
	path    string
	tensors map[string]Tensor
	meta    map[string]string
	header  []byte
	seal    *seal // nil where the file has none
	release func() error
}

// Open maps a file. What is read of it later is read from the disk then. The error names the file, what was found and what
// was expected.
func Open(path string) (*File, error) {
	b, _, release, err := mapped.Open(path, "expected a safetensors file")
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", path, err)
	}
	f, err := OpenBytes(path, b)
	if err != nil {
		_ = release() // the format error is the one that helps
		return nil, err
	}
	f.release = release
	return f, nil
}

// OpenBytes is Open for a file that is in memory; name stands for it in errors. The File keeps b. Of a sealed file (see
// StreamSealed) what is handed out is compared with its sums first.
func OpenBytes(name string, b []byte) (*File, error) {
	tensors, meta, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", name, err)
	}
	f := &File{path: name, tensors: tensors, meta: meta, header: b[:8+le.Uint64(b)]}
	return f, f.openSeal(b)
}

// Close unmaps the file. Slices from Bytes must not be used afterwards; all others may.
func (f *File) Close() error {
	if f.release == nil {
		return nil
	}
	release := f.release
	f.release, f.tensors = nil, nil
	return release()
}

// Path returns the name that the file was opened with.
func (f *File) Path() string { return f.path }

// Metadata returns the free text pairs of the file's header; nil where it has none.
func (f *File) Metadata() map[string]string { return f.meta }

// Header returns the bytes before the first tensor, for who sums them: a view, as of Bytes.
func (f *File) Header() []byte { return f.header }

// Names returns all tensor names, sorted.
func (f *File) Names() []string { return slices.Sorted(maps.Keys(f.tensors)) }

// Info returns the element type and shape of a tensor, and whether there is one of that name.
func (f *File) Info(name string) (DType, []int, bool) {
	t, ok := f.tensors[name]
	return t.DType, slices.Clone(t.Shape), ok
}

// Bytes returns the values of a tensor as they lie in the file, little-endian in C order: a view, not to be written to, valid
// until Close. Rows of a tensor larger than memory are read from it.
func (f *File) Bytes(name string) ([]byte, error) {
	t, err := f.tensor(name, nil)
	return t.Data, err
}

// Float32 returns a tensor as float32 in C order, in memory that belongs to the caller; see Tensor.Float32. With a shape
// given, the file's must equal it.
func (f *File) Float32(name string, shape ...int) ([]float32, error) {
	return read(f, name, shape, Tensor.Float32)
}

// Float64 is Float32 for the types that need it: float64 is exact, the others are widened.
func (f *File) Float64(name string, shape ...int) ([]float64, error) {
	return read(f, name, shape, Tensor.Float64)
}

// Int64 returns a tensor of integers or booleans; uint64 values keep their bits.
func (f *File) Int64(name string, shape ...int) ([]int64, error) {
	return read(f, name, shape, Tensor.Int64)
}

func read[T any](f *File, name string, shape []int, values func(Tensor) ([]T, error)) ([]T, error) {
	t, err := f.tensor(name, shape)
	if err != nil {
		return nil, err
	}
	x, err := values(t)
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %s: %w", f.path, name, err)
	}
	return x, nil
}

// tensor finds a tensor; shape is empty or what it has to be.
func (f *File) tensor(name string, shape []int) (Tensor, error) {
	t, ok := f.tensors[name]
	switch {
	case !ok:
		return t, fmt.Errorf("weights: %s: no tensor %s", f.path, name)
	case len(shape) > 0 && !slices.Equal(shape, t.Shape):
		return t, fmt.Errorf("weights: %s: %s: shape %v, expected %v", f.path, name, t.Shape, shape)
	}
	return t, f.checkTensor(t)
}
