package golden

import "math"

// T is what tests are told with, a part of testing.TB.
type T interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Tensors is a File in a test, which ends where a tensor is not there or not of the type that is asked for.
type Tensors struct {
	t    T
	file *File
}

// Open maps a file until the test ends.
func Open(t T, path string) *Tensors {
	t.Helper()
	f, err := OpenFile(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { f.Close() })
	return &Tensors{t, f}
}

// Names lists the tensors, sorted.
func (s *Tensors) Names() []string { return s.file.Names() }

// Has says whether there is a tensor of that name.
func (s *Tensors) Has(name string) bool { _, _, ok := s.file.Info(name); return ok }

// Shape returns the shape of a tensor.
func (s *Tensors) Shape(name string) []int {
	s.t.Helper()
	_, shape, ok := s.file.Info(name)
	if !ok {
		s.t.Fatalf("no tensor %s", name)
	}
	return shape
}

// Float32 returns a tensor of that shape, where one is given; other types are converted.
func (s *Tensors) Float32(name string, shape ...int) []float32 {
	s.t.Helper()
	x, err := s.file.Float32(name, shape...)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return x
}

// Float64 is Float32 in float64.
func (s *Tensors) Float64(name string, shape ...int) []float64 {
	s.t.Helper()
	x, err := s.file.Float64(name, shape...)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return x
}

// Ints returns a tensor of integers or booleans.
func (s *Tensors) Ints(name string, shape ...int) []int {
	s.t.Helper()
	x, err := s.file.Int64(name, shape...)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	out := make([]int, len(x))
	for i, v := range x {
		out[i] = int(v)
	}
	return out
}

// Int32Rows returns a matrix of integers.
func (s *Tensors) Int32Rows(name string) [][]int32 {
	s.t.Helper()
	rows, err := s.file.Int32Rows(name)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return rows
}

// Values returns a tensor that was stored as numbers of type N, in C order.
func Values[N Number](s *Tensors, name string) []N {
	s.t.Helper()
	x, err := Read[N](s.file, name)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return x
}

// Near fails the test where got is not within the tolerance of want, and returns the largest error as a fraction of the
// tolerance.
func Near(t T, name string, got, want []float32, e Error) float64 {
	t.Helper()
	worst, at, err := Distance(got, want)
	switch tol := e.Tolerance(); {
	case err != nil:
		t.Errorf("%s: %v", name, err)
		return math.Inf(1)
	case !(worst <= tol):
		t.Errorf("%s: value %d is %g, expected %g: error %.3g above the tolerance %.3g", name, at, got[at], want[at], worst, tol)
	}
	return worst / e.Tolerance()
}
