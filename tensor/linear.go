package tensor

// Linear is y = x·Wᵀ + b with packed weights. It is safe for concurrent use.
type Linear struct {
	in, out int
	w       *weights
}

// NewLinear packs w [out, in] (torch's layout); bias [out] may be nil. Neither slice is kept.
func NewLinear(w, bias []float32, out, in int) *Linear {
	need("NewLinear", "w", len(w), out*in)
	if bias != nil {
		need("NewLinear", "bias", len(bias), out)
	}
	return &Linear{in: in, out: out, w: newWeights(w, bias, out, in, 1, 1)}
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
