package tensor

// Linear is y = x·Wᵀ + b with packed weights. It is safe for concurrent use.
type Linear struct {
	in, out int
	w       *weights
}

// NewLinear packs w [out, in] (torch's layout); bias [out] may be nil. Neither slice is kept.
func NewLinear(w, bias []float32, out, in int) *Linear {
	return NewLinearFrom(held(w, bias), out, in)
}

// NewLinearFrom is NewLinear with weights that are read only where they have to be packed.
func NewLinearFrom(src Source, out, in int) *Linear {
	return &Linear{in: in, out: out, w: newTaps(src.checked("NewLinear", out*in, out), out, in, 1, 1)}
}

var products freeList[product]

// Forward computes y [rows, out] from x [rows, in]. y must not overlap x.
func (l *Linear) Forward(y, x []float32, rows int) { l.ForwardWith(y, x, rows, Epilogue{}) }

// ForwardWith is Forward followed by e.
func (l *Linear) ForwardWith(y, x []float32, rows int, e Epilogue) {
	need("Linear", "x", len(x), rows*l.in)
	need("Linear", "y", len(y), rows*l.out)
	p, set := products.get(), current.Load()
	*p = product{set: set, b: l.w.of(set), c: y, a: x, m: rows, end: newEnding("Linear", e, y, rows, l.out)}
	p.run()
	products.put(p)
}
