package stage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// names are the stages of the graph that the property test changes; each reads some of those before it.
var names = []string{"data", "left", "right", "both", "page"}

// A graph is what the stages are asked for with.
type graph struct {
	params [5]int
	extra  [5]int
	inputs [5][]int
}

// stages of the graph. Their artefacts are made of their parameters and of what they read, and of fresh if there is one, so that
// what is made again has other bytes. The third leaves a folder and resumes.
func (g graph) stages(r *Runner, fresh func() string) []Stage {
	all := make([]Stage, len(names))
	for i, name := range names {
		s := Stage{Name: name, Output: name + ".txt", Params: map[string]any{"n": g.params[i]},
			Extra: map[string]string{"model": fmt.Sprint(g.extra[i])}}
		for _, k := range g.inputs[i] {
			s.Inputs = append(s.Inputs, all[k].Output)
		}
		s.Resumes = i == 2
		s.Run = func(_ context.Context, tmp string, _ Progress) error {
			text := fmt.Sprint(name, g.params[i], g.extra[i])
			for _, in := range s.Inputs {
				sum, err := Sum(r.Path(in))
				if err != nil {
					return err
				}
				text += sum
			}
			if fresh != nil {
				text += fresh()
			}
			if s.Resumes {
				tmp = filepath.Join(tmp, "part")
			}
			return os.WriteFile(tmp, []byte(text), 0o666)
		}
		all[i] = s
	}
	return all
}

// disturb changes what is asked for or what lies on the disk, at random, and says what.
func (g *graph) disturb(t *testing.T, rng *rand.Rand, dir string) string {
	i := rng.IntN(len(names))
	out, manifest := filepath.Join(dir, names[i]+".txt"), filepath.Join(dir, "manifests", names[i]+".json")
	put := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	switch rng.IntN(9) {
	case 0:
		g.params[i]++
		return names[i] + " has another parameter"
	case 1:
		g.params[i] = max(0, g.params[i]-1) // often back to what it was
		return names[i] + " has an earlier parameter"
	case 2:
		g.extra[i]++
		return names[i] + " has another model"
	case 3:
		os.RemoveAll(out)
		return names[i] + " removed"
	case 4:
		if i == 2 {
			out = filepath.Join(out, "part")
		}
		if _, err := os.Stat(out); err == nil {
			put(out, fmt.Sprint("edited", rng.Int()))
		}
		return names[i] + " edited"
	case 5:
		os.Remove(manifest)
		return names[i] + " without a manifest"
	case 6:
		put(manifest, "{")
		return names[i] + " with half a manifest"
	case 7:
		if i > 0 {
			g.inputs[i] = nil
			for k := range i {
				if rng.IntN(2) == 0 {
					g.inputs[i] = append(g.inputs[i], k)
				}
			}
		}
		return names[i] + " reads others"
	default:
		put(filepath.Join(dir, ".part-"+names[i]+".txt"), "half")
		return names[i] + " left half written"
	}
}

func newGraph() graph { return graph{inputs: [5][]int{1: {0}, 2: {0}, 3: {1, 2}, 4: {3}}} }

// What Plan says is what Do then does, and afterwards nothing is to be made. Plan changes nothing.
func TestPlanIsWhatDoDoes(t *testing.T) {
	for seed := range uint64(4) {
		rng, dir, g, n := rand.New(rand.NewPCG(seed, 1)), t.TempDir(), newGraph(), 0
		fresh := func() string { n++; return fmt.Sprint(" ", n) }
		for round := range 16 {
			what := "begun"
			if round > 0 {
				what = g.disturb(t, rng, dir)
			}
			planned := planOf(t, g, dir)
			ran := runOf(t, g, dir, fresh)
			if !slices.Equal(planned, ran) {
				t.Fatalf("seed %d, round %d, %s: planned %v, made %v", seed, round, what, planned, ran)
			}
			if left := planOf(t, g, dir); len(left) > 0 {
				t.Fatalf("seed %d, round %d, %s: after it %v would be made", seed, round, what, left)
			}
		}
	}
}

