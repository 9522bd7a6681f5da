package study

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"percept"
)

// flawed is a value that is wrong, and how its line begins that says so.
type flawed struct {
	key, value string   // as TOML
	want       string   // in the line that says so
	needs      []string // keys, or beginnings of them, that have to be right for it to be found out
}

// flaws are values that are wrong with the tree of tiny: 12 training and 4 test images of subj01 and the embedded model.
var flaws = []flawed{
	{key: "seed", value: "-1", want: `seed = -1, expected a whole number`},
	{key: "seed", value: `"one"`, want: `seed = "one", expected a whole number`},
	{key: "sed", value: "1", want: "sed: unknown key, expected seed?"},
	{key: "model", value: `"nosuch.ckpt"`, want: "nosuch.ckpt\", expected a folder or file"},
	{key: "subjects", value: `["subj01", "subj07"]`, want: "subjects has subj07, expected some of those of the tree: subj01"},
	{key: "subjects", value: `["subj01", "subj01"]`, want: "subjects has subj01 twice"},
	{key: "subjects", value: `["subj01", "../x"]`, want: `subjects has "../x", expected names`},
	{key: "subjects", value: `["subj01", 2]`, want: `subjects = 2, expected text`},
	{key: "load.tokenizer", value: `"nosuch"`, want: `nosuch", expected`},
	{key: "load.memory", value: `"tiny"`, want: `[load] memory = "tiny", expected full or low`},
	{key: "load.weights_dtype", value: `"int8"`, want: `[load] weights_dtype = "int8", expected float32`},
	{key: "load.ema", value: `"yes"`, want: `[load] ema = "yes", expected true or false`},
	{key: "responses.sessions", value: `"99"`, want: `[responses] sessions = "99", expected some of the sessions that subj01 has`},
	{key: "responses.sessions", value: `"most"`, want: `[responses] sessions = "most", expected all`},
	{key: "responses.betas", value: `"nosuch"`, want: `[responses] betas = "nosuch", expected one that subj01 has`,
		needs: []string{"responses.space"}},
	{key: "responses.space", value: `"nosuch"`, want: `[responses] space = "nosuch", expected one that subj01 has betas in: func1pt8mm`},
	{key: "responses.zscore", value: `"run"`, want: `[responses] zscore = "run", expected session or none`},
	{key: "features.size", value: "-8", want: "[features] size = -8, expected 0"},
	{key: "features.size", value: "33", want: "[features] size = 33, expected a multiple of", needs: []string{"model", "load.m", "load.w"}},
	{key: "features.posterior", value: `"median"`, want: `[features] posterior = "median", expected mean or sample`},
	{key: "features.captions", value: `"all"`, want: `[features] captions = "all", expected mean, first or aligned`},
	{key: "decode.atlas", value: `"nosuch"`, want: "[decode] atlas: ", needs: []string{"responses.space"}},
	{key: "decode.atlas", value: `"../x"`, want: `[decode] atlas = "../x", expected the name`},
	{key: "decode.early", value: `["nosuch"]`, want: "[decode] early: subj01: no region nosuch in streams",
		needs: []string{"responses.space", "decode.atlas"}},
	{key: "decode.higher", value: `["ventral", "nosuch"]`, want: "[decode] higher: subj01: no region nosuch in streams",
		needs: []string{"responses.space", "decode.atlas"}},
	{key: "decode.higher", value: `[]`, want: "[decode] higher names no region, expected"},
	{key: "decode.folds", value: "1000000", want: "[decode] folds = 1000000, expected 2 to 10000"},
	{key: "decode.folds", value: "13", want: "[decode] folds = 13, expected at most the 12 training images",
		needs: []string{"responses"}},
	{key: "decode.folds", value: "2.5", want: "[decode] folds = 2.5, expected a whole number"},
	{key: "decode.alphas", value: "[0, 1]", want: "[decode] alphas has 0, expected positive"},
	{key: "decode.alphas", value: "[1, nan]", want: "[decode] alphas has NaN, expected positive"},
	{key: "decode.alphas", value: "[1, 1]", want: "[decode] alphas has 1 after 1, expected ascending"},
	{key: "decode.min_ncsnr", value: "nan", want: "[decode] min_ncsnr = NaN, expected 0"},
	{key: "decode.min_ncsnr", value: "99", want: "[decode] min_ncsnr = 99, expected less: no voxel",
		needs: []string{"responses", "decode"}},
	{key: "render.size", value: "101", want: "[render] size = 101, expected a multiple of", needs: []string{"model", "load.m", "load.w"}},
	{key: "render.size", value: "16384", want: "[render] size = 16384, expected 0"},
	{key: "render.steps", value: "1", want: "[render] steps = 1, expected 2 to 1000"},
	{key: "render.setps", value: "20", want: "[render] setps: unknown key, expected steps?"},
	{key: "render.strength", value: "nan", want: "[render] strength = NaN, expected more than 0"},
	{key: "render.guidance", value: "inf", want: "[render] guidance = +Inf, expected 1 to 1000"},
	{key: "render.images", value: "5", want: "[render] images = 5, expected 0 for all, or up to the 4 test images",
		needs: []string{"responses"}},
	{key: "render.images", value: "99999", want: "[render] images = 99999, expected 0 for all"},
	{key: "render.z", value: `"nosuch"`, want: `[render] z = "nosuch", expected the name of a fit`, needs: []string{"render"}},
	{key: "score.bootstrap", value: "1000000000000", want: "[score] bootstrap = 1000000000000, expected 100 to 1000000"},
	{key: "score.permutations", value: "2000000000", want: "[score] permutations = 2000000000, expected 100 to 1000000"},
	{key: "score.scenes", value: "3", want: "[score] scenes = 3, expected true or false"},
}

