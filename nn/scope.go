package nn

import (
	"fmt"
	"strings"
)

// Params gives weights by name, in the layouts of torch. weights.Store is one.
type Params interface {
	// Float32 returns the tensor of that name, or an error that names it where there is none or
	// its shape is another one. The slice is only read and must not change.
	Float32(name string, shape ...int) ([]float32, error)
}

// A Scope hands out the weights below one module path. All scopes that come from one NewScope
// collect their errors together, so that one attempt shows everything that is missing.
type Scope struct {
	path string
	*collector
}

type collector struct {
	params Params
	errs   []error
}

// NewScope returns the scope of the whole model.
func NewScope(p Params) *Scope { return &Scope{collector: &collector{params: p}} }

// Sub returns the scope of a module: Sub("a").Sub("b") and Sub("a.b") have the path "a.b".
func (s *Scope) Sub(name string) *Scope { return &Scope{s.join(name), s.collector} }

// Path returns the module path, empty for the whole model.
func (s *Scope) Path() string { return s.path }

func (s *Scope) join(name string) string {
	if s.path == "" || name == "" {
		return s.path + name
	}
	return s.path + "." + name
}

// Tensor returns the weights called name in this scope. Where there are none it returns nil and
// remembers the error for Err: layers can still be made, so that all errors are found, but not used.
func (s *Scope) Tensor(name string, shape ...int) []float32 {
	w, err := s.params.Float32(s.join(name), shape...)
	if err == nil && len(w) != size(shape) {
		err = fmt.Errorf("nn: %s: %d numbers, want shape %v", s.join(name), len(w), shape)
	}
	if err != nil {
		s.errs = append(s.errs, err)
		return nil
	}
	return w
}

// complete says that no tensor was missing so far. Otherwise there is no point in packing weights:
// the model will not be used, and a damaged configuration may ask for more than there is memory.
func (s *Scope) complete() bool { return len(s.errs) == 0 }

// Err returns a *ParamsError with all tensors that could not be had and all layers that cannot be,
// nil if there were none.
func (s *Scope) Err() error {
	if len(s.errs) == 0 {
		return nil
	}
	return &ParamsError{s.errs}
}

// A ParamsError lists the weights that a model wants and did not get.
type ParamsError struct {
	Errs []error // one a tensor, in the order in which they were asked for
}

// maxListed keeps the error of a wholly unsuitable file readable.
const maxListed = 20

func (e *ParamsError) Error() string {
	if len(e.Errs) == 1 {
		return e.Errs[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d things are wrong with the weights: ", len(e.Errs))
	for i, err := range e.Errs[:min(len(e.Errs), maxListed)] {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	if more := len(e.Errs) - maxListed; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns the errors of the single tensors.
func (e *ParamsError) Unwrap() []error { return e.Errs }
