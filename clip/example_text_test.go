package clip_test

import (
	"context"
	"fmt"

	"percept/clip"
	"percept/weights/synth"
)

// A small text model with weights out of a generator; 9 is the end token and the padding.
func ExampleText() {
	config := clip.SD14()
	config.VocabSize, config.EndToken, config.MaxPositionEmbeddings = 10, 9, 6
	config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads = 8, 32, 2, 2
	model, err := clip.NewText(config, synth.New("text_encoder", 1))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := [][]int32{{8, 3, 1, 9, 9, 9}}
	states, err := model.Encode(context.Background(), ids)
	if err != nil {
		fmt.Println(err)
		return
	}
	pooled, err := model.Pooled(states, ids)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(states), "values, one row of", config.HiddenSize, "for each of", len(ids[0]), "tokens; row 3 is pooled:",
		pooled[0] == states[3*8])
	// Output: 48 values, one row of 8 for each of 6 tokens; row 3 is pooled: true
}