// experiment writes an experiment on the tree of a finished run with some values in place of good ones.
func experiment(t *testing.T, wrong ...flawed) string {
	t.Helper()
	values := map[string]string{"data": fmt.Sprintf("%q", filepath.Join(finished(t), "nsd")), "subjects": `["subj01"]`,
		"decode.folds": "2", "features.size": "0", "decode.higher": `["ventral"]`}
	for _, w := range wrong {
		values[w.key] = w.value
	}
	sections := map[string]string{}
	for key, value := range values {
		section, name, ok := strings.Cut(key, ".")
		if !ok {
			section, name = "", key
		}
		sections[section] += name + " = " + value + "\n"
	}
	text := sections[""]
	for _, name := range []string{"load", "responses", "features", "decode", "render", "score"} {
		text += "[" + name + "]\n" + sections[name]
	}
	path := filepath.Join(t.TempDir(), "experiment.toml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// faultsOf is everything that is said of an experiment.
func faultsOf(t *testing.T, path string) *Faults {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Check(func() (*percept.Pipeline, error) { return model(t), nil })
	var faults *Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("error %v is no list of faults", err)
	}
	return faults
}

// together says whether all of some flaws would be found in one file.
func together(all []flawed) bool {
	for i, a := range all {
		for k, b := range all {
			if i != k && (a.key == b.key || slices.ContainsFunc(a.needs, func(n string) bool { return strings.HasPrefix(b.key, n) })) {
				return false
			}
		}
	}
	return true
}

// Every flaw is said with its line, alone and among others, each in a line of its own; the last line counts them.
func TestAllFaultsAreSaid(t *testing.T) {
	if f := faultsOf(t, experiment(t)); f != nil {
		t.Fatalf("the experiment without a flaw: %v", f)
	}
	var sets [][]flawed
	for _, f := range flaws {
		sets = append(sets, []flawed{f})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for len(sets) < len(flaws)+80 {
		var set []flawed
		for range 2 + random.IntN(3) {
			set = append(set, flaws[random.IntN(len(flaws))])
		}
		if together(set) {
			sets = append(sets, set)
		}
	}
	for _, set := range sets {
		path := experiment(t, set...)
		f := faultsOf(t, path)
		if f == nil {
			t.Errorf("%v: nothing was said", set)
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := "\n" + string(b)
		lines := f.Lines()
		for _, w := range set {
			name := w.key[strings.LastIndexByte(w.key, '.')+1:]
			at := strings.Count(text[:strings.Index(text, "\n"+name+" = "+w.value)+1], "\n")
			found := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, w.want) && strings.Contains(l, "expected") })
			if found < 0 {
				t.Errorf("%v: nothing with %q:\n%s", set, w.want, f)
			} else if want := fmt.Sprintf("%s: line %d: ", path, at); !strings.HasPrefix(lines[found], want) {
				t.Errorf("%v: %q, expected it to begin with %q", set, lines[found], want)
			}
		}
		if n := len(f.All); n < len(set) || n > 1 && lines[len(lines)-1] != fmt.Sprintf("%s: %d faults; nothing was made", path, n) {
			t.Errorf("%v: %d faults:\n%s", set, n, f)
		}
	}
}

