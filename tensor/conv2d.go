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
	need("NewConv2d", "w", len(w), cout*cin*kh*kw)
	if bias != nil {
		need("NewConv2d", "bias", len(bias), cout)
	}
	return &Conv2d{cin: cin, cout: cout, kh: kh, kw: kw, w: newWeights(w, bias, cout, cin, kh*kw)}
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

// gather makes rows of the matrix that a convolution multiplies with its weights: row p holds the kh·kw·cin inputs
// that output pixel p sees, in the order (tap row, tap column, channel).
type gather struct {
	ConvGeometry
	cin, kh, kw int
	oh, ow      int
	x           []float32
}

var convProducts freeList[struct {
	product
	gather
}]

// Forward computes y [N, Ho, Wo, cout] from x [N, H, W, cin]. y must not overlap x.
func (c *Conv2d) Forward(y, x, scratch []float32, g ConvGeometry) {
	oh, ow := c.OutSize(g)
	need("Conv2d", "x", len(x), g.N*g.H*g.W*c.cin)
	need("Conv2d", "y", len(y), g.N*oh*ow*c.cout)
	p := convProducts.get()
	p.product = product{b: c.w.of(current.Load()), c: y, m: g.N * oh * ow}
	if oh == g.H && ow == g.W && c.kh == 1 && c.kw == 1 && g.Stride == 1 {
		p.a, p.lda = x, c.cin
	} else {
		p.gather = gather{ConvGeometry: g, cin: c.cin, kh: c.kh, kw: c.kw, oh: oh, ow: ow, x: x}
		p.conv = &p.gather
	}
	p.product.run()
	convProducts.put(p)
}

// rows fills a [r1-r0, kc] with columns k0 … k0+kc-1 of rows r0 … r1-1.
func (g *gather) rows(a []float32, r0, r1, k0, kc int) {
	line := g.kw * g.cin // one tap row, contiguous in the image away from its sides
	u0, u1 := k0/line, (k0+kc-1)/line
	for r := r0; r < r1; r++ {
		n, q := r/(g.oh*g.ow), r%(g.oh*g.ow)
		ih, iw := q/g.ow*g.Stride-g.PadTop, q%g.ow*g.Stride-g.PadLeft
		row := a[(r-r0)*kc:][:kc]
		for u := u0; u <= u1; u++ {
			from, to := max(k0, u*line), min(k0+kc, (u+1)*line)
			dst := row[from-k0 : to-k0]
			if ih+u < 0 || ih+u >= g.H {
				clear(dst)
				continue
			}
			// Position of the wanted floats within the image line, in channels; outside it there is padding.
			at := iw*g.cin + from - u*line
			if before := -at; before > 0 {
				before = min(before, len(dst))
				clear(dst[:before])
				dst, at = dst[before:], at+before
			}
			image := g.x[((n*g.H+ih+u)*g.W)*g.cin:][:g.W*g.cin]
			if len(dst) > 0 && at < len(image) {
				dst = dst[copy(dst, image[at:]):]
			}
			clear(dst)
		}
	}
}
