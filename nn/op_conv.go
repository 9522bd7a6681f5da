package nn

import "percept/tensor"

// Conv2d is a two-dimensional convolution with bias, in the sense of torch.nn.Conv2d.
type Conv2d struct {
	stored
	in, out, kernel int
	opt             ConvOption
	w               *tensor.Conv2d
}

// A ConvOption departs from stride 1 and a padding of kernel/2 on all sides. Where it is given
// its Pad counts: the zero Pad is no padding.
type ConvOption struct {
	Stride int    // 0 means 1
	Pad    [4]int // rows and columns of zeros: top, left, bottom, right
	NoBias bool
}

// NewConv2d takes weight [out, in, kernel, kernel] and bias [out] from the scope. Without an
// option the result is as large as the input (for odd kernels).
func NewConv2d(s *Scope, in, out, kernel int, o ...ConvOption) *Conv2d {
	opt := ConvOption{Stride: 1, Pad: [4]int{kernel / 2, kernel / 2, kernel / 2, kernel / 2}}
	if len(o) > 0 {
		opt = o[0]
		opt.Stride = max(opt.Stride, 1)
	}
	c := &Conv2d{stored: s.stored(!opt.NoBias, out, in, kernel, kernel), in: in, out: out, kernel: kernel, opt: opt}
	if src, ok := s.source(!opt.NoBias, out, in, kernel, kernel); ok {
		form := tensor.Implicit
		if opt.Stride == 1 && !src.Low {
			side := 0
			if s.side != nil {
				side = s.side(s.path)
			}
			form = tensor.ChooseForm(out, in, kernel, kernel, side)
		}
		c.w = tensor.NewConv2dFrom(src, form, out, in, kernel, kernel)
	}
	return c
}

// Forward maps x [N, H, W, in] to [N, H', W', out], H' = (H + top + bottom - kernel)/stride + 1.
func (c *Conv2d) Forward(x *Node) *Node { return Apply(convOp{c: c}, c.path, x) }

type convOp struct {
	images
	c *Conv2d
}

func (convOp) Kind() string { return "Conv2d" }

func (o convOp) geometry(x []int) tensor.ConvGeometry {
	return tensor.ConvGeometry{N: x[0], H: x[1], W: x[2], Stride: o.c.opt.Stride,
		PadTop: o.c.opt.Pad[0], PadLeft: o.c.opt.Pad[1], PadBottom: o.c.opt.Pad[2], PadRight: o.c.opt.Pad[3]}
}

func (o convOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 4 || x[3] != o.c.in {
		return nil, mismatch(in, "[N H W %d]", o.c.in)
	}
	p := o.c.opt.Pad
	if x[1]+p[0]+p[2] < o.c.kernel || x[2]+p[1]+p[3] < o.c.kernel {
		return nil, mismatch(in, "an image of at least %d×%d with padding %v", o.c.kernel, o.c.kernel, p)
	}
	h, w := o.c.w.OutSize(o.geometry(x))
	return []int{x[0], h, w, o.c.out}, nil
}

func (o convOp) Scratch(in ...[]int) int { return o.c.w.Scratch(o.geometry(in[0])) }

func (o convOp) Forward(c *Call) { o.forward(c, tensor.Epilogue{}) }

func (o convOp) forward(c *Call, e tensor.Epilogue) {
	o.c.w.ForwardWith(c.Y, c.X[0], c.Scratch, o.geometry(c.XShape[0]), e)
}

// Upsample2x maps x [N, H, W, C] to [N, 2H, 2W, C]: each pixel becomes two by two equal ones.
func Upsample2x(x *Node) *Node { return Apply(upsampleOp{}, "", x) }

type upsampleOp struct{ images }

func (upsampleOp) Kind() string { return "Upsample2x" }

func (upsampleOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 4 {
		return nil, mismatch(in, "[N H W C]")
	}
	return []int{x[0], 2 * x[1], 2 * x[2], x[3]}, nil
}

func (upsampleOp) Forward(c *Call) {
	x := c.XShape[0]
	tensor.Upsample2x(c.Y, c.X[0], x[0], x[1], x[2], x[3])
}
