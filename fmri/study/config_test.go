package study

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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
		{"no atlas", func(c *Config) { c.Decode.Atlas = "" }, []string{"[decode] atlas"}},
		{"no region", func(c *Config) { c.Decode.Higher = nil }, []string{"[decode] higher"}},
		{"one fold", func(c *Config) { c.Decode.Folds = 1 }, []string{"[decode] folds", "1", "2"}},
		{"no penalty", func(c *Config) { c.Decode.Alphas = nil }, []string{"[decode] alphas"}},
		{"penalty 0", func(c *Config) { c.Decode.Alphas = []float64{0, 1} }, []string{"[decode] alphas", "0"}},
		{"penalties out of order", func(c *Config) { c.Decode.Alphas = []float64{10, 1} }, []string{"[decode] alphas", "1 after 10"}},
		{"ncsnr", func(c *Config) { c.Decode.MinNCSNR = -1 }, []string{"[decode] min_ncsnr", "-1"}},
		{"some sessions, as stored", func(c *Config) { c.Responses = Responses{Sessions: "1-10,12", ZScore: "none"} }, nil},
		{"sessions", func(c *Config) { c.Responses.Sessions = "most" }, []string{"[responses] sessions", "most", "1-10,12"}},
		{"z-score", func(c *Config) { c.Responses.ZScore = "run" }, []string{"[responses] zscore", "run", "session"}},
		{"posterior", func(c *Config) { c.Features.Posterior = "median" }, []string{"[features] posterior", "median", "sample"}},
		{"captions", func(c *Config) { c.Features.Captions = "all" }, []string{"[features] captions", "all", "aligned"}},
		{"size of features", func(c *Config) { c.Features.Size = -8 }, []string{"[features] size", "-8"}},
		{"size of pictures", func(c *Config) { c.Render.Size = 1 << 20 }, []string{"[render] size", "1048576"}},
		{"steps", func(c *Config) { c.Render.Steps = 1 }, []string{"[render] steps", "1"}},
		{"strength", func(c *Config) { c.Render.Strength = 1 }, []string{"[render] strength", "less than 1"}},
		{"strength below a step", func(c *Config) { c.Render.Strength = 0.01 }, []string{"[render] strength", "0.05"}},
		{"guidance", func(c *Config) { c.Render.Guidance = 0 }, []string{"[render] guidance", "0"}},
		{"one picture", func(c *Config) { c.Render.Images = 1 }, []string{"[render] images", "1"}},
		{"more pictures than images", func(c *Config) { c.Render.Images = 41 }, []string{"[render] images", "41", "40"}},
		{"few own images", func(c *Config) { c.Simulate.Own = 9 }, []string{"[simulate] own_images", "9", "10"}},
		{"bootstrap", func(c *Config) { c.Score.Bootstrap = 99 }, []string{"[score] bootstrap", "99", "100"}},
		{"nothing of rendering, and no pictures", func(c *Config) {
			*c = fitted(Fit{X: "responses/streams:early",
				Y: "z"})
			c.Render = Render{}
		}, nil},
		{"nothing of rendering", func(c *Config) { c.Render = Render{} }, []string{"[render] steps", "0"}},
		{"folds and penalties of each fit", func(c *Config) {
			*c = fitted(Fit{X: "responses/streams:early", Y: "z", Folds: 3, Alphas: []float64{1}})
			c.Decode.Folds, c.Decode.Alphas = 0, nil
		}, nil},
		{"penalties of the published code", func(c *Config) {
			*c = fitted(Fit{X: "responses/streams:early", Y: "z", Compat: "takagi"})
			c.Decode.Alphas = nil
		}, nil},
		{"fewer images than the most folds", func(c *Config) {
			*c = fitted(Fit{X: "responses/streams:early", Y: "z"}, Fit{X: "responses/streams:early", Y: "c", Folds: 9})
			c.Simulate.Own = 17
		}, []string{"[simulate] own_images", "17", "18", "9 folds"}},
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

// fitted is the demo with a list of fits.
func fitted(fits ...Fit) Config {
	c := Demo()
	c.Decode.Atlas, c.Decode.Early, c.Decode.Higher, c.Fits = "", nil, nil, fits
	return c
}

