package study

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/study/stage"
)

// from is the stages of tiny from a name on, and those before it that are named as well.
func from(name string, also ...string) (names []string) {
	i := slices.Index(everything, name)
	for k, s := range everything {
		if k >= i || slices.Contains(also, s) {
			names = append(names, s)
		}
	}
	return names
}

// A key changes what depends on it, and nothing else; what stages are made of is said in the plan.
func TestPlanOfAChangedKey(t *testing.T) {
	dir := finished(t)
	decoding := []string{"fit-subj01", "decode-subj01", "control-subj01", "diagnose-subj01", "render-subj01", "score", "sheet", "report"}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"nothing", func(*Config) {}, nil},
		{"model's file", func(c *Config) { c.Model, c.Load.Memory = "elsewhere", "low" }, nil}, // the same model by its sum
		{"seed of the simulation", func(c *Config) { c.Simulate.Seed = 9 }, everything},
		{"sessions", func(c *Config) { c.Responses.Sessions = "1" }, from("responses-subj01")},
		{"z-score", func(c *Config) { c.Responses.ZScore = "none" }, from("responses-subj01")},
		{"noise-ceiling cut", func(c *Config) { c.Decode.MinNCSNR = 0.1 }, from("responses-subj01")},
		{"region", func(c *Config) { c.Decode.Higher = []string{"parietal"} }, from("responses-subj01")},
		{"size of z", func(c *Config) { c.Features.Size = 32 }, from("features")},
		{"captions", func(c *Config) { c.Features.Captions = "first" }, from("features")},
		{"samples of the posterior", func(c *Config) { c.Features.Posterior = "sample" }, from("features")},
		{"folds", func(c *Config) { c.Decode.Folds = 3 }, decoding},
		{"penalties", func(c *Config) { c.Decode.Alphas = []float64{100} }, decoding},
		{"seed", func(c *Config) { c.Seed = 4 }, from("control-subj01")},
		{"guidance", func(c *Config) { c.Render.Guidance = 4 }, from("render-true")},
		{"images", func(c *Config) { c.Render.Images = 2 }, from("render-true")},
		{"bootstrap", func(c *Config) { c.Score.Bootstrap = 101 }, []string{"diagnose-subj01", "score", "sheet", "report"}},
		{"permutations", func(c *Config) { c.Score.Permutations = 101 }, []string{"score", "sheet", "report"}},
		{"scenes", func(c *Config) { c.Score.Scenes = false }, []string{"score", "sheet", "report"}},
		{"features of a folder", func(c *Config) { c.Features.From = filepath.Join(dir, "features") },
			append([]string{"fit-subj01", "decode-subj01", "control-subj01", "diagnose-subj01", "render-true"}, decoding[4:]...)},
		{"list of one", func(c *Config) {
			c.Decode.Atlas, c.Decode.Early, c.Decode.Higher = "", nil, nil
			c.Fits = []Fit{{X: "responses/streams:early", Y: "z"}}
		}, []string{"responses-subj01", "features", "fit-subj01", "decode-subj01", "diagnose-subj01", "report"}},
	} {
		if got := planned(t, dir, parsed(t, tiny, c.change)); !slices.Equal(got, c.want) {
			t.Errorf("%s: would make %v, expected %v", c.name, got, c.want)
		}
	}
	plans, err := Plan(dir, parsed(t, tiny, func(c *Config) { c.Render.Guidance = 4 }), model(t), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plans {
		if p.Name == "render-true" && !strings.Contains(p.Why, "render.guidance is 4, was 3") {
			t.Errorf("%s would be made because %s", p.Name, p.Why)
		}
	}
	if plans, err = Plan(dir, parsed(t, tiny, nil), model(t), "other"); err != nil || slices.ContainsFunc(plans,
		func(p stage.Plan) bool { return p.Make }) {
		t.Errorf("another version: %+v, %v, expected all to be up to date", plans, err)
	}
}

// Do makes what Plan has said, but for stages whose inputs come out with the bytes that they had; then nothing is left to do.
func TestDoMakesWhatWasPlanned(t *testing.T) {
	dir := copied(t, finished(t))
	for _, c := range []struct {
		name       string
		change     func(*Config)
		want, same []string // made; planned and found to be up to date
	}{
		{"bootstrap", func(c *Config) { c.Score.Bootstrap = 120 }, []string{"diagnose-subj01", "score", "sheet", "report"}, nil},
		{"a cut below every voxel", func(c *Config) { c.Score.Bootstrap, c.Decode.MinNCSNR = 120, 1e-9 }, []string{"responses-subj01",
			"report"}, from("features")},
	} {
		config := parsed(t, tiny, c.change)
		plan := planned(t, dir, config)
		_, made := do(t, dir, config)
		for _, name := range made {
			if !slices.Contains(plan, name) {
				t.Errorf("%s: %s was made, and not planned", c.name, name)
			}
		}
		for _, name := range plan {
			if !slices.Contains(made, name) && !slices.Contains(c.same, name) {
				t.Errorf("%s: %s was planned, and not made", c.name, name)
			}
		}
		for _, name := range c.want {
			if !slices.Contains(made, name) {
				t.Errorf("%s: %s was not made", c.name, name)
			}
		}
		if left := planned(t, dir, config); left != nil {
			t.Errorf("%s: %v are left to do", c.name, left)
		}
	}
}

