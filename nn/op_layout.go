package nn

import "percept/tensor"

// ToChannelsLast turns an image as it is published, [N, C, H, W], into the order in which the
// operations want it, [N, H, W, C].
func ToChannelsLast(x *Node) *Node { return Apply(toChannelsLastOp{}, "", x) }

type toChannelsLastOp struct{}

func (toChannelsLastOp) Kind() string { return "ToChannelsLast" }

func (toChannelsLastOp) layout(in []layout) (layout, string) {
	if in[0] == channelsLast {
		return 0, "images in channels-first order"
	}
	return channelsLast, ""
}

func (toChannelsLastOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 4 {
		return nil, mismatch(in, "[N C H W]")
	}
	return []int{x[0], x[2], x[3], x[1]}, nil
}

func (toChannelsLastOp) Forward(c *Call) {
	x := c.XShape[0]
	tensor.ToChannelsLast(c.Y, c.X[0], x[0], x[1], x[2], x[3])
}

// ToChannelsFirst turns an image [N, H, W, C] into the published order, [N, C, H, W].
func ToChannelsFirst(x *Node) *Node { return Apply(toChannelsFirstOp{}, "", x) }

type toChannelsFirstOp struct{}

func (toChannelsFirstOp) Kind() string { return "ToChannelsFirst" }

func (toChannelsFirstOp) layout(in []layout) (layout, string) {
	if in[0] == channelsFirst {
		return 0, wantChannelsLast
	}
	return channelsFirst, ""
}

func (toChannelsFirstOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 4 {
		return nil, mismatch(in, "[N H W C]")
	}
	return []int{x[0], x[3], x[1], x[2]}, nil
}

func (toChannelsFirstOp) Forward(c *Call) {
	y := c.YShape
	tensor.ToChannelsFirst(c.Y, c.X[0], y[0], y[1], y[2], y[3])
}

// Tokens sees an image [N, H, W, C] as tokens [N, H·W, C], row by row. It moves nothing.
func Tokens(x *Node) *Node { return Apply(tokensOp{}, "", x) }

type tokensOp struct{ images }

func (tokensOp) Kind() string { return "Tokens" }
func (tokensOp) view()        {}

func (tokensOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 4 {
		return nil, mismatch(in, "[N H W C]")
	}
	return []int{x[0], x[1] * x[2], x[3]}, nil
}

func (tokensOp) Forward(c *Call) { copy(c.Y, c.X[0]) }

// Image sees tokens [N, h·w, C] as an image [N, h, w, C]. It moves nothing.
func Image(x *Node, h, w int) *Node { return Apply(imageOp{h: h, w: w}, "", x) }

type imageOp struct {
	images
	h, w int
}

func (imageOp) Kind() string { return "Image" }
func (imageOp) view()        {}

func (o imageOp) Shape(in ...[]int) ([]int, error) {
	x := in[0]
	if len(in) != 1 || len(x) != 3 || x[1] != o.h*o.w {
		return nil, mismatch(in, "[N %d·%d C]", o.h, o.w)
	}
	return []int{x[0], o.h, o.w, x[2]}, nil
}

func (imageOp) Forward(c *Call) { copy(c.Y, c.X[0]) }

// Concat joins the channels of a [..., Ca] and b [..., Cb] to [..., Ca+Cb].
func Concat(a, b *Node) *Node { return Apply(concatOp{}, "", a, b) }

type concatOp struct{}

func (concatOp) Kind() string { return "Concat" }

func (concatOp) layout(in []layout) (layout, string) {
	if in[0] == channelsFirst || in[1] == channelsFirst {
		return 0, wantChannelsLast
	}
	return max(in[0], in[1]), ""
}

func (concatOp) Shape(in ...[]int) ([]int, error) {
	if len(in) != 2 || len(in[0]) < 2 || len(in[1]) < 2 || !equal(in[0][:len(in[0])-1], in[1][:len(in[1])-1]) {
		return nil, mismatch(in, "shapes that differ in the last dimension only")
	}
	return withLast(in[0], last(in[0])+last(in[1])), nil
}

func (concatOp) Forward(c *Call) {
	tensor.Concat(c.Y, c.X[0], c.X[1], rows(c.YShape), last(c.XShape[0]), last(c.XShape[1]))
}
