package nn

import "percept/tensor"

// A productOp is a convolution or a linear layer: it can do more to its result while it is in the cache.
type productOp interface {
	Op
	forward(c *Call, e tensor.Epilogue)
}

// endedOp is a product with what follows it. Its operands are the product's one, then Channels, then Residual, as far
// as there are such.
type endedOp struct {
	productOp
	kind               string
	channels, residual bool
	act                tensor.Activation
}

// ended returns an operation as a product that something may follow.
func ended(op Op) (o endedOp, ok bool) {
	switch p := op.(type) {
	case endedOp:
		return p, true
	case productOp:
		return endedOp{productOp: p, kind: p.Kind()}, true
	}
	return o, false
}

func (o endedOp) Kind() string { return o.kind }

func (o endedOp) Shape(in ...[]int) ([]int, error) { return o.productOp.Shape(in[0]) }

func (o endedOp) Scratch(in ...[]int) int { return scratchOf(o.productOp, in[:1]) }

// InPlace: the residual may be the result's own memory.
func (o endedOp) InPlace(i int) bool { return o.residual && (i == 2 || i == 1 && !o.channels) }

func (o endedOp) Forward(c *Call) {
	e, rest := tensor.Epilogue{Act: o.act}, c.X[1:]
	if o.channels {
		e.Channels, rest = rest[0], rest[1:]
	}
	if o.residual {
		e.Residual = rest[0]
	}
	o.forward(c, e)
}

func (addChannelsOp) absorb(p Op, k int) Op {
	o, ok := ended(p)
	if !ok || k != 0 || o.channels || o.act != tensor.NoActivation || o.residual {
		return nil
	}
	o.channels, o.kind = true, o.kind+"+AddChannels"
	return o
}

func (a activationOp) absorb(p Op, _ int) Op {
	if g, ok := p.(groupNormOp); ok && g.act == tensor.NoActivation {
		g.act, g.actKind = a.act, "+"+a.kind
		return g
	}
	o, ok := ended(p)
	if !ok || o.act != tensor.NoActivation || o.residual {
		return nil
	}
	o.act, o.kind = a.act, o.kind+"+"+a.kind
	return o
}

func (addOp) absorb(p Op, _ int) Op {
	o, ok := ended(p)
	if !ok || o.residual {
		return nil
	}
	o.residual, o.kind = true, o.kind+"+Add"
	return o
}

func (gegluOp) absorb(p Op, _ int) Op {
	if l, ok := p.(linearOp); ok {
		return linearGEGLUOp{l}
	}
	return nil
}

// linearGEGLUOp is a linear layer and GEGLU without the layer's result in memory.
type linearGEGLUOp struct{ linear linearOp }

func (linearGEGLUOp) Kind() string { return "Linear+GEGLU" }

func (o linearGEGLUOp) Shape(in ...[]int) ([]int, error) {
	x, err := o.linear.Shape(in...)
	if err != nil {
		return nil, err
	}
	return gegluOp{}.Shape(x)
}

func (o linearGEGLUOp) Forward(c *Call) { o.linear.l.w.ForwardGEGLU(c.Y, c.X[0], rows(c.XShape[0])) }
