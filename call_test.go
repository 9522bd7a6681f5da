package percept_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"percept"
	"percept/nn"
	"percept/scheduler"
	"percept/unet"
)

// Calls come in the order of the sampler's questions, batch after batch, and are those that probes see.
func TestOnCall(t *testing.T) {
	p := pipeline(t)
	const side = 12
	for _, c := range []struct {
		sampler  string
		guidance float64
		want     string // batch/step.call of 2 batches with 2 steps
	}{
		{"ddim", 5, "0/0.0 0/1.0 2/0.0 2/1.0"},
		{"ddim", 1, "0/0.0 0/1.0 2/0.0 2/1.0"},
		{"plms", 5, "0/0.0 0/0.1 0/1.0 2/0.0 2/0.1 2/1.0"},
	} {
		t.Run(fmt.Sprint(c.sampler, " ", c.guidance), func(t *testing.T) {
			conditioning, err := p.TextEmbed(t.Context(), []string{"a house", "a tree", "a boat"})
			if err != nil {
				t.Fatal(err)
			}
			empty, err := p.TextEmbed(t.Context(), []string{""})
			if err != nil {
				t.Fatal(err)
			}
			row := p.Tokens * p.Width
			var call percept.Call
			var seen []string
			for _, n := range []int{2, 1} {
				rows := n
				if c.guidance != 1 {
					rows *= 2
				}
				program, err := p.UNet.Program(unet.Shape{N: rows, H: side, W: side, Tokens: p.Tokens})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(program.ClearProbes)
				look := func(name string, f func(v nn.Value)) {
					if err := program.OnNode(name, func(_ string, v nn.Value) { f(v) }); err != nil {
						t.Fatal(err)
					}
				}
				look("timesteps", func(v nn.Value) {
					seen = append(seen, fmt.Sprintf("%d/%d.%d", call.First, call.Step, call.Call))
					for _, at := range v.Raw() {
						if at != float32(call.Timestep) {
							t.Errorf("%+v: the network is asked at %v", call, at)
						}
					}
				})
				look("context", func(v nn.Value) {
					for r := range rows {
						image, half := call.Row(r)
						want := empty
						if half == percept.Conditional {
							want = conditioning[image*row : (image+1)*row]
						}
						if !slices.Equal(v.Raw()[r*row:(r+1)*row], want) {
							t.Errorf("%+v: row %d is not image %d, half %d", call, r, image, half)
						}
					}
				})
			}
			s := percept.Sampling{Sampler: c.sampler, Guidance: c.guidance, Steps: 2, Batch: 2, OnCall: func(at percept.Call) error {
				call = at
				return nil
			}}
			if _, err := p.Denoise(t.Context(), percept.NoiseFor(1, 0, 3, side, side), conditioning, s, nil); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(seen, " "); got != c.want {
				t.Errorf("calls %s, expected %s", got, c.want)
			}
			if call.Of != 2 || call.N != 1 || call.Guided != (c.guidance != 1) {
				t.Errorf("last call %+v", call)
			}
		})
	}
}

// Generate counts images over its batches; an error of OnCall ends it before the network runs.
func TestOnCallOfGenerate(t *testing.T) {
	p := pipeline(t)
	stop := errors.New("enough")
	var firsts []int
	r := percept.Request{Prompts: []string{"a house", "a tree"}, Width: 64, Height: 64, Sampling: percept.Sampling{
		Sampler: scheduler.Names()[0], Steps: 1, Batch: 1, OnCall: func(c percept.Call) error {
			firsts = append(firsts, c.First)
			if c.First == 1 {
				return stop
			}
			return nil
		}}}
	if made, err := p.Generate(t.Context(), r); !errors.Is(err, stop) || len(made) != 1 || !slices.Equal(firsts, []int{0, 1}) {
		t.Errorf("%d pictures, calls of images %v, error %v", len(made), firsts, err)
	}
}