// What is wrong with a fit is said with its number and name, and what was expected.
func TestCheckNamesTheFit(t *testing.T) {
	const early = "responses/streams:early"
	for _, c := range []struct {
		name string
		fits []Fit
		want []string // all in the error, beside "expected"; none: it is good
	}{
		{"decoding and encoding", []Fit{{X: early, Y: "z"}, {X: early, Y: "c"}, {Name: "e", X: "z", Y: early}}, nil},
		{"regions", []Fit{{Name: "r", X: early, Y: "responses/nsdgeneral"}}, nil},
		{"in other words", []Fit{{X: "responses/streams/early", Y: "features/z"}}, nil},
		{"no x", []Fit{{Y: "z"}}, []string{"[[fit]] 1 x = \"\"", "responses/REGION"}},
		{"no y", []Fit{{Name: "a", X: early}}, []string{"[[fit]] 1 y = \"\""}},
		{"no region", []Fit{{X: "responses/", Y: "z"}}, []string{"[[fit]] 1 x = \"responses/\"", "responses/streams:early"}},
		{"path of a feature", []Fit{{Name: "a", X: early, Y: "../z"}}, []string{"[[fit]] 1 y = \"../z\""}},
		{"no responses", []Fit{{X: early, Y: "c"}, {X: "z", Y: "c", Name: "zc"}}, []string{"[[fit]] 2 (zc): neither x nor y",
			"responses/streams:early"}},
		{"name of a file", []Fit{{Name: "a/b", X: early, Y: "z"}}, []string{"[[fit]] 1 name = \"a/b\"", "letters and digits"}},
		{"hidden name", []Fit{{Name: ".a", X: early, Y: "z"}}, []string{"[[fit]] 1 name = \".a\""}},
		{"no name", []Fit{{X: early, Y: "responses/nsdgeneral"}}, []string{"[[fit]] 1: no name"}},
		{"name twice", []Fit{{X: early, Y: "z"}, {X: "z", Y: early, Name: "z"}}, []string{"[[fit]] 2 name = \"z\" is there twice"}},
		{"long name", []Fit{{X: early, Y: "z", Name: strings.Repeat("z", 101)}}, []string{"name = \"zzz", "at most 100"}},
		{"itself", []Fit{{X: early, Y: early, Name: "self"}}, []string{"[[fit]] 1 (self): x and y are the same"}},
		{"both directions", []Fit{{X: early, Y: "z"}, {X: "z", Y: early}}, nil},
		{"folds", []Fit{{X: early, Y: "z", Folds: 1}}, []string{"[[fit]] 1 folds = 1", "2 to 10000"}},
		{"compat", []Fit{{X: early, Y: "z", Compat: "mindeye"}}, []string{"[[fit]] 1 compat = \"mindeye\"", "takagi"}},
		{"no penalty", []Fit{{X: early, Y: "z", Alphas: []float64{}}}, []string{"[[fit]] 1 alphas is empty"}},
		{"penalty", []Fit{{X: early, Y: "z"}, {X: early, Y: "c", Alphas: []float64{1, -1}}},
			[]string{"[[fit]] 2 alphas has -1", "positive"}},
		{"penalties out of order", []Fit{{X: early, Y: "z", Alphas: []float64{1, 1}}},
			[]string{"[[fit]] 1 alphas has 1 after 1", "ascending"}},
		{"feature", []Fit{{X: early, Y: "unet.mid"}}, []string{"[[fit]] 1 y = \"unet.mid\"", "[features] from"}},
	} {
		config := fitted(c.fits...)
		err := config.Check()
		if c.want == nil {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			text, err := toml.Marshal(config)
			if again, e := Parse(text); err != nil || e != nil || !reflect.DeepEqual(again, config) {
				t.Errorf("%s: written and read it is %+v, %v, %v, expected %+v", c.name, again, err, e, config)
			}
			continue
		}
		rejects(t, c.name, err, append(c.want, "expected")...)
	}
	c := fitted(Fit{X: early, Y: "unet.mid"})
	if c.Features.From = "features"; c.Check() != nil {
		t.Errorf("a feature of a folder: %v", c.Check())
	}
	c = fitted(Fit{X: early, Y: "z"}, Fit{X: early, Y: "c"})
	c.Render.Z = "c"
	rejects(t, "z of a fit of c", c.Check(), "[render] z = \"c\"", "expected the name of a fit from responses to z")
	c.Render.Z, c.Render.C = "z", "none"
	rejects(t, "c of none", c.Check(), "[render] c = \"none\"", "expected")
	c.Render.C, c.Decode.Early = "", []string{"early"}
	rejects(t, "regions beside a list", c.Check(), "[decode] atlas, early and higher", "[[fit]]")
}

