package vision

import (
	"context"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	"percept/fmri/sim/scene"
)

// On scenes that it never saw, the network that comes with the program knows most of what
// is in them: training ended at a balanced accuracy of 0.885 over its labels.
func TestEmbeddedSceneNetKnowsScenes(t *testing.T) {
	net, err := EmbeddedSceneNet()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(net.Labels(), scene.LabelNames) {
		t.Fatalf("labels %v, the scenes have %v", net.Labels(), scene.LabelNames)
	}
	const n = 192
	r := rand.New(rand.NewPCG(20261123, 7))
	pictures, truth := make([]image.Image, n), make([][]float32, n)
	for i := range pictures {
		s := scene.Random(r)
		pictures[i], truth[i] = s.Draw(96), s.Labels()
	}
	logits, err := net.Logits(context.Background(), pictures)
	if err != nil {
		t.Fatal(err)
	}
	sum, sides := 0.0, 0.0
	for j := range scene.LabelNames {
		var right, all [2]float64
		for i := range pictures {
			side := int(truth[i][j])
			all[side]++
			if (logits[i][j] > 0) == (side == 1) {
				right[side]++
			}
		}
		for side := range all {
			if all[side] > 0 {
				sum, sides = sum+right[side]/all[side], sides+1
			}
		}
	}
	if accuracy := sum / sides; accuracy < 0.83 {
		t.Errorf("balanced accuracy %.3f, want about 0.885", accuracy)
	} else {
		t.Logf("balanced accuracy %.3f", accuracy)
	}
}
