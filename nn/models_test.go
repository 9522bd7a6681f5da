package nn_test

import (
	"testing"

	"percept/nn"
	"percept/unet"
	"percept/weights/synth"
)

// The whole U-Net, small and with unequal timesteps, gives the same bits in every node when gorgonia's
// own machine runs it.
func TestTapeMachineRunsTheUNet(t *testing.T) {
	c := unet.SD14()
	c.BlockOutChannels, c.CrossAttentionDim = []int{32, 64, 128, 128}, 48
	m, err := unet.New(c, synth.New("unet", seed))
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile(unet.Shape{N: 2, H: 8, W: 16, Tokens: 77}, nn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string][]float32{
		"latent":    synth.Input("latent", seed, 1.7320508, 2*4*8*16),
		"timesteps": {981, 21},
		"context":   synth.Input("context", seed, 1.7320508, 2*77*48),
	} {
		if err := p.Set(name, x); err != nil {
			t.Fatal(err)
		}
	}
	// 16 of the 743 names are attention maps, which exist only where they are asked for.
	if n := nn.CompareWithTape(t, p); n < 700 {
		t.Errorf("compared %d nodes, want over 700", n)
	}
}
