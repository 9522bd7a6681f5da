package clip

import (
	"fmt"
	"strconv"

	"percept/nn"
)

// Text is the text model with its weights. Its methods may be called from several goroutines; the runs of one Text
// follow one another.
type Text struct {
	Config TextConfig

	scope     *nn.Scope
	tokens    *nn.Embedding // text_model.embeddings.token_embedding
	positions *nn.Embedding // text_model.embeddings.position_embedding
	layers    []*textLayer  // text_model.encoder.layers
	normOut   *nn.LayerNorm // text_model.final_layer_norm

	runner *nn.Runner[[2]int] // by batch and number of tokens
}

// NewText builds the model from the tensors of p, whose names begin with "text_model." as transformers 4 writes them.
// All missing and misshapen tensors are reported at once.
func NewText(c TextConfig, p nn.Params) (*Text, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	root := nn.NewScope(p)
	s := root.Sub("text_model")
	m := &Text{
		Config:    c,
		scope:     s,
		tokens:    nn.NewEmbedding(s.Sub("embeddings.token_embedding"), c.VocabSize, c.HiddenSize),
		positions: nn.NewEmbedding(s.Sub("embeddings.position_embedding"), c.MaxPositionEmbeddings, c.HiddenSize),
		normOut:   nn.NewLayerNorm(s.Sub("final_layer_norm"), c.HiddenSize, c.LayerNormEps),
	}
	for i := range c.Layers {
		m.layers = append(m.layers, c.newTextLayer(s.Sub("encoder.layers."+strconv.Itoa(i))))
	}
	if err := root.Err(); err != nil {
		return nil, fmt.Errorf("clip: %w", err)
	}
	m.runner = nn.NewRunner("clip", nn.Options{}, func(k [2]int) (*nn.Graph, error) { return m.Graph(k[0], k[1]) })
	return m, nil
}

// Forward adds the model to a graph: ids [N, T], whole numbers, give the last hidden state [N, T, D] after the final
// LayerNorm. Hidden states are named "hidden_states.0" (what enters the first layer) and so on.
func (m *Text) Forward(ids *nn.Node) *nn.Node {
	x := m.scope.Name(nn.AddRows(m.tokens.Forward(ids), m.positions.Positions(ids)), "embeddings").Named("hidden_states.0")
	for i, l := range m.layers {
		x = l.forward(x).Named("hidden_states." + strconv.Itoa(i+1))
	}
	m.scope.Name(x, "encoder")
	return m.normOut.Forward(x).Named("last_hidden_state")
}
