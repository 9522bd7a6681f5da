package weights

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"percept/weights/internal/torchfile"
)

// A Store hands out the tensors of one file by name. It is safe for concurrent use.
type Store struct {
	file    string
	format  *format
	tensors map[string]tensorInfo // by the name that is handed out
	meta    map[string]string
	origin  *origin // nil where the file is not known
	release func() error

	mu     sync.Mutex
	record map[string]*request
}

// request is what has been asked of a Store for one name; Check reports from it.
type request struct {
	missing *MissingError
	shape   *ShapeError
	bad     NonFinite
}

// format is what a file is, besides its tensors.
type format struct {
	name   string
	header []byte // what describes the tensors, or a sum of it
	summed bool   // header covers sums of all values
	files  []*torchfile.File
}

// and is what two files are together: the first's format, and the sums of both.
func (f *format) and(other *format) *format {
	if f == nil {
		return other
	}
	return &format{name: f.name, header: f.header, summed: f.summed && other.summed, files: append(slices.Clip(f.files), other.files...)}
}

// Open maps a file of weights: safetensors, or one of torch.save (.ckpt, .pt, .pth, .bin), zip or legacy; which, its
// contents tell. The error names the file, what was found and what was expected.
func Open(path string) (*Store, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, pathError(path, err)
	}
	if !st.Mode().IsRegular() {
		return nil, &FormatError{path, "not a regular file, want a file of weights (.safetensors, .ckpt, .pt, .bin)"}
	}
	if st.Size() > int64(maxInt) {
		return nil, &FormatError{path, fmt.Sprintf("%d bytes are more than this machine can map", st.Size())}
	}
	if st.Size() == 0 {
		return nil, &FormatError{path, "the file is empty, want a file of weights (.safetensors, .ckpt, .pt, .bin)"}
	}
	b, release, err := mapFile(f, int(st.Size()))
	if err != nil {
		return nil, pathError(path, err)
	}
	s, err := OpenBytes(path, b)
	if err != nil {
		_ = release() // the format error is the one that helps
		return nil, err
	}
	s.release = release
	s.origin = &origin{size: st.Size(), modified: st.ModTime(), header: s.format.header}
	return s, nil
}

// OpenBytes is Open for a file that is in memory; name stands for it in errors. The Store keeps b.
func OpenBytes(name string, b []byte) (*Store, error) {
	s := &Store{file: name, record: map[string]*request{}}
	var err error
	if torchfile.Is(b) {
		var f *torchfile.File
		if s.tensors, f, err = parseTorch(b); err == nil {
			s.format = &format{name: f.Format, header: f.Sum[:], summed: f.Summed, files: []*torchfile.File{f}}
		}
	} else if s.tensors, s.meta, err = parseSafetensors(b); err == nil {
		s.format = &format{name: safetensorsFormat, header: b[8:][:le.Uint64(b)]}
	}
	if err != nil {
		return nil, &FormatError{name, err.Error()}
	}
	return s, nil
}

const safetensorsFormat = "safetensors"

// Format returns "safetensors", "torch zip" or "torch legacy".
func (s *Store) Format() string { return s.format.name }

// Verify reads the whole file and compares it with the sums that it holds, which only the zip files of torch have; Open
// compares those of the members that describe the tensors, and no others.
func (s *Store) Verify(ctx context.Context) error {
	for _, f := range s.format.files {
		for i := range f.Members {
			if err := ctx.Err(); err != nil {
				return err
			}
			read, err := f.Check(i)
			if err != nil {
				return &FormatError{s.file, err.Error()}
			}
			if s.origin != nil {
				dropPages(read)
			}
		}
	}
	return nil
}

// pathError says in one line what is wrong with a path, without naming it twice.
func pathError(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("weights: %s: %w", path, err)
}

// Close unmaps the file. Slices from Bytes must not be used afterwards; those from Float32 may.
// Closing a renamed view does nothing.
func (s *Store) Close() error {
	if s.release == nil {
		return nil
	}
	release := s.release
	s.release, s.tensors, s.origin = nil, nil, nil
	s.format = &format{name: s.format.name}
	return release()
}

// File returns the path that the Store was opened with.
func (s *Store) File() string { return s.file }