// However a directory came to be what it is, it holds what one made from nothing holds. Stages whose artefacts come out with the
// bytes that they had do not make those after them: what is made is part of what was planned, and begins with the same.
func TestAfterDoAsFromNothing(t *testing.T) {
	for seed := range uint64(3) {
		rng, dir, g := rand.New(rand.NewPCG(seed, 2)), t.TempDir(), newGraph()
		runOf(t, g, dir, nil)
		for round := range 6 {
			what := []string{g.disturb(t, rng, dir), g.disturb(t, rng, dir)}
			planned := planOf(t, g, dir)
			ran := runOf(t, g, dir, nil)
			for i, name := range ran {
				if !slices.Contains(planned, name) || i == 0 && name != planned[0] {
					t.Fatalf("seed %d, round %d, %q: planned %v, made %v", seed, round, what, planned, ran)
				}
			}
			if len(planned) > 0 && len(ran) == 0 {
				t.Fatalf("seed %d, round %d, %q: planned %v, made nothing", seed, round, what, planned)
			}
			other := t.TempDir()
			runOf(t, g, other, nil)
			if got, want := listing(t, dir), listing(t, other); got != want {
				t.Fatalf("seed %d, round %d, %q: the directory holds\n%sfrom nothing it holds\n%s", seed, round, what, got, want)
			}
		}
	}
}

// planOf lists the stages that Plan says are made.
func planOf(t *testing.T, g graph, dir string) (made []string) {
	t.Helper()
	before := listing(t, dir)
	r := Look(dir, "v1")
	plans, err := r.Plan(g.stages(r, nil))
	if err != nil {
		t.Fatal(err)
	}
	if listing(t, dir) != before {
		t.Fatal("Plan changed the directory")
	}
	for _, p := range plans {
		if p.Make != (p.Why != "") {
			t.Errorf("%+v: expected a reason for what is made, and none for what is not", p)
		}
		if p.Make {
			made = append(made, p.Name)
		}
	}
	return made
}