// What a list of fits comes to: options that are left out, what pictures are made of, which regions and features are needed.
func TestFitsAreFilledIn(t *testing.T) {
	const early, ventral = "responses/streams:early", "responses/streams/ventral+lateral"
	c := fitted(Fit{Name: "encoding", X: "c", Y: early}, Fit{X: ventral, Y: "c", Compat: "takagi"}, Fit{Name: "other", X: early, Y: "c",
		Folds: 7}, Fit{X: early, Y: "features/z", Alphas: []float64{5}})
	c.Decode.Alphas = []float64{1, 2}
	want := []Fit{
		{"encoding", "c", early, 5, []float64{1, 2}, ""}, {"c", ventral, "c", 5, nil, "takagi"},
		{"other", early, "c", 7, []float64{1, 2}, ""}, {"z", early, "features/z", 5, []float64{5}, ""},
	}
	if got := c.fits(); !reflect.DeepEqual(got, want) || c.folds() != 7 || c.Fits[1].Name != "" {
		t.Errorf("fits %+v of %d folds, expected %+v of 7, and the file's own unchanged", got, c.folds(), want)
	}
	regions, features := c.sides()
	if !slices.Equal(regions, []string{"streams/early", "streams/ventral+lateral"}) || !slices.Equal(features, []string{"z", "c"}) {
		t.Errorf("regions %q, features %q", regions, features)
	}
	for i, from := range []string{"early from c", "ventral, lateral", "c from early", "early"} {
		if got := want[i].from(); got != from {
			t.Errorf("%s is said to be %q, expected %q", want[i].Name, got, from)
		}
	}
	if z, k := c.renders("z"), c.renders("c"); z.Name != "z" || k.Name != "c" || !c.pictures() {
		t.Errorf("pictures of %v and %v", z, k)
	}
	c.Render.C = "other"
	if k := c.renders("c"); k.Name != "other" {
		t.Errorf("c of %v, expected that of render.c", k)
	}
	c.Fits = c.Fits[:3]
	if c.renders("z") != nil || c.pictures() {
		t.Error("pictures without z")
	}
	demo := Demo()
	if got := demo.fits(); len(got) != 2 || got[0].X != early || got[1].X != "responses/streams:ventral+lateral+parietal" ||
		got[1].Name != "c" {
		t.Errorf("the demo's fits are %+v", got)
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
		{"unknown key", "steps = 20", "setps = 20", []string{"line ", "[render] setps", "steps? There are steps, strength"}},
		{"unknown section", "[render]", "[rendr]", []string{"line ", "rendr", "render?", "simulate"}},
		{"unknown key at the top", "seed = 1\n\n", "sed = 1\n\n", []string{"line 7", "sed", "seed"}},
		{"wrong type", "steps = 20", `steps = "many"`, []string{"line ", "steps"}},
		{"no TOML", "steps = 20", "steps: 20", []string{"line "}},
		{"bad value", "guidance = 3.0", "guidance = 0.5", []string{"[render] guidance", "0.5"}},
		{"unknown key of a fit", "[render]", "[[fit]]\nz = \"z\"\n[render]",
			[]string{"line ", "[[fit]] 1 z", "name, x, y, folds, alphas, compat"}},
		{"unknown list", "[render]", "[[fits]]\nx = \"z\"\n[render]", []string{"line ", "fits", "fit, render"}},
		{"folds of a fit", "[render]", "[[fit]]\nfolds = \"five\"\n[render]", []string{"line ", "folds"}},
		{"z of rendering", "guidance = 3.0", "guidance = 3.0\nz = 3", []string{"line ", "z"}},
		{"fit beside regions", "[render]", "[[fit]]\nx = \"z\"\ny = \"responses/nsdgeneral\"\n[render]",
			[]string{"[decode] atlas", "[[fit]]"}},
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
		if !slices.ContainsFunc(strings.Split(err.Error(), "\n"), func(line string) bool {
			return !slices.ContainsFunc(c.want, func(want string) bool { return !strings.Contains(line, want) })
		}) {
			t.Errorf("%s: error %q does not name %q in one line", c.name, err, c.want)
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
	keys := regexp.MustCompile(`(?m)^# (\[|[a-z_]+ = )`)
	text := keys.ReplaceAllString(Example, "$1")
	if _, err = Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "[[fit]], not both") {
		t.Errorf("regions and a list of fits: %v", err)
	}
	text = regexp.MustCompile(`(?m)^(atlas|early|higher) = .*$`).ReplaceAllString(text, "")
	if c, err = Parse([]byte(text)); err != nil || !c.Load.EMA || c.Features.From != "features" {
		t.Errorf("with all keys: %v", err)
	}
	want := []Fit{
		{Name: "ventral_c", X: "responses/streams:ventral+lateral", Y: "c", Folds: 5, Alphas: []float64{10000, 20000, 40000},
			Compat: "takagi"},
		{Name: "early_from_z", X: "z", Y: "responses/streams:early"},
	}
	if !reflect.DeepEqual(c.Fits, want) || c.pictures() {
		t.Errorf("fits %+v, expected %+v, and no pictures", c.Fits, want)
	}
	for _, key := range []string{"ema", "weights_dtype", "memory", "from", "[[fit]]", "name", "x", "y", "folds", "alphas", "compat"} {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(key)).MatchString(text) {
			t.Errorf("the example has no key %s", key)
		}
	}
}

func TestReadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no.toml")
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) || strings.Count(err.Error(), "no.toml") != 1 {
		t.Errorf("error %v", err)
	}
}
