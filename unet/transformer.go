package unet

import (
	"strconv"

	"percept/nn"
)

// Constants of the transformer blocks that SD v1 does not configure.
const (
	transformerGroupNormEps = 1e-6
	layerNormEps            = 1e-5
	feedForwardFactor       = 4
)

// transformer is a Transformer2DModel: the image as a sequence of pixels that look at one another and at the context.
type transformer struct {
	scope   *nn.Scope
	norm    *nn.GroupNorm // norm
	projIn  *nn.Conv2d    // proj_in
	blocks  []*transformerBlock
	projOut *nn.Conv2d // proj_out
}

func (c Config) newTransformer(s *nn.Scope, channels, level int) *transformer {
	t := &transformer{
		scope:  s,
		norm:   nn.NewGroupNorm(s.Sub("norm"), channels, c.NormNumGroups, transformerGroupNormEps),
		projIn: nn.NewConv2d(s.Sub("proj_in"), channels, channels, 1),
	}
	heads := c.AttentionHeadDim.at(level)
	for i := range c.TransformerLayers.at(level) {
		t.blocks = append(t.blocks, newTransformerBlock(s.Sub("transformer_blocks."+strconv.Itoa(i)), channels, c.CrossAttentionDim, heads))
	}
	t.projOut = nn.NewConv2d(s.Sub("proj_out"), channels, channels, 1)
	return t
}

// forward maps x [N, H, W, C] and context [N, T, D] to [N, H, W, C].
func (t *transformer) forward(x, context *nn.Node) *nn.Node {
	shape := x.Shape()
	h := nn.Tokens(t.projIn.Forward(t.norm.Forward(x))) // [N, H·W, C]
	for _, b := range t.blocks {
		h = b.forward(h, context)
	}
	h = t.projOut.Forward(nn.Image(h, shape[1], shape[2]))
	return t.scope.Name(nn.Add(h, x))
}

// transformerBlock is a BasicTransformerBlock: self-attention, cross-attention and a gated perceptron, each on a
// normalised copy and added back.
type transformerBlock struct {
	scope               *nn.Scope
	norm1, norm2, norm3 *nn.LayerNorm // norm1, norm2, norm3
	attn1               *attention    // attn1: pixels to pixels
	attn2               *attention    // attn2: pixels to context
	ff                  *feedForward  // ff
}

func newTransformerBlock(s *nn.Scope, channels, contextDim, heads int) *transformerBlock {
	return &transformerBlock{
		scope: s,
		norm1: nn.NewLayerNorm(s.Sub("norm1"), channels, layerNormEps),
		attn1: newAttention(s.Sub("attn1"), channels, channels, heads),
		norm2: nn.NewLayerNorm(s.Sub("norm2"), channels, layerNormEps),
		attn2: newAttention(s.Sub("attn2"), channels, contextDim, heads),
		norm3: nn.NewLayerNorm(s.Sub("norm3"), channels, layerNormEps),
		ff:    newFeedForward(s.Sub("ff"), channels),
	}
}

// forward maps x [N, P, C] and context [N, T, D] to [N, P, C].
func (b *transformerBlock) forward(x, context *nn.Node) *nn.Node {
	h := b.norm1.Forward(b.scope.Name(x, "residual.0"))
	x = b.scope.Name(nn.Add(b.attn1.forward(h, h), x), "residual.1")
	x = b.scope.Name(nn.Add(b.attn2.forward(b.norm2.Forward(x), context), x), "residual.2")
	return b.scope.Name(nn.Add(b.ff.forward(b.norm3.Forward(x)), x))
}

// attention is softmax(QK'/√d)V over several heads.
type attention struct {
	scope *nn.Scope
	heads int
	q     *nn.Linear // to_q
	k     *nn.Linear // to_k
	v     *nn.Linear // to_v
	out   *nn.Linear // to_out.0
}

func newAttention(s *nn.Scope, channels, keyDim, heads int) *attention {
	return &attention{
		scope: s,
		heads: heads,
		q:     nn.NewLinearNoBias(s.Sub("to_q"), channels, channels),
		k:     nn.NewLinearNoBias(s.Sub("to_k"), keyDim, channels),
		v:     nn.NewLinearNoBias(s.Sub("to_v"), keyDim, channels),
		out:   nn.NewLinear(s.Sub("to_out.0"), channels, channels),
	}
}

// forward lets x [N, P, C] look at y [N, T, keyDim]; the result is [N, P, C].
func (a *attention) forward(x, y *nn.Node) *nn.Node {
	q, k, v := a.q.Forward(x), a.k.Forward(y), a.v.Forward(y)
	// No output needs the probabilities [N, heads, P, T]: they are computed only in a Program that keeps them.
	a.scope.Name(nn.AttentionProbs(q, k, a.heads), "probs")
	heads := a.scope.Name(nn.Attention(q, k, v, a.heads, false), "heads") // side by side in the channels
	return a.scope.Name(a.out.Forward(heads))
}

// feedForward is a perceptron with a gate: W₂·(a ⊙ GELU(b)), a and b the halves of W₁x.
type feedForward struct {
	scope *nn.Scope
	in    *nn.Linear // net.0.proj
	out   *nn.Linear // net.2
}

func newFeedForward(s *nn.Scope, channels int) *feedForward {
	inner := feedForwardFactor * channels
	return &feedForward{
		scope: s,
		in:    nn.NewLinear(s.Sub("net.0.proj"), channels, 2*inner),
		out:   nn.NewLinear(s.Sub("net.2"), inner, channels),
	}
}

// forward maps x [N, P, C] to [N, P, C].
func (f *feedForward) forward(x *nn.Node) *nn.Node {
	h := f.scope.Name(nn.GEGLU(f.in.Forward(x)), "net.0")
	return f.scope.Name(f.out.Forward(h))
}
