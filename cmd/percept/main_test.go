package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/weights/embedded"
)

// command runs one command line.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// brokenModel copies the embedded model and cuts or removes one file.
func brokenModel(t *testing.T, file string, keep int64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(dir, embedded.FS()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(file))
	if keep < 0 {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if err := os.Truncate(path, keep); err != nil {
		t.Fatal(err)
	}
	return dir
}

// editedModel copies the embedded model and replaces one text in a file of it.
func editedModel(t *testing.T, file, before, after string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(dir, embedded.FS()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(file))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(before)) {
		t.Fatalf("%s lacks %s", file, before)
	}
	if err := os.WriteFile(path, bytes.Replace(b, []byte(before), []byte(after), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestErrorsAreOneLineWithTheRightStatus(t *testing.T) {
	taken := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(taken, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "folder.png")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	weights := "unet/diffusion_pytorch_model.safetensors"
	for _, c := range []struct {
		name string
		args []string
		code int
		want []string // all of them in the first line
	}{
		{"unknown flag", []string{"demo", "--nonsense"}, 2, []string{"--nonsense"}},
		{"flag of another type", []string{"demo", "--steps", "many"}, 2, []string{"many", "--steps"}},
		{"value out of range", []string{"demo", "--strength", "2"}, 2, []string{"strength", "2", "less than 1"}},
		{"steps that the schedule has not", []string{"demo", "--steps", "3"}, 2, []string{"--steps", "3", "4"}},
		{"strength below one step", []string{"demo", "--strength", "0.01"}, 2, []string{"--strength", "0.01", "0.05"}},
		{"guidance beyond float32", []string{"demo", "--guidance", "1e300"}, 2, []string{"--guidance", "1e+300", "1000"}},
		{"too few training images", []string{"demo", "--train-images", "3"}, 2, []string{"--train-images", "3", "10"}},
		{"too few test images", []string{"demo", "--test-images", "1"}, 2, []string{"--test-images", "1", "2"}},
		{"more pictures than test images", []string{"demo", "--test-images", "4", "--images", "5"}, 2, []string{"--images", "5", "4"}},
		{"run directory without a name", []string{"demo", "--out", ""}, 2, []string{"--out"}},
		{"scenes out of range", []string{"evaluate", "--scenes", "1"}, 2, []string{"--scenes", "32"}},
		{"benchmark runs", []string{"bench", "--runs", "0"}, 2, []string{"--runs", "0", "1 or more"}},
		{"benchmark that is not there", []string{"bench", "models", "--only", "unet-*,none*"}, 2,
			[]string{"--only", "none*", "unet-1x4x64x64"}},
		{"benchmark pattern", []string{"bench", "--only", "[a"}, 2, []string{"--only", "[a"}},
		{"benchmark size", []string{"bench", "models", "--unet", "1x4x63x64"}, 2, []string{"--unet", "1x4x63x64", "8"}},
		{"benchmark size with too few numbers", []string{"bench", "models", "--unet", "64x64"}, 2,
			[]string{"--unet", "64x64", "1x4x64x64"}},
		{"benchmark figures to nowhere", []string{"bench", "kernels", "--only", "add-*", "--runs", "1", "--json",
			filepath.Join(taken, "b.json")}, 1, []string{"b.json"}},
		{"element type of weights", []string{"generate", "--prompt", "a house", "--weights-dtype", "int8"}, 2,
			[]string{"--weights-dtype", "int8", "bfloat16"}},
		{"memory", []string{"demo", "--memory", "some"}, 2, []string{"--memory", "some", "low"}},
		{"unknown command", []string{"reconstruct"}, 2, []string{"reconstruct"}},
		{"argument where none is taken", []string{"demo", "here"}, 2, []string{"here"}},
		{"argument missing", []string{"verify"}, 2, []string{"folder"}},
		{"two experiment files", []string{"run", "a.toml", "b.toml"}, 2, []string{"2 arguments", "percept run"}},
		{"prompt missing", []string{"generate", "--model", taken}, 2, []string{"--prompt"}},
		{"sampler that is not there", []string{"generate", "--sampler", "dpm-fast"}, 2, []string{"--sampler", "dpm-fast", "euler"}},
		{"noise of another machine", []string{"generate", "--noise", "tpu"}, 2, []string{"--noise", "tpu", "cuda"}},
		{"eta of a sampler without", []string{"generate", "--sampler", "euler", "--eta", "1"}, 2, []string{"--eta", "euler"}},
		{"size without a height", []string{"generate", "--size", "512"}, 2, []string{"--size", "512x512"}},
		{"size beyond reason", []string{"generate", "--size", "9000x64"}, 2, []string{"--size", "8192"}},
		{"seeds beyond the last", []string{"generate", "--seed", "18446744073709551615", "--count", "2"}, 2,
			[]string{"--seed", "--count", "2^64"}},
		{"strength of no picture", []string{"generate", "--strength", "0.5"}, 2, []string{"--strength", "--image"}},
		{"caption in Latin-1", []string{"generate", "--prompt", "caf\xe9"}, 2, []string{"caption", "UTF-8"}},
		{"negative caption in Latin-1", []string{"generate", "--negative", "caf\xe9"}, 2, []string{"caption", "UTF-8"}},
		{"size that the model has not", []string{"generate", "--size", "100x96", "--out", filepath.Join(t.TempDir(), "x.png")}, 2,
			[]string{"--size", "100×96", "multiples of 32"}},
		{"size that a model in a folder has not", []string{"generate", "--prompt", "a", "--model", brokenModel(t, "tokenizer/merges.txt", 0),
			"--size", "63x64"}, 2, []string{"--size", "63×64", "multiples of 32"}},
		{"picture with a name that cannot be", []string{"generate", "--model", taken, "--prompt", "a", "--out",
			filepath.Join(t.TempDir(), strings.Repeat("x", 300)+".png")}, 1, []string{"xxx.png", "name too long"}},
		{"picture with a name that is too long while it is written", []string{"generate", "--model", taken, "--prompt", "a", "--out",
			filepath.Join(t.TempDir(), strings.Repeat("x", 250)+".png")}, 1, []string{"xxx.png", "name too long"}},
		{"picture that is a folder", []string{"generate", "--model", taken, "--prompt", "a", "--out", folder}, 1,
			[]string{folder, "is a folder, expected a file"}},
		{"picture in a folder that is missing", []string{"generate", "--model", taken, "--prompt", "a", "--out",
			filepath.Join(folder, "no", "x.png")}, 1, []string{"x.png", "no such file"}},
		{"responses missing", []string{"decode", "--model", taken, "--responses", filepath.Join(folder, "tp"), "--out", "d.safetensors"}, 1,
			[]string{"tp: no such file or directory, expected a prepared folder, a table or an array"}},
		{"array of a file missing", []string{"fit", "--responses", filepath.Join(folder, "x.mat:X"), "--features", taken, "--out",
			"d.safetensors"}, 1, []string{"x.mat:X: no such file or directory, expected a prepared folder"}},
		{"features missing", []string{"fit", "--responses", taken, "--features", filepath.Join(folder, "tf"), "--out", "d.safetensors"}, 1,
			[]string{"tf: no such file or directory, expected a folder or file of features"}},
		{"pictures for other captions", []string{"generate", "--prompt", "a", "--image", "x.png", "--image", "y.png"}, 2,
			[]string{"--image", "2 pictures"}},
		{"picture missing", []string{"generate", "--prompt", "a", "--image", filepath.Join(taken, "x.png")}, 1, []string{"x.png"}},
		{"picture that is none", []string{"generate", "--prompt", "a", "--image", taken, "--out", filepath.Join(t.TempDir(), "x.png")},
			1, []string{taken}},
		{"strength that no sampler can", []string{"generate", "--prompt", "a", "--image", taken, "--strength", "1"}, 2,
			[]string{"--strength", "1"}},
		{"recipe of a picture without", []string{"generate", "--like", gradient(t, 8, 8)}, 1, []string{"start.png", "no recipe"}},
		{"captions missing", []string{"generate", "--prompts", taken}, 1, []string{taken, "no caption"}},
		{"sheet without end", []string{"generate", "--count", "100"}, 2, []string{"--folder"}},
		{"latents to a strange file", []string{"generate", "--save-latents", "z.npy"}, 2, []string{"--save-latents", ".safetensors"}},
		{"sheet and folder", []string{"generate", "--out", "x.png", "--folder", taken}, 2, []string{"--out", "--folder"}},
		{"cleaning that is not there", []string{"generate", "--text-cleaning", "soap"}, 2, []string{"--text-cleaning", "soap", "openai"}},
		{"picture that is no PNG", []string{"generate", "--prompt", "a house", "--out", "x.jpg"}, 2, []string{"x.jpg", ".png"}},
		{"run directory is a file", []string{"demo", "--out", taken}, 1, []string{taken}},
		{"folder to write to is missing", []string{"generate", "--prompt", "a house", "--steps", "1", "--out",
			filepath.Join(taken, "x.png")}, 1, []string{"x.png"}},
		{"reference data missing", []string{"verify", filepath.Join(taken, "golden")}, 1, []string{"golden"}},
		{"model folder missing", []string{"generate", "--prompt", "a house", "--model", filepath.Join(taken, "no")}, 1,
			[]string{"no", "expected"}},
		{"weights missing", []string{"generate", "--prompt", "a house", "--model", brokenModel(t, weights, -1)}, 1, []string{"unet"}},
		{"weights cut short", []string{"generate", "--prompt", "a house", "--model", brokenModel(t, weights, 100_000)}, 1,
			[]string{weights}},
		{"merges empty", []string{"generate", "--prompt", "a house", "--model", brokenModel(t, "tokenizer/merges.txt", 0)}, 1,
			[]string{"merges.txt"}},
		{"latents without end", []string{"generate", "--prompt", "a house", "--model",
			editedModel(t, "unet/config.json", `"sample_size": 12`, `"sample_size": 1000000`)}, 1,
			[]string{"unet/config.json", "sample_size", "1000000", "1024"}},
		{"another noise schedule", []string{"generate", "--prompt", "a house", "--model",
			editedModel(t, "scheduler/scheduler_config.json", `"scaled_linear"`, `"sigmoid"`)}, 1,
			[]string{"scheduler_config.json", "beta_schedule", "sigmoid", "scaled_linear"}},
		{"another prediction", []string{"generate", "--prompt", "a house", "--model",
			editedModel(t, "scheduler/scheduler_config.json", `"epsilon"`, `"score"`)}, 1,
			[]string{"scheduler_config.json", "prediction_type", "score", "epsilon"}},
		{"a noise schedule of its own", []string{"generate", "--prompt", "a house", "--model",
			editedModel(t, "scheduler/scheduler_config.json", `"trained_betas": null`, `"trained_betas": [0.1, 0.2]`)}, 1,
			[]string{"scheduler_config.json", "trained_betas", "1000"}},
		{"vocabulary beyond the embedding", []string{"generate", "--prompt", "a house", "--model",
			editedModel(t, "tokenizer/vocab.json", `{`, `{"another": 800, `)}, 1,
			[]string{"tokenizer", "800", "730"}},
		{"configuration cut short", []string{"generate", "--prompt", "a house", "--model", brokenModel(t, "vae/config.json", 20)}, 1,
			[]string{"vae/config.json"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, _, stderr := command(t, c.args...)
			if code != c.code {
				t.Errorf("exit status %d, want %d; stderr: %s", code, c.code, stderr)
			}
			line, rest, _ := strings.Cut(stderr, "\n")
			for _, want := range c.want {
				if !strings.Contains(line, want) {
					t.Errorf("first line %q does not name %q", line, want)
				}
			}
			if c.code == 1 && strings.TrimSpace(rest) != "" {
				t.Errorf("more than one line: %q", stderr)
			}
			if c.code == 2 && !strings.Contains(rest, "Usage:") {
				t.Errorf("no usage after %q", line)
			}
			if strings.Contains(stderr, "goroutine") {
				t.Errorf("a stack trace: %s", stderr)
			}
		})
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	for _, c := range newRoot().Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if c.Short == "" || !strings.Contains(c.Example, "percept "+c.Name()) {
			t.Errorf("%s: no short text or no example", c.Name())
		}
	}
	code, stdout, _ := command(t, "demo", "--help")
	if code != 0 || !strings.Contains(stdout, "Examples:") {
		t.Errorf("demo --help: status %d, %q", code, stdout)
	}
}

func TestDemoEndToEndAndAgain(t *testing.T) {
	dir := t.TempDir()
	args := []string{"demo", "--out", dir, "--train-images", "40", "--test-images", "4", "--steps", "4"}
	code, stdout, stderr := command(t, args...)
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr)
	}
	for _, want := range []string{"subj01", "subj02", "z+c", "shuffled z+c", "things %", "report.html", "sheet.png"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("output lacks %q:\n%s", want, stdout)
		}
	}
	first := readAll(t, dir)
	if _, ok := first["report.html"]; !ok {
		t.Fatal("no report.html")
	}

	// Nothing is made twice.
	if code, _, stderr = command(t, args...); code != 0 {
		t.Fatalf("second run: exit status %d: %s", code, stderr)
	}
	for _, line := range strings.Split(strings.TrimSpace(stderr), "\n") {
		if !strings.HasSuffix(line, "up to date") {
			t.Errorf("second run did: %s", line)
		}
	}

	// A lost artefact is made again, to the same bytes, and what came after it stays.
	if err := os.RemoveAll(filepath.Join(dir, "pictures_subj02")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr = command(t, args...); code != 0 {
		t.Fatalf("third run: exit status %d: %s", code, stderr)
	}
	if n := strings.Count(stderr, " s\n"); n != 1 {
		t.Errorf("third run made %d stages, want 1:\n%s", n, stderr)
	}
	for name, b := range readAll(t, dir) {
		if !bytes.Equal(first[name], b) && !strings.HasPrefix(name, "manifests") {
			t.Errorf("%s has other bytes than after the first run", name)
		}
	}
}

// readAll reads every file below dir.
func readAll(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
