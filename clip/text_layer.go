package clip

import "percept/nn"

// textLayer is a CLIPEncoderLayer: causal self-attention and a perceptron, each on a normalised copy and added back.
type textLayer struct {
	scope      *nn.Scope
	heads      int
	activation func(*nn.Node) *nn.Node
	norm1      *nn.LayerNorm // layer_norm1
	q, k, v    *nn.Linear    // self_attn.q_proj, k_proj, v_proj
	out        *nn.Linear    // self_attn.out_proj
	norm2      *nn.LayerNorm // layer_norm2
	fc1        *nn.Linear    // mlp.fc1
	fc2        *nn.Linear    // mlp.fc2
}

func (c TextConfig) newTextLayer(s *nn.Scope) *textLayer {
	attn, mlp := s.Sub("self_attn"), s.Sub("mlp")
	l := &textLayer{
		scope:      s,
		heads:      c.Heads,
		activation: nn.QuickGELU,
		norm1:      nn.NewLayerNorm(s.Sub("layer_norm1"), c.HiddenSize, c.LayerNormEps),
		q:          nn.NewLinear(attn.Sub("q_proj"), c.HiddenSize, c.HiddenSize),
		k:          nn.NewLinear(attn.Sub("k_proj"), c.HiddenSize, c.HiddenSize),
		v:          nn.NewLinear(attn.Sub("v_proj"), c.HiddenSize, c.HiddenSize),
		out:        nn.NewLinear(attn.Sub("out_proj"), c.HiddenSize, c.HiddenSize),
		norm2:      nn.NewLayerNorm(s.Sub("layer_norm2"), c.HiddenSize, c.LayerNormEps),
		fc1:        nn.NewLinear(mlp.Sub("fc1"), c.HiddenSize, c.IntermediateSize),
		fc2:        nn.NewLinear(mlp.Sub("fc2"), c.IntermediateSize, c.HiddenSize),
	}
	if c.Activation == GELU {
		l.activation = nn.GELU
	}
	return l
}

// forward maps x [N, T, D] to [N, T, D]; a token sees itself and those before it.
func (l *textLayer) forward(x *nn.Node) *nn.Node {
	h := l.norm1.Forward(l.scope.Name(x, "residual.0"))
	h = nn.Attention(l.q.Forward(h), l.k.Forward(h), l.v.Forward(h), l.heads, true)
	h = l.out.Forward(l.scope.Name(h, "self_attn.heads"))
	x = l.scope.Name(nn.Add(x, l.scope.Name(h, "self_attn")), "residual.1")
	mlp := l.scope.Sub("mlp")
	h = mlp.Name(l.activation(l.fc1.Forward(l.norm2.Forward(x))), "activation_fn")
	return l.scope.Name(nn.Add(x, mlp.Name(l.fc2.Forward(h))))
}
