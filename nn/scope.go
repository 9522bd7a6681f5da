package nn

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"percept/tensor"
)

// Params gives weights by name, in the layouts of torch. weights.Store is one.
type Params interface {
	// Float32 returns the tensor of that name, or an error that names it where there is none or
	// its shape is another one. The slice is only read and must not change.
	Float32(name string, shape ...int) ([]float32, error)
}

// A Keeper is Params that also keep what layers make of the weights, so that a later start need not make it again.
// packed.Pack is one.
type Keeper interface {
	Params
	// Have returns the error that Float32 would return, without reading the tensor.
	Have(name string, shape ...int) error
	// Lend is Float32 in memory that is valid until the next Done.
	Lend(name string, shape ...int) ([]float32, error)
	// Room returns size bytes of memory, 64-byte aligned, for what key names. Filled says that they hold it already;
	// otherwise they are zero, and Done follows when they have been written. They are valid while owner is held.
	Room(key string, size int) (b []byte, filled bool, owner any)
	Done(key string)
	// DType is the element type in which layers keep their matrices: float32, float16 or bfloat16.
	DType() string
	// Low says that memory counts more than speed.
	Low() bool
}

// A Scope hands out the weights below one module path. All scopes that come from one NewScope
// collect their errors together, so that one attempt shows everything that is missing.
type Scope struct {
	path string
	*collector
}

type collector struct {
	params Params
	side   func(module string) int // see At; nil where it is not known
	errs   []error
}

// NewScope returns the scope of the whole model.
func NewScope(p Params) *Scope { return &Scope{"", &collector{params: p}} }

// Sub returns the scope of a module: Sub("a").Sub("b") and Sub("a.b") have the path "a.b".
func (s *Scope) Sub(name string) *Scope { return &Scope{s.join(name), s.collector} }

// At says which side in pixels pictures have in a module, in the size the model is made for, and returns s. It decides in
// which form convolutions are computed (tensor.ChooseForm); other sizes are computed in the same form.
func (s *Scope) At(side func(module string) int) *Scope {
	s.side = side
	return s
}

// Path returns the module path, empty for the whole model.
func (s *Scope) Path() string { return s.path }

// Name names n after the module or, given one, after a part of it, and returns n; see Node.Named.
func (s *Scope) Name(n *Node, part ...string) *Node { return n.Named(s.join(strings.Join(part, "."))) }

func (s *Scope) join(name string) string {
	if s.path == "" || name == "" {
		return s.path + name
	}
	return s.path + "." + name
}

// Tensor returns the weights called name in this scope. Where there are none it returns nil and
// remembers the error for Err: layers can still be made, so that all errors are found, but not used.
func (s *Scope) Tensor(name string, shape ...int) []float32 {
	if _, ok := s.params.(Keeper); ok && size(shape) > 0 {
		w, owner := s.table(name, shape...)
		w = slices.Clone(w)
		runtime.KeepAlive(owner)
		return w
	}
	w, err := s.params.Float32(s.join(name), shape...)
	if err == nil && len(w) != size(shape) {
		err = fmt.Errorf("nn: %s: %d numbers, expected shape %v", s.join(name), len(w), shape)
	}
	if err != nil {
		s.errs = append(s.errs, err)
		return nil
	}
	return w
}

// table is Tensor for large ones: a Keeper's own memory, valid while owner is held.
func (s *Scope) table(name string, shape ...int) (w []float32, owner any) {
	k, ok := s.params.(Keeper)
	if !ok || size(shape) == 0 {
		return s.Tensor(name, shape...), nil
	}
	if !s.have(k, name, shape...) {
		return nil, nil
	}
	key := fmt.Sprintf("%s %v", s.join(name), shape)
	b, filled, owner := k.Room(key, 4*size(shape))
	w = unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), size(shape))
	if !filled {
		copy(w, s.lent(k, name, shape...))
		k.Done(key)
	}
	return w, owner
}

// source returns the weight of a layer, of this shape, and its bias [shape[0]] where it has one. ok is false where they
// or those of an earlier layer cannot be had: see complete.
func (s *Scope) source(bias bool, shape ...int) (src tensor.Source, ok bool) {
	src.Bias = bias
	k, ok := s.params.(Keeper)
	if !ok {
		w, b := s.Tensor("weight", shape...), []float32(nil)
		if bias {
			b = s.Tensor("bias", shape[0])
		}
		src.Load = func() ([]float32, []float32) { return w, b }
		return src, s.complete()
	}
	s.have(k, "weight", shape...)
	if bias {
		s.have(k, "bias", shape[0])
	}
	format, err := tensor.ParseFormat(k.DType())
	if err != nil {
		s.errs = append(s.errs, &BuildError{s.path, err.Error()})
	}
	src.Format, src.Low = format, k.Low()
	src.Load = func() (w, b []float32) {
		if bias {
			b = s.lent(k, "bias", shape[0])
		}
		return s.lent(k, "weight", shape...), b
	}
	src.Room = func(key string, size int) tensor.Room {
		key = s.join("weight") + " " + key
		b, filled, owner := k.Room(key, size)
		return tensor.Room{Bytes: b, Filled: filled, Owner: owner, Done: func() { k.Done(key) }}
	}
	return src, s.complete()
}

// stored is what a layer remembers of its weights: not the numbers, of which it has packed what it needs, but where they
// can be had again.
type stored struct {
	params Params
	path   string
	bias   bool
	shape  []int
}

func (s *Scope) stored(bias bool, shape ...int) stored { return stored{s.params, s.path, bias, shape} }

// Weights reads weight and bias anew, as torch has them, to be packed in another way than Forward wants them. bias is nil
// where there is none. It is an error where the Params that the layer was made of do not have them any more, as those of a
// closed file.
func (s stored) Weights() (weight, bias []float32, err error) {
	at := &Scope{path: s.path}
	if weight, err = s.params.Float32(at.join("weight"), s.shape...); err == nil && s.bias {
		bias, err = s.params.Float32(at.join("bias"), s.shape[0])
	}
	if err != nil {
		return nil, nil, err
	}
	return weight, bias, nil
}

// have remembers the error of a tensor that cannot be had.
func (s *Scope) have(k Keeper, name string, shape ...int) bool {
	err := k.Have(s.join(name), shape...)
	if err != nil {
		s.errs = append(s.errs, err)
	}
	return err == nil
}

// lent returns a tensor until the Keeper's next Done. Where it cannot be had after all, it remembers the error and
// returns zeros.
func (s *Scope) lent(k Keeper, name string, shape ...int) []float32 {
	w, err := k.Lend(s.join(name), shape...)
	if err == nil && len(w) != size(shape) {
		err = fmt.Errorf("nn: %s: %d numbers, expected shape %v", s.join(name), len(w), shape)
	}
	if err != nil {
		s.errs = append(s.errs, err)
		return make([]float32, size(shape))
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