// A key that is left out has the value that stands in the example, but for what names somebody's own files.
func TestExampleSaysWhatIsLeftOut(t *testing.T) {
	whole, err := Parse([]byte(Example))
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]string{"model": "", "tokenizer": "", "data": "data = \"\", expected", "subjects": "subjects is empty, expected"}
	same := func(c Config) Config { // what empty means
		for _, p := range []struct {
			value     *string
			otherwise string
		}{{&c.Responses.Sessions, "all"}, {&c.Responses.Betas, "betas_fithrf_GLMdenoise_RR"}, {&c.Responses.Space, "func1pt8mm"},
			{&c.Responses.ZScore, "session"}, {&c.Features.Posterior, "mean"}, {&c.Features.Captions, "mean"}} {
			if *p.value == "" {
				*p.value = p.otherwise
			}
		}
		return c
	}
	n := 0
	for _, line := range regexp.MustCompile(`(?m)^([a-z_]+) = .*\n`).FindAllStringSubmatch(Example, -1) {
		n++
		c, err := Parse([]byte(strings.Replace(Example, line[0], "", 1)))
		want, mine := own[line[1]]
		switch {
		case want != "":
			rejects(t, line[1], err, want)
		case err != nil:
			t.Errorf("without %s: %v", line[1], err)
		case mine && c.Model != "" && c.Load.Tokenizer != "":
			t.Errorf("without %s: model %q, tokenizer %q", line[1], c.Model, c.Load.Tokenizer)
		case !mine && !reflect.DeepEqual(same(c), whole):
			t.Errorf("without %s: %+v, expected %+v", line[1], c, whole)
		}
	}
	if n < 25 {
		t.Errorf("%d keys in the example", n)
	}
	bare, err := Parse([]byte("data = \"nsd\"\nsubjects = [\"subj01\"]\nmodel = \"sd-v1-4.ckpt\"\nload.tokenizer = \"tokenizer\"\n"))
	if err != nil || !reflect.DeepEqual(same(bare), whole) {
		t.Errorf("data, subjects and model alone: %+v, %v, expected %+v", bare, err, whole)
	}
	// What the options mean that stay empty.
	for _, r := range []Responses{{}, whole.Responses} {
		o, err := r.options()
		if err != nil || !o.ZScore || len(o.Sessions.Of([]int{1, 2})) != 2 {
			t.Errorf("%+v: %+v, %v", r, o, err)
		}
	}
}

// Keys of all kinds have lines.
func TestLines(t *testing.T) {
	f, err := parse([]byte("a.b = 1\n[[fit]]\nx = 1\n[[fit]]\n\ny = \"z\"\n[render]\nsize = 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"a.b": 1, "fit": 2, "fit.1": 2, "fit.1.x": 3, "fit.2": 4, "fit.2.y": 6, "render": 7, "render.size": 8}
	if !reflect.DeepEqual(f.lines, want) {
		t.Errorf("lines %v, expected %v", f.lines, want)
	}
}
