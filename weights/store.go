package weights

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"percept/internal/cause"
	"percept/internal/mapped"
	"percept/weights/internal/torchfile"
	"percept/weights/safetensors"
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
	b, info, release, err := mapped.Open(path, "expected a file of weights (.safetensors, .ckpt, .pt, .bin)")
	if err != nil {
		return nil, pathError(path, err)
	}
	s, err := OpenBytes(path, b)
	if err != nil {
		_ = release() // the format error is the one that helps
		return nil, err
	}
	s.release = release
	s.origin = &origin{size: info.Size(), modified: info.ModTime(), header: s.format.header}
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
	} else {
		var tensors map[string]safetensors.Tensor
		if tensors, s.meta, err = safetensors.Parse(b); err != nil {
			return nil, &FormatError{name, err.Error()}
		}
		s.tensors = make(map[string]tensorInfo, len(tensors))
		for name, t := range tensors {
			s.tensors[name] = tensorInfo{Tensor: t, source: name}
		}
		s.format = &format{name: safetensorsFormat, header: b[8:][:le.Uint64(b)]}
	}
	if err != nil {
		return nil, &FormatError{name, err.Error()}
	}
	return s, nil
}

// emptyView returns a view of the file that hands out no tensor yet.
func (s *Store) emptyView() *Store {
	return &Store{
		file: s.file, format: s.format, meta: s.meta, origin: s.origin,
		tensors: make(map[string]tensorInfo, len(s.tensors)), record: map[string]*request{},
	}
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
				mapped.Drop(read)
			}
		}
	}
	return nil
}

// pathError says in one line what is wrong with a path, without naming it twice.
func pathError(path string, err error) error {
	return fmt.Errorf("weights: %s: %w", path, cause.Of(err))
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
func (s *Store) Info(name string) (safetensors.DType, []int, bool) {
	t, ok := s.tensors[name]
	return t.DType, slices.Clone(t.Shape), ok
}

// Unreadable says why a tensor has no values here, such as its type; empty where it has, and for a name that there is not.
func (s *Store) Unreadable(name string) string {
	t, ok := s.tensors[name]
	if !ok {
		return ""
	}
	return t.unreadable()
}

// Size returns the bytes of a tensor's values.
func (s *Store) Size(name string) int64 {
	t := s.tensors[name]
	if !t.DType.Readable() {
		return int64(len(t.Data))
	}
	n, _ := safetensors.Elements(t.Shape) // which has been looked at when the file was opened
	return int64(n) * int64(t.DType.Size())
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
	d, err := t.dense()
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	return d.Data, nil
}

// Float32 returns a tensor as float32 in C order, in memory that belongs to the caller: float16 and
// bfloat16 widened exactly, float64 and integers rounded. With a shape given, the file's must equal it.
// The errors are *MissingError and *ShapeError; Check lists them again, all together.
func (s *Store) Float32(name string, shape ...int) ([]float32, error) {
	x, err := values(s, name, shape, safetensors.Tensor.Float32)
	if err == nil {
		s.noteNonFinite(name, x)
	}
	return x, err
}

// Have returns the error that Float32 would, without reading the tensor. For Check it counts as asked for.
func (s *Store) Have(name string, shape ...int) error {
	_, err := s.lookup(name, shape)
	return err
}

// Lend is Float32 in memory of the file where that can be read as it is, else in memory from room.
func (s *Store) Lend(name string, shape []int, room func(n int) []float32) ([]float32, error) {
	x, err := values(s, name, shape, func(t safetensors.Tensor) ([]float32, error) {
		if x, ok := t.View(); ok {
			return x, nil
		}
		x := room(t.Len())
		return x, t.Widen(x)
	})
	if err == nil {
		s.noteNonFinite(name, x)
	}
	return x, err
}

// Len returns how many tensors there are.
func (s *Store) Len() int { return len(s.tensors) }

// Forget gives the memory of a tensor's pages back; they are read again when they are needed.
func (s *Store) Forget(name string) {
	t, ok := s.tensors[name]
	if !ok || s.origin == nil {
		return
	}
	if data, err := t.raw(); err == nil {
		mapped.Drop(data)
	}
}

// Float64 is Float32 for the types that need it: float64 is exact, the others are widened.
func (s *Store) Float64(name string, shape ...int) ([]float64, error) {
	return values(s, name, shape, safetensors.Tensor.Float64)
}

// Int64 returns a tensor of integers or booleans; uint64 values keep their bits.
func (s *Store) Int64(name string, shape ...int) ([]int64, error) {
	return values(s, name, shape, safetensors.Tensor.Int64)
}

// values records the request for a tensor and returns what convert makes of it.
func values[T any](s *Store, name string, shape []int, convert func(safetensors.Tensor) ([]T, error)) ([]T, error) {
	t, err := s.lookup(name, shape)
	if err != nil {
		return nil, err
	}
	d, err := t.dense()
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	x, err := convert(d)
	if err != nil {
		return nil, &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
	}
	return x, nil
}

// noteNonFinite lets Check report what is no number.
func (s *Store) noteNonFinite(name string, x []float32) {
	bad := countNonFinite(name, x)
	s.note(name, func(r *request) { r.bad = bad })
}

// lookup finds a tensor and records the request.
func (s *Store) lookup(name string, shape []int) (tensorInfo, error) {
	t, ok := s.tensors[name]
	switch {
	case !ok:
		err := &MissingError{s.file, name, slices.Clone(shape)}
		s.note(name, func(r *request) { r.missing = err })
		return t, err
	case len(shape) > 0 && !slices.Equal(shape, t.Shape):
		err := &ShapeError{s.file, name, slices.Clone(t.Shape), slices.Clone(shape)}
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
