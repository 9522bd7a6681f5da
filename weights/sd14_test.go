package weights

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

// fullName is one tensor of Stable Diffusion v1.4, from testdata/make_sd14.py.
type fullName struct {
	part           Component
	name, original string
	shape          []int
}

func readFullNames(t testing.TB) map[Component][]fullName {
	t.Helper()
	f, err := os.Open("testdata/sd14_names.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	all := map[Component][]fullName{}
	for line := range strings.Lines(string(b)) {
		w := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		n := fullName{part: Component(w[0]), name: w[1], original: w[3]}
		for d := range strings.SplitSeq(w[2], "x") {
			v, err := strconv.Atoi(d)
			if err != nil {
				t.Fatal(err)
			}
			n.shape = append(n.shape, v)
		}
		all[n.part] = append(all[n.part], n)
	}
	for c, want := range map[Component]int{UNet: 686, VAE: 248, TextEncoder: 196} {
		if len(all[c]) != want {
			t.Fatalf("%d tensors of the %s, want %d", len(all[c]), c.Title(), want)
		}
	}
	return all
}

// shapeStore is a Store of which only names and shapes may be read.
func shapeStore(shapes map[string][]int) *Store {
	s := &Store{file: "shapes", tensors: map[string]tensorInfo{}, record: map[string]*request{}}
	for name, shape := range shapes {
		s.tensors[name] = tensorInfo{source: name, Tensor: safetensors.Tensor{DType: safetensors.F32, Shape: shape}}
	}
	return s
}

// renamings are all the ways in which files name the tensors of a component.
var renamings = map[Component]map[string]func(n fullName) string{
	UNet: {
		"diffusers":              func(n fullName) string { return n.name },
		"CompVis":                func(n fullName) string { return n.original },
		"CompVis, short prefix":  func(n fullName) string { return strings.TrimPrefix(n.original, "model.") },
		"CompVis without prefix": func(n fullName) string { return strings.TrimPrefix(n.original, compVisPrefix[UNet]) },
	},
	VAE: {
		"diffusers":              func(n fullName) string { return n.name },
		"diffusers before 2023":  func(n fullName) string { return oldAttention.Replace(n.name) },
		"CompVis":                func(n fullName) string { return n.original },
		"CompVis without prefix": func(n fullName) string { return strings.TrimPrefix(n.original, compVisPrefix[VAE]) },
	},
	TextEncoder: {
		"transformers":          func(n fullName) string { return n.name },
		"without text_model":    func(n fullName) string { return strings.TrimPrefix(n.name, "text_model.") },
		"CompVis":               func(n fullName) string { return n.original },
		"CompVis, transformers": func(n fullName) string { return strings.Replace(n.original, "text_model.", "", 1) },
	},
}

var oldAttention = strings.NewReplacer(".to_q.", ".query.", ".to_k.", ".key.", ".to_v.", ".value.", ".to_out.0.", ".proj_attn.")

// Under every spelling, each tensor of Stable Diffusion v1.4 is found under its diffusers name, and none is left over.
func TestEveryDialectIsABijectionOverStableDiffusion(t *testing.T) {
	all := readFullNames(t)
	for c, list := range all {
		var names []string
		for _, n := range list {
			names = append(names, n.name)
		}
		for how, rename := range renamings[c] {
			shapes, want := map[string][]int{}, map[string]string{}
			for _, n := range list {
				other, shape := rename(n), n.shape
				if strings.HasPrefix(how, "CompVis") && c == VAE && strings.Contains(n.name, ".attentions.") && len(shape) == 2 {
					shape = append(slices.Clone(shape), 1, 1)
				}
				if _, dup := shapes[other]; dup {
					t.Fatalf("%s, %s: two tensors %s", c, how, other)
				}
				shapes[other], want[n.name] = shape, other
			}
			v, err := shapeStore(shapes).Component(c)
			if err != nil {
				t.Errorf("%s, %s: %v", c, how, err)
				continue
			}
			if len(v.Names()) != len(list) {
				t.Errorf("%s, %s: %d names, want %d", c, how, len(v.Names()), len(list))
			}
			for _, n := range list {
				if _, shape, ok := v.Info(n.name); !ok || !slices.Equal(shape, n.shape) || v.Source(n.name) != want[n.name] {
					t.Errorf("%s, %s: %s is %s %v, want %s %v", c, how, n.name, v.Source(n.name), shape, want[n.name], n.shape)
				}
			}
			checkInferred(t, v, c)
		}
		// The way back.
		back, err := CompVisNames(names, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range list {
			if back[n.name] != n.original {
				t.Errorf("%s is %s in the original code, want %s", n.name, back[n.name], n.original)
			}
		}
	}
	if _, err := CompVisNames([]string{"down_blocks.0.resnets.0.conv1.weight", "no.such"}, UNet); err == nil {
		t.Error("a name that the original code has not")
	}
}

// checkInferred compares with the published configurations of Stable Diffusion v1.4, without keys that say nothing of
// the network.
func checkInferred(t *testing.T, v *Store, c Component) {
	t.Helper()
	published := map[Component]string{
		UNet: `{"act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": false,
			"cross_attention_dim": 768, "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
				"DownBlock2D"],
			"downsample_padding": 1, "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
				"mid_block_scale_factor": 1,
			"norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
			"up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]}`,
		VAE: `{"act_fn": "silu", "block_out_channels": [128, 256, 512, 512], "in_channels": 3, "latent_channels": 4, "layers_per_block": 2,
			"down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
			"out_channels": 3, "sample_size": 512, "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
				"UpDecoderBlock2D"]}`,
		TextEncoder: `{"bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 768,
			"intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 77,
			"model_type": "clip_text_model", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "vocab_size": 49408}`,
	}
	b, err := InferConfig(v, c)
	if err != nil {
		t.Errorf("%s: %v", c, err)
		return
	}
	var got, want map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(published[c]), &want); err != nil {
		t.Fatal(err)
	}
	for key, w := range want {
		g, err := json.Marshal(got[key])
		if err != nil {
			t.Fatal(err)
		}
		if e, _ := json.Marshal(w); string(e) != string(g) {
			t.Errorf("%s: %s is %s, want %s", c, key, g, e)
		}
	}
	for _, key := range []string{"use_linear_projection", "transformer_layers_per_block"} {
		if _, ok := got[key]; ok {
			t.Errorf("%s: %s is set", c, key)
		}
	}
}

// wholeModel are the shapes of a CompVis file of Stable Diffusion v1.4.
func wholeModel(t testing.TB) map[string][]int {
	t.Helper()
	shapes := map[string][]int{"betas": {1000}, "alphas_cumprod": {1000},
		"cond_stage_model.transformer.text_model.embeddings.position_ids": {1, 77}}
	for _, list := range readFullNames(t) {
		for _, n := range list {
			shapes[n.original] = n.shape
		}
	}
	return shapes
}

func TestContents(t *testing.T) {
	tests := []struct {
		name        string
		change      func(map[string][]int)
		want        string
		unsupported string
		ema         bool
	}{
		{name: "whole", change: func(map[string][]int) {}, want: "Stable Diffusion v1, CompVis names"},
		{name: "EMA", change: func(m map[string][]int) { m["model_ema.diffusion_modelinput_blocks00weight"] = []int{320, 4, 3, 3} },
			want: "Stable Diffusion v1, CompVis names, with EMA", ema: true},
		{name: "VAE", change: keep("first_stage_model."), want: "Stable Diffusion v1, CompVis names, VAE only"},
		{name: "U-Net", change: keep("model.diffusion_model."), want: "Stable Diffusion v1, CompVis names, U-Net only"},
		{name: "U-Net and text", change: keep("model.diffusion_model.", "cond_stage_model."),
			want: "Stable Diffusion v1, CompVis names, U-Net and text encoder only"},
		{name: "nothing", change: keep("no"), want: "no known model"},
		{name: "inpainting", change: func(m map[string][]int) { m["model.diffusion_model.input_blocks.0.0.weight"] = []int{320, 9, 3, 3} },
			want: "Stable Diffusion for inpainting, CompVis names", unsupported: "9 channels"},
		{name: "pix2pix", change: func(m map[string][]int) { m["model.diffusion_model.input_blocks.0.0.weight"] = []int{320, 8, 3, 3} },
			want: "InstructPix2Pix, CompVis names", unsupported: "8 channels"},
		{name: "v2", change: func(m map[string][]int) {
			for n := range m {
				if strings.HasPrefix(n, "cond_stage_model.") {
					delete(m, n)
				}
			}
			m["cond_stage_model.model.positional_embedding"] = []int{77, 1024}
		}, want: "Stable Diffusion v2, CompVis names, U-Net and VAE only", unsupported: "OpenCLIP"},
		{name: "v2 U-Net", change: func(m map[string][]int) {
			keep("model.diffusion_model.")(m)
			for n, s := range m {
				if strings.HasSuffix(n, "attn2.to_k.weight") || strings.HasSuffix(n, "attn2.to_v.weight") {
					m[n] = []int{s[0], 1024}
				}
			}
		}, want: "Stable Diffusion v2, CompVis names, U-Net only", unsupported: "v2"},
		{name: "XL", change: func(m map[string][]int) {
			m["conditioner.embedders.0.transformer.text_model.final_layer_norm.weight"] = []int{768}
		},
			want: "Stable Diffusion XL, CompVis names", unsupported: "two text encoders"},
		{name: "LoRA", change: only("lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight"), want: "LoRA",
			unsupported: "merge it"},
		{name: "LoRA of diffusers", change: only("unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_A.weight"),
			want: "LoRA", unsupported: "merge it"},
		{name: "ControlNet", change: only("control_model.input_blocks.0.0.weight"), want: "ControlNet", unsupported: "steers"},
		{name: "ControlNet of diffusers", change: only("controlnet_down_blocks.0.weight"), want: "ControlNet", unsupported: "steers"},
		{name: "SD3", change: only("model.diffusion_model.joint_blocks.0.context_block.attn.qkv.weight"),
			want: "Stable Diffusion 3, CompVis names, U-Net only", unsupported: "transformer"},
		{name: "textual inversion", change: only("emb_params"), want: "textual inversion", unsupported: "word"},
		{name: "another autoencoder", change: only("encoder.layers.0.weight"), want: "no known model"},
		{name: "BERT", change: only("cond_stage_model.transformer.token_emb.weight"),
			want: "latent diffusion of 2021, CompVis names, text encoder only", unsupported: "BERT"},
	}
	for _, tt := range tests {
		m := wholeModel(t)
		tt.change(m)
		c := shapeStore(m).Contents()
		if c.String() != tt.want || c.EMA != tt.ema {
			t.Errorf("%s: %q, EMA %v; want %q", tt.name, c, c.EMA, tt.want)
		}
		if (tt.unsupported == "") != (c.Unsupported == "") || !strings.Contains(c.Unsupported, tt.unsupported) {
			t.Errorf("%s: unsupported because %q, want %q", tt.name, c.Unsupported, tt.unsupported)
		}
	}
	if c := shapeStore(wholeModel(t)).Contents(); !slices.Equal(c.Other, []string{"alphas_cumprod", "betas"}) {
		t.Errorf("others: %v", c.Other)
	}
	diffusers := map[string][]int{}
	for _, n := range readFullNames(t)[UNet] {
		diffusers[n.name] = n.shape
	}
	if c := shapeStore(diffusers).Contents(); c.String() != "Stable Diffusion v1, diffusers names, U-Net only" || len(c.Other) > 0 {
		t.Errorf("%s, others %v", c, c.Other)
	}
}

func keep(prefixes ...string) func(map[string][]int) {
	return func(m map[string][]int) {
		maps.DeleteFunc(m, func(n string, _ []int) bool { return !hasPrefix(n, prefixes...) })
	}
}

func only(name string) func(map[string][]int) {
	return func(m map[string][]int) {
		clear(m)
		m[name] = []int{8, 8}
	}
}

// Whatever tensors a file has, the configuration is inferred or refused in one line, in short time.
func TestInferRejects(t *testing.T) {
	tests := []struct {
		name   string
		c      Component
		change func(map[string][]int)
		want   string
	}{
		{"no first convolution", UNet, func(m map[string][]int) { delete(m, "conv_in.weight") }, "conv_in.weight"},
		{"first convolution a matrix", UNet, func(m map[string][]int) { m["conv_in.weight"] = []int{320, 4} }, "4 dimensions"},
		{"no levels", UNet, func(m map[string][]int) {
			maps.DeleteFunc(m, func(n string, _ []int) bool { return strings.HasPrefix(n, "down_blocks.0.resnets.0") })
		}, "levels"},
		{"channels", UNet, func(m map[string][]int) { m["down_blocks.1.resnets.0.conv1.weight"] = []int{33, 320, 3, 3} }, "33 channels"},
		{"a resnet less", UNet, func(m map[string][]int) { delete(m, "down_blocks.1.resnets.1.conv1.weight") },
			"down_blocks.1 has 1 resnets"},
		{"two contexts", UNet, func(m map[string][]int) {
			m["mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight"] = []int{1280, 700}
		}, "700"},
		{"empty dimension", VAE, func(m map[string][]int) { m["post_quant_conv.weight"] = []int{0, 4, 1, 1} }, "post_quant_conv"},
		{"width without heads", TextEncoder,
			func(m map[string][]int) { m["text_model.embeddings.token_embedding.weight"] = []int{1000, 48} }, "48 wide"},
		{"as wide as OpenCLIP's", TextEncoder,
			func(m map[string][]int) { m["text_model.embeddings.token_embedding.weight"] = []int{49408, 1024} }, "1024 wide"},
		{"no positions", TextEncoder, func(m map[string][]int) { delete(m, "text_model.embeddings.position_embedding.weight") },
			"position_embedding"},
	}
	for _, tt := range tests {
		m := map[string][]int{}
		for _, n := range readFullNames(t)[tt.c] {
			m[n.name] = n.shape
		}
		tt.change(m)
		_, err := InferConfig(shapeStore(m), tt.c)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") ||
			!strings.Contains(err.Error(), "shapes") {
			t.Errorf("%s: %v, want %q in one line that names the file", tt.name, err, tt.want)
		}
	}
}
