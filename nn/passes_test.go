package nn_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"percept/clip"
	"percept/nn"
	"percept/unet"
	"percept/vae"
	"percept/weights/synth"
)

const seed = 0x53445f31

// models are the graphs of small models, with values for their inputs.
func models(t *testing.T) map[string]func() (*nn.Graph, map[string][]float32) {
	t.Helper()
	uc := unet.SD14()
	uc.BlockOutChannels, uc.CrossAttentionDim = []int{32, 32, 64}, 16
	uc.DownBlockTypes = []string{unet.CrossAttnDownBlock, unet.CrossAttnDownBlock, unet.DownBlock}
	uc.UpBlockTypes = []string{unet.UpBlock, unet.CrossAttnUpBlock, unet.CrossAttnUpBlock}
	uc.LayersPerBlock = unet.PerLevel{1}
	u, err := unet.New(uc, synth.New("unet", seed))
	if err != nil {
		t.Fatal(err)
	}
	vc := vae.SD14()
	vc.BlockOutChannels = []int{32, 64, 64, 64}
	v, err := vae.New(vc, synth.New("vae", seed))
	if err != nil {
		t.Fatal(err)
	}
	cc := clip.SD14()
	cc.VocabSize, cc.HiddenSize, cc.IntermediateSize, cc.Layers, cc.Heads = 50, 64, 96, 3, 4
	c, err := clip.NewText(cc, synth.New("text_encoder", seed))
	if err != nil {
		t.Fatal(err)
	}
	input := func(name string, n int) []float32 { return synth.Input(name, seed, 1.7320508, n) }
	make := func(g *nn.Graph, err error) *nn.Graph {
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	return map[string]func() (*nn.Graph, map[string][]float32){
		"unet": func() (*nn.Graph, map[string][]float32) {
			return make(u.Graph(unet.Shape{N: 2, H: 8, W: 8, Tokens: 7})), map[string][]float32{
				"latent": input("latent", 2*4*8*8), "timesteps": {981, 21}, "context": input("context", 2*7*16)}
		},
		"vae encoder": func() (*nn.Graph, map[string][]float32) {
			return make(v.EncodeGraph(2, 16, 24)), map[string][]float32{"image": input("image", 2*3*16*24)}
		},
		"vae decoder": func() (*nn.Graph, map[string][]float32) {
			return make(v.DecodeGraph(2, 2, 3)), map[string][]float32{"latent": input("latent", 2*4*2*3)}
		},
		"clip": func() (*nn.Graph, map[string][]float32) {
			return make(c.Graph(2, 5)), map[string][]float32{"input_ids": {49, 1, 2, 3, 4, 49, 7, 7, 7, 7}}
		},
	}
}

func compile(t *testing.T, make func() (*nn.Graph, map[string][]float32), o nn.Options) *nn.Program {
	t.Helper()
	g, inputs := make()
	p, err := nn.Compile(g, o)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range inputs {
		if err := p.Set(name, x); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// values returns the value of every name, computed node by node.
func values(t *testing.T, make func() (*nn.Graph, map[string][]float32)) (names []string, value map[string][]float32) {
	t.Helper()
	p := compile(t, make, nn.Options{NoFusion: true})
	if r := p.Report(); r.Fused != 0 {
		t.Errorf("%v: want nothing fused", r)
	}
	value = map[string][]float32{}
	if err := p.OnNode("**", func(path string, v nn.Value) {
		names = append(names, path)
		value[path] = slices.Clone(v.Raw())
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return names, value
}

func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want the bits of %v", what, i, got[i], want[i])
		}
	}
}

// Neither fusion nor steady inputs change what anybody sees: neither the outputs nor the value of any node, whichever way
// it is asked for, alone or with others.
func TestPassesAreInvisible(t *testing.T) {
	for model, make := range models(t) {
		_, inputs := make()
		all := slices.Sorted(maps.Keys(inputs))
		for _, steady := range [][]string{nil, all[:1], all}[:1+min(2, len(all))] {
			t.Run(fmt.Sprint(model, steady), func(t *testing.T) {
				ctx := context.Background()
				names, want := values(t, make)
				p := compile(t, make, nn.Options{Steady: steady})
				outputs := func(what string) {
					t.Helper()
					for _, name := range []string{"eps", "moments", "image", "last_hidden_state"} {
						if y := p.Output(name); y != nil {
							sameBits(t, what+": "+name, y, want[name])
						}
					}
				}
				run := func() {
					t.Helper()
					if err := p.Run(ctx); err != nil {
						t.Fatal(err)
					}
				}
				r := p.Report()
				t.Log(r)
				if r.Fused < r.Nodes/10 {
					t.Errorf("%v: want at least a tenth fused", r)
				}
				run()
				outputs("plain")
				for i, name := range names {
					switch i % 3 {
					case 0:
						seen := false
						if err := p.OnNode(name, func(path string, v nn.Value) {
							sameBits(t, "hook on "+path, v.Raw(), want[path])
							seen = true
						}); err != nil {
							t.Fatal(err)
						}
						run()
						if !seen {
							t.Errorf("the hook on %s was not called", name)
						}
					case 1:
						if err := p.Keep(name); err != nil {
							t.Fatal(err)
						}
						run()
					case 2:
						if err := p.RunTo(ctx, name); err != nil {
							t.Fatal(err)
						}
					}
					if i%3 != 0 {
						v, err := p.Value(name)
						if err != nil {
							t.Fatal(err)
						}
						sameBits(t, name, v.Raw(), want[name])
					}
					outputs("probe on " + name)
					if i%7 == 0 {
						p.ClearProbes()
					}
				}
			})
		}
	}
}

// An edit of a node that would be fused or left out reaches what is computed from it, and no more.
func TestPassesSeeEdits(t *testing.T) {
	for model, make := range models(t) {
		names, _ := values(t, make)
		var pair [2]*nn.Program
		for i := range pair {
			o := nn.Options{NoFusion: true}
			if i == 0 {
				_, inputs := make()
				o = nn.Options{Steady: slices.Sorted(maps.Keys(inputs))}
			}
			pair[i] = compile(t, make, o)
		}
		for i := 0; i < len(names); i += 5 {
			var seen [2]map[string][]float32
			for k, p := range pair {
				seen[k] = map[string][]float32{}
				p.ClearProbes()
				if err := p.Edit(names[i], func(_ string, v nn.Value) error {
					for j := range v.Raw() {
						v.Raw()[j] *= 0.5
					}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				last := names[len(names)-1]
				if err := p.Keep(last); err != nil {
					t.Fatal(err)
				}
				err := p.Run(context.Background())
				if model == "clip" && err != nil { // halves of whole numbers
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				v, err := p.Value(last)
				if err != nil {
					t.Fatal(err)
				}
				seen[k][last] = slices.Clone(v.Raw())
			}
			for name := range seen[1] {
				sameBits(t, model+": edit of "+names[i]+": "+name, seen[0][name], seen[1][name])
			}
		}
	}
}
