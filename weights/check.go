package weights

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Unused returns the names that nobody has asked for, sorted, without those that carry no parameter
// (see Buffer) and what a trainer keeps for itself: the state of its optimiser, moving averages (see UseEMA).
func (s *Store) Unused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, name := range s.Names() {
		if s.record[name] == nil && !Buffer(name) && !s.tensors[name].aside && !strings.HasPrefix(name, emaPrefix) {
			names = append(names, name)
		}
	}
	return names
}

// Buffer reports whether a name is that of a constant that some versions of the libraries save beside
// the parameters: positions 0, 1, 2, … and the step counts of batch norms.
func Buffer(name string) bool {
	return strings.HasSuffix(name, "position_ids") || strings.HasSuffix(name, "num_batches_tracked")
}

// Check reports what the requests so far have shown: call it when a model has been built from the
// Store. The error, if any, is a *CheckError with the missing, misshapen and unexpected (never asked
// for) tensors and those that hold NaN or Inf.
func (s *Store) Check() error {
	e := &CheckError{File: s.file, Unexpected: s.Unused()}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.record)) {
		r := s.record[name]
		if r.missing != nil {
			e.Missing = append(e.Missing, *r.missing)
		}
		if r.shape != nil {
			e.Misshapen = append(e.Misshapen, *r.shape)
		}
		if r.bad.NaN+r.bad.Inf > 0 {
			e.NonFinite = append(e.NonFinite, r.bad)
		}
	}
	if e.Empty() {
		return nil
	}
	return e
}

// CheckAgainst compares the Store with the parameters of a model, name to shape, and reads every
// value once for NaN and Inf.
func (s *Store) CheckAgainst(want map[string][]int) error {
	fresh := &Store{file: s.file, format: s.format, tensors: s.tensors, record: map[string]*request{}}
	for name, shape := range want {
		var unreadable *FormatError // what is missing or misshapen is recorded
		if _, err := fresh.Float32(name, shape...); errors.As(err, &unreadable) {
			return err
		}
	}
	return fresh.Check()
}
