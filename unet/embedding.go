package unet

import "percept/nn"

// timeEmbedding turns timesteps into the vector that every resnet adds: a sinusoid, then a two-layer perceptron.
type timeEmbedding struct {
	scope   *nn.Scope
	width   int        // of the sinusoid
	linear1 *nn.Linear // linear_1
	linear2 *nn.Linear // linear_2
}

func newTimeEmbedding(s *nn.Scope, width, out int) *timeEmbedding {
	return &timeEmbedding{
		scope:   s,
		width:   width,
		linear1: nn.NewLinear(s.Sub("linear_1"), width, out),
		linear2: nn.NewLinear(s.Sub("linear_2"), out, out),
	}
}

// forward maps timesteps [N] to [N, out].
func (e *timeEmbedding) forward(timesteps *nn.Node) *nn.Node {
	t := nn.TimestepEmbedding(timesteps, e.width).Named("time_proj")
	h := e.scope.Name(nn.SiLU(e.linear1.Forward(t)), "act")
	return e.scope.Name(e.linear2.Forward(h))
}
