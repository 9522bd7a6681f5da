package clip

import (
	"context"
	"fmt"
	"slices"

	"percept/nn"
)

// Graph is the model for n texts of the given number of tokens as a graph with the input "input_ids" [n, tokens] and
// the output "last_hidden_state" [n, tokens, D].
func (m *Text) Graph(n, tokens int) (*nn.Graph, error) {
	if n < 1 || tokens < 1 || tokens > m.Config.MaxPositionEmbeddings {
		most := m.Config.MaxPositionEmbeddings
		return nil, fmt.Errorf("clip: %d texts of %d tokens, expected at least one text of 1 to %d tokens", n, tokens, most)
	}
	return nn.Build(func(g *nn.Graph) {
		ids := g.Input("input_ids", n, tokens)
		g.Output("last_hidden_state", m.Forward(ids))
	})
}

// Program returns the Program that Encode uses for n texts of Config.MaxPositionEmbeddings tokens. It is kept as long as
// the model; it must neither run nor be changed while Encode runs.
func (m *Text) Program(n int) (*nn.Program, error) {
	return m.runner.Program([2]int{n, m.Config.MaxPositionEmbeddings})
}

// Encode returns the last hidden state [n, T, D] of n texts, given as ids of equal number T: the context of Stable
// Diffusion v1 where the texts are padded to 77 tokens.
func (m *Text) Encode(ctx context.Context, ids [][]int32) ([]float32, error) {
	input, err := m.flatten(ids)
	if err != nil {
		return nil, err
	}
	hidden := make([]float32, len(input)*m.Config.HiddenSize)
	in := []nn.Array{{Name: "input_ids", Data: input}}
	if err := m.runner.Run(ctx, [2]int{len(ids), len(ids[0])}, nil, in, nn.Array{Name: "last_hidden_state", Data: hidden}); err != nil {
		return nil, err
	}
	return hidden, nil
}

// flatten checks ids and returns them as the numbers that the graph takes.
func (m *Text) flatten(ids [][]int32) ([]float32, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("clip: no text to encode")
	}
	var flat []float32
	for i, text := range ids {
		if len(text) != len(ids[0]) {
			return nil, fmt.Errorf("clip: text %d has %d tokens, text 0 has %d: pad them to one length", i, len(text), len(ids[0]))
		}
		for j, id := range text {
			if id < 0 || int(id) >= m.Config.VocabSize {
				return nil, fmt.Errorf("clip: token %d of text %d is %d, expected 0 to %d", j, i, id, m.Config.VocabSize-1)
			}
			flat = append(flat, float32(id))
		}
	}
	return flat, nil
}

// legacyEndToken in a config.json is a mistake of its time: the end token is the highest id instead.
const legacyEndToken = 2

// Pooled returns the row of each text's first end token, [n, D], out of the last hidden state [n, T, D] of ids. A text
// without one gives its first row, as transformers does.
func (m *Text) Pooled(hidden []float32, ids [][]int32) ([]float32, error) {
	d := m.Config.HiddenSize
	if _, err := m.flatten(ids); err != nil {
		return nil, err
	}
	if len(ids[0]) == 0 || len(hidden) != len(ids)*len(ids[0])*d {
		return nil, fmt.Errorf("clip: hidden state of %d values is not of %d texts of %d tokens", len(hidden), len(ids), len(ids[0]))
	}
	pooled := make([]float32, 0, len(ids)*d)
	for i, text := range ids {
		end := int32(m.Config.EndToken)
		if end == legacyEndToken {
			end = slices.Max(text)
		}
		row := i*len(ids[0]) + max(slices.Index(text, end), 0)
		pooled = append(pooled, hidden[row*d:(row+1)*d]...)
	}
	return pooled, nil
}
