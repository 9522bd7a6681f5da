package features

import (
	"context"
	"fmt"
	"slices"

	"percept"
)

// embed is c [tokens, width] of an image's captions.
func embed(ctx context.Context, p *percept.Pipeline, captions []string, how string) ([]float32, error) {
	if len(captions) == 0 {
		return nil, fmt.Errorf("none, expected at least one")
	}
	switch how {
	case First:
		return p.TextEmbed(ctx, captions[:1])
	case Aligned:
		all, err := p.TextEmbed(ctx, captions)
		if err != nil {
			return nil, err
		}
		ends := make([]int, len(captions))
		for i, text := range captions {
			ids, _ := p.Tokenizer.Pad(p.Tokenizer.Encode(text), p.Tokens)
			ends[i] = slices.Index(ids, p.Tokenizer.End())
		}
		return align(all, ends, p.Tokens, p.Width)
	}
	return p.MeanTextEmbed(ctx, captions)
}

// align averages the embeddings of several captions, all [captions, tokens, width], so that their end tokens meet: a mean
// position by position would average the last word of one caption with what follows the end of another. ends are the
// positions of the first end tokens. The result has its end where the longest caption has it; a position is the mean over the
// captions that have one there, and its start is all captions' start.
func align(all []float32, ends []int, tokens, width int) ([]float32, error) {
	end := 0
	for i, e := range ends {
		if e < 1 || e >= tokens {
			return nil, fmt.Errorf("caption %d has no end token among %d", i, tokens)
		}
		end = max(end, e)
	}
	out := make([]float32, tokens*width)
	sum := make([]float64, width)
	for t := range tokens {
		clear(sum)
		n := 0
		for i, e := range ends {
			from := t - (end - e)
			if t == 0 {
				from = 0
			} else if from < 1 {
				continue
			}
			n++
			for k, v := range all[(i*tokens+from)*width:][:width] {
				sum[k] += float64(v)
			}
		}
		for k, v := range sum {
			out[t*width+k] = float32(v / float64(n))
		}
	}
	return out, nil
}
