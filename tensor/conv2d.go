package tensor

import "fmt"

// Conv2d is a two-dimensional convolution (cross-correlation, as torch's) with packed weights. It is safe for
// concurrent use.
type Conv2d struct {
	cin, cout, kh, kw int
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
	return NewConv2dFrom(held(w, bias), cout, cin, kh, kw)
}

// NewConv2dFrom is NewConv2d with weights that are read only where they have to be packed.
func NewConv2dFrom(src Source, cout, cin, kh, kw int) *Conv2d {
	src = src.checked("NewConv2d", cout*cin*kh*kw, cout)
	return &Conv2d{cin: cin, cout: cout, kh: kh, kw: kw, w: newTaps(src, cout, cin, kh, kw)}
}

// OutSize returns the output's height and width.
func (c *Conv2d) OutSize(g ConvGeometry) (h, w int) {
	if g.Stride < 1 {
		panic(fmt.Sprintf("tensor: Conv2d: stride %d, want 1 or more", g.Stride))
	}
	h = (g.H+g.PadTop+g.PadBottom-c.kh)/g.Stride + 1
	w = (g.W+g.PadLeft+g.PadRight-c.kw)/g.Stride + 1
	if g.H+g.PadTop+g.PadBottom < c.kh || g.W+g.PadLeft+g.PadRight < c.kw {
		panic(fmt.Sprintf("tensor: Conv2d: image %d×%d with padding is smaller than the %d×%d kernel", g.H, g.W, c.kh, c.kw))
	}
	return h, w
}

// Scratch returns how many floats of workspace Forward wants: none, since tiles keep their own.
func (c *Conv2d) Scratch(ConvGeometry) int { return 0 }

// Forward computes y [N, Ho, Wo, cout] from x [N, H, W, cin]. scratch may be nil. y must not overlap x.
func (c *Conv2d) Forward(y, x, scratch []float32, g ConvGeometry) {
	c.ForwardWith(y, x, scratch, g, Epilogue{})
}

// ForwardWith is Forward followed by e.
func (c *Conv2d) ForwardWith(y, x, scratch []float32, g ConvGeometry, e Epilogue) {
	oh, ow := c.OutSize(g)
	need("Conv2d", "x", len(x), g.N*g.H*g.W*c.cin)
	need("Conv2d", "y", len(y), g.N*oh*ow*c.cout)
	set, end := current.Load(), newEnding("Conv2d", e, y, g.N*oh*ow, c.cout)
	b := c.w.of(set)
	if oh == g.H && ow == g.W && c.kh == 1 && c.kw == 1 && g.Stride == 1 {
		p := products.get()
		*p = product{set: set, b: b, c: y, a: x, m: g.N * oh * ow, end: end}
		p.run()
		products.put(p)
		return
	}
	p := convolutions.get()
	*p = convolution{ConvGeometry: g, set: set, b: b, y: y, x: x, cin: c.cin, kh: c.kh, oh: oh, ow: ow, end: end,
		pitch: (g.PadLeft + g.W + g.PadRight) * c.cin}
	p.run()
	convolutions.put(p)
}
