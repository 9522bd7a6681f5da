package study

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestCheckNamesTheKey(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string // all in the error; none: it is good
	}{
		{"demo", func(*Config) {}, nil},
		{"no data", func(c *Config) { c.Data = "" }, []string{"data", "NSD"}},
		{"no subject", func(c *Config) { c.Subjects = nil }, []string{"subjects", "subj01"}},
		{"simulated subject", func(c *Config) { c.Subjects = []string{"subj02"} }, []string{"subjects", "subj02", "subj01"}},
		{"name of a subject", func(c *Config) { c.Simulate, c.Subjects = nil, []string{"../x"} }, []string{"subjects", "../x"}},
		{"subject twice", func(c *Config) { c.Simulate, c.Subjects = nil, []string{"subj05", "subj05"} }, []string{"subj05", "twice"}},
		{"real subjects", func(c *Config) { c.Simulate, c.Subjects = nil, []string{"subj05", "subj02"} }, nil},
		{"simulated data elsewhere", func(c *Config) { c.Data = "/data/nsd" }, []string{"data", "/data/nsd"}},
		{"simulated data outside", func(c *Config) { c.Data = "../nsd" }, []string{"data", "../nsd"}},
		{"simulated data everywhere", func(c *Config) { c.Data = "." }, []string{"data"}},
		{"no atlas", func(c *Config) { c.Decode.Atlas = "" }, []string{"decode.atlas"}},
		{"no region", func(c *Config) { c.Decode.Higher = nil }, []string{"decode.higher"}},
		{"one fold", func(c *Config) { c.Decode.Folds = 1 }, []string{"decode.folds", "1", "2"}},
		{"no penalty", func(c *Config) { c.Decode.Alphas = nil }, []string{"decode.alphas"}},
		{"penalty 0", func(c *Config) { c.Decode.Alphas = []float64{0, 1} }, []string{"decode.alphas", "0"}},
		{"penalties out of order", func(c *Config) { c.Decode.Alphas = []float64{10, 1} }, []string{"decode.alphas", "1 after 10"}},
		{"ncsnr", func(c *Config) { c.Decode.MinNCSNR = -1 }, []string{"decode.min_ncsnr", "-1"}},
		{"some sessions, as stored", func(c *Config) { c.Responses = Responses{Sessions: "1-10,12", ZScore: "none"} }, nil},
		{"sessions", func(c *Config) { c.Responses.Sessions = "most" }, []string{"responses.sessions", "most", "1-10,12"}},
		{"z-score", func(c *Config) { c.Responses.ZScore = "run" }, []string{"responses.zscore", "run", "session"}},
		{"posterior", func(c *Config) { c.Features.Posterior = "median" }, []string{"features.posterior", "median", "sample"}},
		{"captions", func(c *Config) { c.Features.Captions = "all" }, []string{"features.captions", "all", "aligned"}},
		{"size of features", func(c *Config) { c.Features.Size = -8 }, []string{"features.size", "-8"}},
		{"size of pictures", func(c *Config) { c.Render.Size = 1 << 20 }, []string{"render.size", "1048576"}},
		{"steps", func(c *Config) { c.Render.Steps = 1 }, []string{"render.steps", "1"}},
		{"strength", func(c *Config) { c.Render.Strength = 1 }, []string{"render.strength", "less than 1"}},
		{"strength below a step", func(c *Config) { c.Render.Strength = 0.01 }, []string{"render.strength", "0.05"}},
		{"guidance", func(c *Config) { c.Render.Guidance = 0 }, []string{"render.guidance", "0"}},
		{"one picture", func(c *Config) { c.Render.Images = 1 }, []string{"render.images", "1"}},
		{"more pictures than images", func(c *Config) { c.Render.Images = 41 }, []string{"render.images", "41", "40"}},
		{"few own images", func(c *Config) { c.Simulate.Own = 9 }, []string{"simulate.own_images", "9", "10"}},
		{"bootstrap", func(c *Config) { c.Score.Bootstrap = 99 }, []string{"score.bootstrap", "99", "100"}},
	} {
		config := Demo()
		c.change(&config)
		err := config.Check()
		if err == nil != (c.want == nil) {
			t.Errorf("%s: error %v", c.name, err)
		}
		for _, want := range c.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %q does not name %q", c.name, err, want)
			}
		}
	}
}

func TestParseNamesTheLine(t *testing.T) {
	text, err := toml.Marshal(Demo())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := Parse(text); err != nil || !reflect.DeepEqual(c, Demo()) {
		t.Fatalf("the demo came back as %+v, %v", c, err)
	}
	for _, c := range []struct {
		name, old, new string
		want           []string
	}{
		{"unknown key", "steps = 20", "setps = 20", []string{"line ", "render.setps", "steps, strength"}},
		{"unknown section", "[render]", "[rendr]", []string{"line ", "rendr", "simulate"}},
		{"unknown key at the top", "seed = 1\n\n", "sed = 1\n\n", []string{"line 7", "sed", "seed"}},
		{"wrong type", "steps = 20", `steps = "many"`, []string{"line ", "steps"}},
		{"no TOML", "steps = 20", "steps: 20", []string{"line "}},
		{"bad value", "guidance = 3.0", "guidance = 0.5", []string{"render.guidance", "0.5"}},
	} {
		changed := strings.Replace(string(text), c.old, c.new, 1)
		if changed == string(text) {
			t.Fatalf("%s: %q is not in the file", c.name, c.old)
		}
		_, err := Parse([]byte(changed))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error %q does not name %q in one line", c.name, err, want)
			}
		}
	}
}

func TestExampleIsTheFileOfAnExperiment(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.toml")
	if err := os.WriteFile(path, []byte(Example), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Render.Steps != 50 || c.Render.Strength != 0.8 || c.Render.Guidance != 5 || c.Features.Size != 320 || c.Score.Scenes {
		t.Errorf("not the published settings: %+v", c)
	}
	for _, p := range []struct{ got, want string }{{c.Model, "sd-v1-4.ckpt"}, {c.Data, "nsd"}, {c.Load.Tokenizer, "tokenizer"}} {
		if p.got != filepath.Join(dir, p.want) {
			t.Errorf("path %s, want %s in the file's folder", p.got, p.want)
		}
	}
	// What is commented out are keys too.
	text := strings.NewReplacer("# ema", "ema", "# weights_dtype", "weights_dtype", "# memory", "memory", "# from", "from").Replace(Example)
	if c, err = Parse([]byte(text)); err != nil || !c.Load.EMA || c.Features.From != "features" {
		t.Errorf("with all keys: %v", err)
	}
}

func TestReadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no.toml")
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) || strings.Count(err.Error(), "no.toml") != 1 {
		t.Errorf("error %v", err)
	}
}