// Metadata returns the free text pairs of the file's header; nil where it has none.
func (s *Store) Metadata() map[string]string { return s.meta }

// Names returns all tensor names, sorted.
func (s *Store) Names() []string { return slices.Sorted(maps.Keys(s.tensors)) }

// Info returns the element type and shape of a tensor, and whether there is one of that name.
func (s *Store) Info(name string) (DType, []int, bool) {
	t, ok := s.tensors[name]
	return t.dtype, slices.Clone(t.shape), ok
}

// Source returns the name that a tensor has in the file itself.
func (s *Store) Source(name string) string { return s.tensors[name].source }

// Bytes returns the bytes of a tensor, little-endian in C order: a view of the file, not to be written to, valid until
// Close, or a copy where a file of torch has them in another order.
func (s *Store) Bytes(name string) ([]byte, error) {
	t, ok := s.tensors[name]
	if !ok {
		return nil, fmt.Errorf("weights: %s: no tensor %s", s.file, name)
	}
	t, err := t.dense()
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	return t.data, nil
}

// Float32 returns a tensor as float32 in C order, in memory that belongs to the caller: float16 and
// bfloat16 widened exactly, float64 and integers rounded. With a shape given, the file's must equal it.
// The errors are *MissingError and *ShapeError; Check lists them again, all together.
func (s *Store) Float32(name string, shape ...int) ([]float32, error) {
	t, err := s.lookup(name, shape)
	if err != nil {
		return nil, err
	}
	x, err := t.float32s()
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	bad := countNonFinite(name, x)
	s.note(name, func(r *request) { r.bad = bad })
	return x, nil
}

// Have returns the error that Float32 would, without reading the tensor. For Check it counts as asked for.
func (s *Store) Have(name string, shape ...int) error {
	_, err := s.lookup(name, shape)
	return err
}

// lend is Float32 in memory of the file where that can be read as it is, else in memory from room.
func (s *Store) lend(name string, shape []int, room func(n int) []float32) ([]float32, error) {
	t, err := s.lookup(name, shape)
	if err != nil {
		return nil, err
	}
	if t, err = t.dense(); err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	x, ok := t.view()
	if !ok {
		x = room(t.count())
		if err := t.widen(x); err != nil {
			return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
		}
	}
	bad := countNonFinite(name, x)
	s.note(name, func(r *request) { r.bad = bad })
	return x, nil
}

// count returns how many tensors there are.
func (s *Store) count() int64 { return int64(len(s.tensors)) }

// forget gives the memory of a tensor's pages back; they are read again when they are needed.
func (s *Store) forget(name string) {
	t, ok := s.tensors[name]
	if !ok || s.origin == nil {
		return
	}
	if data, err := t.raw(); err == nil {
		dropPages(data)
	}
}

// Float64 is Float32 for the types that need it: float64 is exact, the others are widened.
func (s *Store) Float64(name string, shape ...int) ([]float64, error) {
	t, err := s.lookup(name, shape)
	if err != nil {
		return nil, err
	}
	x, err := t.float64s()
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	return x, nil
}

// Int64 returns a tensor of integers or booleans; uint64 values keep their bits.
func (s *Store) Int64(name string, shape ...int) ([]int64, error) {
	t, err := s.lookup(name, shape)
	if err != nil {
		return nil, err
	}
	x, err := t.int64s()
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	return x, nil
}

// lookup finds a tensor and records the request.
func (s *Store) lookup(name string, shape []int) (tensorInfo, error) {
	t, ok := s.tensors[name]
	switch {
	case !ok:
		err := &MissingError{s.file, name, slices.Clone(shape)}
		s.note(name, func(r *request) { r.missing = err })
		return t, err
	case len(shape) > 0 && !slices.Equal(shape, t.shape):
		err := &ShapeError{s.file, name, slices.Clone(t.shape), slices.Clone(shape)}
		s.note(name, func(r *request) { r.shape = err })
		return t, err
	}
	s.note(name, func(*request) {})
	return t, nil
}

// note marks a name as asked for and lets f write what came of it.
func (s *Store) note(name string, f func(*request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.record[name]
	if r == nil {
		r = &request{}
		s.record[name] = r
	}
	f(r)
}