func runOf(t *testing.T, g graph, dir string, fresh func() string) []string {
	t.Helper()
	r, err := New(dir, "v1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, s := range g.stages(r, fresh) {
		if err := r.Do(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return r.Ran
}

// Plan says in one line why a stage would be made.
func TestPlanSaysWhy(t *testing.T) {
	params := map[string]any{"ridge": map[string]any{"Folds": 5, "alphas": []float64{1, 10}}, "seed": 1}
	for _, c := range []struct {
		name   string
		change func(dir string, s *Stage)
		want   string
	}{
		{"nothing", func(string, *Stage) {}, ""},
		{"not there", func(dir string, _ *Stage) { os.Remove(filepath.Join(dir, "a.txt")) }, "not there"},
		{"no manifest", func(dir string, _ *Stage) { os.Remove(filepath.Join(dir, "manifests", "a.json")) }, "its manifest is not there"},
		{"damaged manifest", func(dir string, _ *Stage) {
			os.WriteFile(filepath.Join(dir, "manifests", "a.json"), []byte("[]"), 0o666)
		},
			"its manifest cannot be read"},
		{"edited", func(dir string, _ *Stage) { os.WriteFile(filepath.Join(dir, "a.txt"), nil, 0o666) }, "it was edited"},
		{"deep parameter", func(_ string, s *Stage) {
			s.Params = map[string]any{"ridge": map[string]any{"Folds": 3, "alphas": []float64{1, 10}}, "seed": 1}
		}, "ridge.folds is 3, was 5"},
		{"first of two", func(_ string, s *Stage) {
			s.Params = map[string]any{"ridge": map[string]any{"Folds": 5, "alphas": []float64{1}}, "seed": 2}
		}, "ridge.alphas is [1], was [1,10]"},
		{"new parameter", func(_ string, s *Stage) {
			s.Params = map[string]any{"ridge": params["ridge"], "seed": 1, "image": "a"}
		}, `image is "a", was not said`},
		{"parameter gone", func(_ string, s *Stage) { s.Params = map[string]any{"ridge": params["ridge"]} }, "seed is not said, was 1"},
		{"other kind of parameters", func(_ string, s *Stage) { s.Params = 3 },
			`what was asked is 3, was {"ridge":{"Folds":5,"alphas":[1,10]},"seed":1}`},
		{"long values", func(_ string, s *Stage) { s.Params = strings.Repeat("x", 100) },
			`what was asked is "` + strings.Repeat("x", 56) + `..., was {"ridge":{"Folds":5,"alphas":[1,10]},"seed":1}`},
		{"output", func(dir string, s *Stage) {
			s.Output = "b.txt"
			os.WriteFile(filepath.Join(dir, "b.txt"), nil, 0o666)
		}, "named b.txt, was a.txt"},
		{"sums", func(_ string, s *Stage) { s.Extra = map[string]string{"model": "other", "kernels": "k"} },
			"kernels, model, weights changed"},
	} {
		dir := t.TempDir()
		runs := 0
		s := write("a", "text", &runs)
		s.Params, s.Extra = params, map[string]string{"model": "m", "weights": "F32"}
		if ran, err := do(dir, s); !ran || err != nil {
			t.Fatal(err)
		}
		c.change(dir, &s)
		plans, err := Look(dir, "v1").Plan([]Stage{s})
		if err != nil {
			t.Fatal(err)
		}
		if plans[0].Why != c.want || plans[0].Make != (c.want != "") {
			t.Errorf("%s: %q, want %q", c.name, plans[0].Why, c.want)
		}
		if ran, err := do(dir, s); ran != plans[0].Make || err != nil {
			t.Errorf("%s: made %v, %v, planned %v", c.name, ran, err, plans[0].Make)
		}
	}
	// Another version, and a stage that goes on.
	dir := t.TempDir()
	if _, err := do(dir, folder("one", true, never)); err != nil {
		t.Fatal(err)
	}
	if plans, _ := Look(dir, "v2").Plan([]Stage{folder("one", true, never)}); plans[0].Make {
		t.Errorf("another version: %q, expected it to be up to date", plans[0].Why)
	}
	newer := folder("one", true, never)
	newer.Code = 1
	if plans, _ := Look(dir, "v1").Plan([]Stage{newer}); plans[0].Why != "what computes it is of version 1, was 0" || plans[0].Seconds <= 0 {
		t.Errorf("other code: %+v", plans[0])
	}
	do(dir, folder("two", true, func(k int) error { return context.Canceled }))
	plans, _ := Look(dir, "v1").Plan([]Stage{folder("two", true, never)})
	if want := `what was asked is "two", was "one"; goes on where it was interrupted if nothing has changed`; plans[0].Why != want {
		t.Errorf("interrupted: %q, want %q", plans[0].Why, want)
	}
}

// A directory that is not there is planned without being made, also while another run is at work in it.
func TestLookChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	runs := 0
	stages := []Stage{write("a", "x", &runs), write("b", "y", &runs, "a.txt")}
	plans, err := Look(dir, "v1").Plan(stages)
	if err != nil || !plans[0].Make || !plans[1].Make || plans[1].Why != "not there" {
		t.Errorf("%+v, %v", plans, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("Look made the directory")
	}
	r, err := New(dir, "v1")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Do(t.Context(), stages[0]); err != nil {
		t.Fatal(err)
	}
	if plans, err = Look(dir, "v1").Plan(stages); err != nil || plans[0].Make || !plans[1].Make {
		t.Errorf("while another run is at work: %+v, %v", plans, err)
	}
	if _, err := Look(dir, "v1").Plan([]Stage{write("c", "z", &runs, "none.txt")}); err == nil ||
		!strings.Contains(err.Error(), "stage c") ||
		!strings.Contains(err.Error(), "none.txt") {
		t.Errorf("an input that no stage makes: %v", err)
	}
}

func TestSum(t *testing.T) {
	of := func(files map[string]string) string {
		t.Helper()
		dir := t.TempDir()
		for name, text := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "/") {
				os.MkdirAll(path, 0o777)
			} else if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := Sum(dir)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	base := of(map[string]string{"a": "1", "b/c": "2"})
	for _, c := range []struct {
		name  string
		files map[string]string
		same  bool
	}{
		{"the same", map[string]string{"b/c": "2", "a": "1"}, true},
		{"an empty folder more", map[string]string{"b/c": "2", "a": "1", "d/": ""}, true},
		{"other bytes", map[string]string{"b/c": "2", "a": "3"}, false},
		{"another name", map[string]string{"b/d": "2", "a": "1"}, false},
		{"another folder", map[string]string{"e/c": "2", "a": "1"}, false},
		{"swapped", map[string]string{"b/c": "1", "a": "2"}, false},
		{"one more", map[string]string{"b/c": "2", "a": "1", "d": ""}, false},
		{"one less", map[string]string{"a": "1"}, false},
	} {
		if got := of(c.files); (got == base) != c.same {
			t.Errorf("%s: the same sum %v, want %v", c.name, got == base, c.same)
		}
	}
	path := filepath.Join(t.TempDir(), "abc")
	os.WriteFile(path, []byte("abc"), 0o666)
	// FIPS 180-2, appendix B.1
	if got, err := Sum(path); err != nil || got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("sum of abc is %s, %v", got, err)
	}
	if _, err := Sum(path + "none"); err == nil {
		t.Error("a sum of nothing")
	}
}
