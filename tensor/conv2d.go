package tensor

import "fmt"

// Conv2d is a two-dimensional convolution (cross-correlation, as torch's) with packed weights. It is safe for
// concurrent use.
type Conv2d struct {
	cin, cout, kh, kw int
	form              Form
	w                 *weights
}

// ConvGeometry is the input's size [N, H, W] in pixels, the stride, and the rows and columns of zeros around it.
type ConvGeometry struct {
	N, H, W                              int
	Stride                               int
	PadTop, PadLeft, PadBottom, PadRight int
}

// NewConv2d packs w [cout, cin, kh, kw] (torch's layout); bias [cout] may be nil. Neither slice is kept.
func NewConv2d(w, bias []float32, cout, cin, kh, kw int) *Conv2d {
	return NewConv2dForm(Implicit, w, bias, cout, cin, kh, kw)
}

// NewConv2dForm is NewConv2d for a convolution that is computed in a given form, which must fit it.
func NewConv2dForm(form Form, w, bias []float32, cout, cin, kh, kw int) *Conv2d {
	return NewConv2dFrom(held(w, bias), form, cout, cin, kh, kw)
}

// NewConv2dFrom is NewConv2dForm with weights that are read only where they have to be packed.
func NewConv2dFrom(src Source, form Form, cout, cin, kh, kw int) *Conv2d {
	if !form.Fits(cout, cin, kh, kw) {
		panic(fmt.Sprintf("tensor: NewConv2d: form %v does not fit %d×%d of %d to %d channels", form, kh, kw, cin, cout))
	}
	src = src.checked("NewConv2d", cout*cin*kh*kw, cout)
	c := &Conv2d{cin: cin, cout: cout, kh: kh, kw: kw, form: form}
	if form == Implicit {
		c.w = newTaps(src, cout, cin, kh, kw)
	} else {
		c.w = newFilters(src, form, cout, cin)
	}
	return c
}

// WeightBytes returns how much memory the packed weights take, without the bias, with the current kernel set.
func (c *Conv2d) WeightBytes() int {
	var n int
	for _, p := range c.w.all(current.Load()) {
		n += 4*len(p.data) + 2*len(p.half)
	}
	return n
}

// OutSize returns the output's height and width.
func (c *Conv2d) OutSize(g ConvGeometry) (h, w int) {
	if g.Stride < 1 {
		panic(fmt.Sprintf("tensor: Conv2d: stride %d, expected 1 or more", g.Stride))
	}
	h = (g.H+g.PadTop+g.PadBottom-c.kh)/g.Stride + 1
	w = (g.W+g.PadLeft+g.PadRight-c.kw)/g.Stride + 1
	if g.H+g.PadTop+g.PadBottom < c.kh || g.W+g.PadLeft+g.PadRight < c.kw {
		panic(fmt.Sprintf("tensor: Conv2d: image %d×%d with padding is smaller than the %d×%d kernel", g.H, g.W, c.kh, c.kw))
	}
	return h, w
}

// Scratch returns how many floats of workspace Forward wants: the transformed input of the Winograd forms.
func (c *Conv2d) Scratch(g ConvGeometry) int {
	if c.form == Implicit {
		return 0
	}
	oh, ow := c.OutSize(g)
	f := c.form.piece()
	_, step, _ := winogradPart(f, c.cin, g.N*((oh+f-1)/f)*((ow+f-1)/f))
	return (f + 2) * (f + 2) * step
}

// Forward computes y [N, Ho, Wo, cout] from x [N, H, W, cin]. scratch has Scratch floats or more. y must not overlap x.
func (c *Conv2d) Forward(y, x, scratch []float32, g ConvGeometry) {
	c.ForwardWith(y, x, scratch, g, Epilogue{})
}

// ForwardWith is Forward followed by e.
func (c *Conv2d) ForwardWith(y, x, scratch []float32, g ConvGeometry, e Epilogue) {
	oh, ow := c.OutSize(g)
	need("Conv2d", "x", len(x), g.N*g.H*g.W*c.cin)
	need("Conv2d", "y", len(y), g.N*oh*ow*c.cout)
	set, end := current.Load(), newEnding("Conv2d", e, y, g.N*oh*ow, c.cout)
	if c.form != Implicit {
		if g.Stride != 1 {
			panic(fmt.Sprintf("tensor: Conv2d: stride %d, expected 1 of a convolution in the form %v", g.Stride, c.form))
		}
		needAtLeast("Conv2d", "scratch", len(scratch), c.Scratch(g))
		p := winograds.get()
		*p = winograd{ConvGeometry: g, set: set, b: c.w.all(set), f: c.form.piece(), y: y, x: x, cin: c.cin, oh: oh, ow: ow,
			v: scratch, end: end}
		p.run()
		winograds.put(p)
		return
	}
	b := c.w.of(set)
	if oh == g.H && ow == g.W && c.kh == 1 && c.kw == 1 && g.Stride == 1 {
		p := products.get()
		*p = product{set: set, b: b, c: y, a: x, m: g.N * oh * ow, end: end}
		p.run()
		products.put(p)
		return
	}
	p := convolutions.get()
	*p = convolution{ConvGeometry: g, set: set, b: b, y: y, x: x, cin: c.cin, kh: c.kh, oh: oh, ow: ow, end: end}
	p.run()
	convolutions.put(p)
}
