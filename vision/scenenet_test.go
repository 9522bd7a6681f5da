package vision

import (
	"context"
	"encoding/json"
	"image"
	"image/color"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"percept/internal/golden"
)

// testdata/scenenet was written by testdata/scenenet.py with torch: a small network of
// random weights, 19 pictures (more than one batch), and its outputs in float64.
func openSceneNet(t *testing.T) (*SceneNet, *golden.Tensors, []image.Image) {
	t.Helper()
	net, err := OpenSceneNet(os.DirFS("testdata"), "scenenet")
	if err != nil {
		t.Fatal(err)
	}
	s := golden.Open(t, "testdata/scenenet/expected.safetensors")
	pix, shape := s.Ints("images_u8_nhwc"), s.Shape("images_u8_nhwc")
	pictures := make([]image.Image, shape[0])
	for i := range pictures {
		m := image.NewNRGBA(image.Rect(0, 0, shape[2], shape[1]))
		for k := range shape[1] * shape[2] {
			at := 3 * (i*shape[1]*shape[2] + k)
			m.Set(k%shape[2], k/shape[2], color.NRGBA{uint8(pix[at]), uint8(pix[at+1]), uint8(pix[at+2]), 255})
		}
		pictures[i] = m
	}
	return net, s, pictures
}

func TestSceneNetGolden(t *testing.T) {
	net, s, pictures := openSceneNet(t)
	for _, c := range []struct {
		name  string
		get   func(context.Context, []image.Image) ([][]float32, error)
		f32   float64 // largest error of torch in float32
		rms   float64 // of the reference
		width int
	}{
		{"features", net.Features, 3.54e-07, 0.776, 24},
		{"logits", net.Logits, 2.17e-07, 0.986, 11},
	} {
		want := s.Float64(c.name, len(pictures), c.width)
		rows, err := c.get(context.Background(), pictures)
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, row := range rows {
			for _, v := range row {
				got = append(got, float64(v))
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %d values, expected %d", c.name, len(got), len(want))
		}
		tol := 10*c.f32 + 1e-6*c.rms
		for i, v := range got {
			if !(math.Abs(v-want[i]) <= tol) {
				t.Fatalf("%s: value %d is %v, expected %v within %.3g", c.name, i, v, want[i], tol)
			}
		}
	}
	if labels := net.Labels(); len(labels) != 11 || labels[3] != "label 3" {
		t.Errorf("labels %v", labels)
	}
}

// A picture's features do not depend on its company, nor on being enlarged without change.
func TestSceneNetTreatsPicturesAlone(t *testing.T) {
	net, _, pictures := openSceneNet(t)
	all, err := net.Features(context.Background(), pictures)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := net.Features(context.Background(), pictures[17:18])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(all[17], alone[0]) {
		t.Error("a picture's features depend on the pictures beside it")
	}
	flat := func(size int) image.Image {
		m := image.NewRGBA(image.Rect(0, 0, size, size))
		for i := range m.Pix {
			m.Pix[i] = 200
		}
		return m
	}
	same, err := net.Features(context.Background(), []image.Image{flat(20), flat(47)})
	if err != nil {
		t.Fatal(err)
	}
	for j, v := range same[0] {
		if math.Abs(float64(v-same[1][j])) > 1e-5 {
			t.Fatalf("feature %d of an even picture is %v at 20 pixels and %v at 47", j, v, same[1][j])
		}
	}
}

func TestSceneNetRejects(t *testing.T) {
	config, err := os.ReadFile("testdata/scenenet/config.json")
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile("testdata/scenenet/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	with := func(key string, value any) []byte {
		var m map[string]any
		if err := json.Unmarshal(config, &m); err != nil {
			t.Fatal(err)
		}
		m[key] = value
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, c := range map[string]struct {
		config, model []byte
		want          string
	}{
		"no config":  {nil, model, "scenenet/config.json: cannot be read"},
		"no weights": {config, nil, "scenenet/model.safetensors: cannot be read"},
		"not json":   {[]byte("{"), model, "scenenet/config.json"},
		"class":      {with("_class_name", "UNet2DConditionModel"), model, "expected SceneNet"},
		"activation": {with("act_fn", "relu"), model, "expected silu"},
		"channels":   {with("channels", []int{}), model, "channels are []"},
		"groups":     {with("norm_num_groups", 5), model, "norm_num_groups is 5"},
		"eps":        {with("norm_eps", 0), model, "norm_eps is 0"},
		"size":       {with("sample_size", 1e6), model, "sample_size"},
		"labels":     {with("labels", []string{}), model, "labels are empty"},
		"shape":      {with("channels", []int{8, 16, 32}), model, "conv2.weight"},
		"truncated":  {config, model[:len(model)-9], "scenenet/model.safetensors"},
	} {
		fsys := fstest.MapFS{}
		if c.config != nil {
			fsys["scenenet/config.json"] = &fstest.MapFile{Data: c.config}
		}
		if c.model != nil {
			fsys["scenenet/model.safetensors"] = &fstest.MapFile{Data: c.model}
		}
		if _, err := OpenSceneNet(fsys, "scenenet"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
	net, _, pictures := openSceneNet(t)
	if _, err := net.Features(context.Background(), []image.Image{image.NewRGBA(image.Rect(0, 0, 0, 4))}); err == nil {
		t.Error("an empty picture: no error")
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := net.Features(cancelled, pictures); err == nil {
		t.Error("cancelled: no error")
	}
}