// An artefact that is damaged, lacking or edited is made again, with the bytes that it had.
func TestDamagedArtefactsAreMadeAgain(t *testing.T) {
	dir, c := copied(t, finished(t)), parsed(t, tiny, nil)
	damage := map[string]string{ // file → stage
		"responses_subj01/test.safetensors": "responses-subj01", "features/c.safetensors": "features",
		"decoders_subj01/z.safetensors": "fit-subj01",
		"decoded_subj01/c.safetensors":  "decode-subj01", "control_subj01/z.safetensors": "control-subj01",
		"diagnosis_subj01/z.json": "diagnose-subj01",
		"scores.json":             "score", "sheet.png": "sheet", "report.html": "report"}
	for name, stage := range damage {
		b := read(t, dir, name)
		b[len(b)/2] ^= 1
		put(t, string(b), dir, name)
		if names := planned(t, dir, c); len(names) == 0 || names[0] != stage {
			t.Errorf("%s damaged: would make %v, expected %s first", name, names, stage)
		}
		b[len(b)/2] ^= 1
		put(t, string(b), dir, name)
	}
	pictures, err := filepath.Glob(filepath.Join(dir, "pictures_subj01", "zc", "*.png"))
	if err != nil || len(pictures) == 0 {
		t.Fatal(pictures, err)
	}
	if err := os.Remove(pictures[0]); err != nil {
		t.Fatal(err)
	}
	put(t, "{}", dir, "manifests", "diagnose-subj01.json")
	put(t, "a note", dir, "decoded_subj01", "note.txt")
	if _, made := do(t, dir, c); !slices.Equal(made, []string{"decode-subj01", "diagnose-subj01", "render-subj01"}) {
		t.Errorf("made %v", made)
	}
	sameFiles(t, dir, finished(t))
}

// A run needs what its configuration names before it makes anything.
func TestNewRejects(t *testing.T) {
	dir := t.TempDir()
	c := parsed(t, tiny, nil)
	bad := c
	bad.Subjects = nil
	real := c
	real.Simulate, real.Data = nil, filepath.Join(dir, "nsd")
	for _, k := range []struct {
		name string
		c    Config
		want []string
	}{{"a configuration that cannot be run", bad, []string{"subjects"}}, {"a tree that is not there", real, []string{filepath.Join(dir,
		"nsd")}}} {
		_, err := New(filepath.Join(dir, "run"), k.c, model(t), "test", nil)
		rejects(t, k.name, err, k.want...)
		_, err = Plan(filepath.Join(dir, "run"), k.c, model(t), "test")
		rejects(t, k.name, err, k.want...)
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
		t.Error("the run directory was made all the same")
	}
	put(t, "", dir, "other")
	_, err := New(dir, c, model(t), "test", nil)
	rejects(t, "a folder of other things", err, dir, "other", "manifests")
	r, err := New(filepath.Join(dir, "run"), c, model(t), "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.runner.Close()
	_, err = New(filepath.Join(dir, "run"), c, model(t), "test", nil)
	rejects(t, "a folder of a run at work", err, "another run is at work")
}

// What stages left that are no longer asked for is known, and nothing else is.
func TestUnused(t *testing.T) {
	dir := finished(t)
	for _, c := range []struct {
		change func(*Config)
		want   []string
	}{{nil, nil}, {func(c *Config) {
		c.Decode.Atlas, c.Decode.Early, c.Decode.Higher = "", nil, nil
		c.Fits = []Fit{{X: "responses/streams:early", Y: "z"}}
	}, []string{"control_subj01", "pictures_subj01", "pictures_true", "scores.json", "sheet.png"}}} {
		plans, err := Plan(dir, parsed(t, tiny, c.change), model(t), "test")
		if got := stage.Unused(dir, plans); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("unused %v, %v, expected %v", got, err, c.want)
		}
	}
	if got := stage.Unused(filepath.Join(dir, "nosuch"), nil); got != nil {
		t.Errorf("of no folder %v", got)
	}
}
