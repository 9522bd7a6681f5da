package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"percept/weights/embedded"
)

// Weights that were packed ahead give the same picture as those packed on the way, until they are removed; damaged ones
// are not used.
func TestPackedWeights(t *testing.T) {
	folder := t.TempDir()
	model, cache := filepath.Join(folder, "model"), filepath.Join(folder, "cache")
	if err := os.CopyFS(model, embedded.FS()); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PERCEPT_CACHE", cache)
	ok := func(args ...string) (stdout, stderr string) {
		t.Helper()
		code, stdout, stderr := command(t, args...)
		if code != 0 {
			t.Fatalf("percept %s: exit status %d: %s", strings.Join(args, " "), code, stderr)
		}
		return stdout, stderr
	}
	picture := func(args ...string) (png []byte, stderr string) {
		t.Helper()
		out := filepath.Join(t.TempDir(), "x.png")
		_, stderr = ok(append([]string{"generate", "--prompt", "a red house", "--steps", "4", "--model", model, "--verbose", "--out",
			out}, args...)...)
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return b, stderr
	}
	want, stderr := picture("--no-cache")
	if strings.Contains(stderr, ".pack") {
		t.Errorf("--no-cache: %s", stderr)
	}
	if b, stderr := picture(); !bytes.Equal(b, want) || strings.Contains(stderr, ".pack") {
		t.Errorf("a small model is kept, or another picture: %s", stderr)
	}

	if out, _ := ok("weights", "list"); !strings.Contains(out, "0 files") {
		t.Errorf("list of nothing: %s", out)
	}
	out, _ := ok("weights", "pack", model)
	if strings.Count(out, "written") != 3 || strings.Count(out, cache) != 3 {
		t.Errorf("pack: %s", out)
	}
	if out, _ := ok("weights", "pack", model); strings.Count(out, "up to date") != 3 {
		t.Errorf("pack again: %s", out)
	}
	if b, stderr := picture(); !bytes.Equal(b, want) || strings.Count(stderr, ".pack: used") != 3 {
		t.Errorf("packed weights are not used, or make another picture: %s", stderr)
	}
	low, stderr := picture("--memory", "low", "--weights-dtype", "bfloat16")
	if strings.Contains(stderr, "used") || bytes.Equal(low, want) {
		t.Errorf("other storage finds the same weights: %s", stderr)
	}
	ok("weights", "pack", model, "--memory", "low", "--weights-dtype", "bfloat16")
	if b, stderr := picture("--memory", "low", "--weights-dtype", "bfloat16"); !bytes.Equal(b, low) ||
		strings.Count(stderr, ".pack: used") != 3 {
		t.Errorf("low, bfloat16: not used, or another picture: %s", stderr)
	}
	out, _ = ok("weights", "list", "--verify")
	names := regexp.MustCompile(`[a-z_]+-[0-9a-f]+\.pack`).FindAllString(out, -1)
	if len(names) != 6 || !strings.Contains(out, "bfloat16") || !strings.Contains(out, "6 files") {
		t.Fatalf("list: %s", out)
	}

	for _, name := range names { // a bit that only reading all finds
		b, err := os.ReadFile(filepath.Join(cache, name))
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/4096/2*4096+2000] ^= 1
		if err := os.WriteFile(filepath.Join(cache, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, stderr := command(t, "weights", "list", "--verify"); code != 1 || !strings.Contains(stderr, "6 of 6 files are unusable") {
		t.Errorf("damaged: exit status %d, %s", code, stderr)
	}
	for _, name := range names {
		if err := os.Truncate(filepath.Join(cache, name), 5000); err != nil {
			t.Fatal(err)
		}
	}
	if b, stderr := picture(); !bytes.Equal(b, want) || strings.Count(stderr, ": not used: ") != 3 {
		t.Errorf("cut files: another picture, or %s", stderr)
	}
	// Those that were to be used are gone: they would be looked at again at each start.
	if out, _ := ok("weights", "list"); strings.Count(out, "unusable") != 3 {
		t.Errorf("list of cut files: %s", out)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(cache, name))
		return err != nil
	})

	if out, _ := ok("weights", "remove", names[0]); !strings.Contains(out, names[0]) {
		t.Errorf("remove: %s", out)
	}
	if out, _ := ok("weights", "remove", "--all"); strings.Count(out, "removed") != 2 {
		t.Errorf("remove --all: %s", out)
	}
	code, _, stderr := command(t, "weights", "remove", names[0])
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, names[0]) {
		t.Errorf("remove what is not there: %d, %s", code, stderr)
	}
}

func TestWeightsErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(t.TempDir(), "model")
	if err := os.CopyFS(model, embedded.FS()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"weights", "remove"}, 2, "--all"},
		{[]string{"weights", "remove", "x", "--all"}, 2, "--all"},
		{[]string{"weights", "pack"}, 2, "a model folder"},
		{[]string{"weights", "pack", file}, 1, "the file is empty"},
		{[]string{"weights", "pack", model, "--dir", filepath.Join(file, "cache")}, 1, "cannot be written"},
		{[]string{"weights", "pack", model, "--weights-dtype", "int8"}, 2, `--weights-dtype "int8", expected float32`},
		{[]string{"weights", "list", "--dir", file}, 1, file},
	} {
		code, _, stderr := command(t, c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("percept %s: exit status %d, want %d; %q, want %q in it", strings.Join(c.args, " "), code, c.code, stderr, c.want)
		}
		// The line of a stage that took time may stand before.
		if code == 1 && strings.Count(stderr, "percept: ") != 1 {
			t.Errorf("percept %s: %q", strings.Join(c.args, " "), stderr)
		}
	}
}
