package weights

import (
	"maps"
	"slices"
)

// Compare lists what keeps the Store from having these parameters of a model, name to shape; nil if nothing does.
// Unlike Check it does not depend on what has been asked of the Store. It reads no values.
func (s *Store) Compare(want map[string][]int) *CheckError {
	e := &CheckError{File: s.file}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t, ok := s.tensors[name]
		switch {
		case !ok:
			e.Missing = append(e.Missing, MissingError{s.file, name, slices.Clone(want[name])})
		case !slices.Equal(t.Shape, want[name]):
			e.Misshapen = append(e.Misshapen, ShapeError{s.file, name, slices.Clone(t.Shape), slices.Clone(want[name])})
		case t.unreadable() != "":
			e.Unreadable = append(e.Unreadable, Unreadable{name, t.unreadable()})
		}
	}
	for _, name := range s.Names() {
		if _, ok := want[name]; !ok && !Buffer(name) && !s.tensors[name].aside {
			e.Unexpected = append(e.Unexpected, name)
		}
	}
	if e.Empty() {
		return nil
	}
	return e
}

// CountNonFinite reads a tensor and counts what is no number. It needs little memory and gives back what it has read.
func (s *Store) CountNonFinite(name string) (NonFinite, error) {
	bad := NonFinite{Name: name}
	err := s.scan(name, func(x []float32, _ []byte) error {
		part := countNonFinite(name, x)
		bad.NaN, bad.Inf = bad.NaN+part.NaN, bad.Inf+part.Inf
		return nil
	})
	s.Forget(name)
	return bad, err
}
