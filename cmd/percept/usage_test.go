package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestMistypedWordsAreNamedWithWhatWasMeant(t *testing.T) {
	for _, c := range []struct {
		line, want string
	}{
		{"generat", `unknown command "generat", did you mean generate?`},
		{"generat --prompt cat", `unknown command "generat", did you mean generate?`},
		{"DEMO2", `unknown command "DEMO2", expected one of `},
		{"fti", `did you mean fit?`},
		{"feat", `did you mean features?`},
		{"nsd chekc x", `unknown command "chekc" of "percept nsd", did you mean check?`},
		{"weights lsit", `did you mean list?`},
		{"bench modles", `did you mean models?`},
		{"model chek x", `did you mean check?`},
		{"help generat", `did you mean generate?`},
		{"help nsd prepar", `unknown command "prepar" of "percept nsd", did you mean prepare?`},
		{"completion fsh", `did you mean fish?`},
		{"generate --stesp 3", "unknown flag --stesp, did you mean --steps?"},
		{"fit --respones x", "did you mean --responses?"},
		{"demo --xyzzy", "unknown flag --xyzzy, expected one that percept demo --help lists"},
		{"demo -x", "unknown flag -x, expected flags with two dashes"},
		{"version --quit", "did you mean --quiet?"},
		{"version --log-format xml", `--log-format "xml", expected text or json`},
		{"--threads 9223372036854775807 version", "--threads 9223372036854775807, expected 0 to 1024"},
		{"--threads 1025 version", "--threads 1025, expected 0 to 1024"},
		{"demo --=3", "expected --name or --name=value"},
		{"demo --steps", "--steps has no value, expected a whole number"},
	} {
		code, _, stderr := command(t, strings.Fields(c.line)...)
		if line, rest, _ := strings.Cut(stderr, "\n"); code != 2 || !strings.Contains(line, c.want) || !strings.Contains(rest, "Usage: percept") {
			t.Errorf("%s: status %d, %q, want 2 and %q", c.line, code, stderr, c.want)
		}
	}
}

// Every flag that is a number says which numbers it takes, in words that are not those of a library.
func TestNumbersOfEveryFlag(t *testing.T) {
	n := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			var bad []string
			switch f.Value.Type() {
			case "int", "int64":
				bad = []string{"many", "1.5", "", "99999999999999999999"}
			case "uint64":
				bad = []string{"many", "-1", "", "1e3", "18446744073709551616"}
			case "float64":
				bad = []string{"many", "", "1e999"}
			case "bool":
				bad = []string{"perhaps"}
			}
			for _, v := range bad {
				n++
				code, _, stderr := command(t, append(strings.Fields(c.CommandPath())[1:], "--"+f.Name+"="+v)...)
				line, _, _ := strings.Cut(stderr, "\n")
				if code != 2 || !strings.HasPrefix(line, "percept: --"+f.Name+" ") || !strings.Contains(line, "expected ") ||
					strings.Contains(line, "strconv") || strings.Contains(line, "parsing") || strings.Contains(line, "invalid") {
					t.Errorf("%s --%s=%s: status %d, %q", c.CommandPath(), f.Name, v, code, line)
				}
			}
		})
		for _, sub := range c.Commands() {
			if sub.Name() != "help" {
				walk(sub)
			}
		}
	}
	walk(newRoot())
	if n < 100 {
		t.Errorf("%d values tried, expected over 100", n)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"check", "prepare", "models", "memory"}
	for word, want := range map[string]string{"check": "check", "chekc": "check", "preprae": "prepare", "mem": "memory", "mo": "models",
		"m": "", "xx": "", "": "", "modlse": "models"} {
		if got := nearest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestCompletionOfValues(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"generate", "--sampler", ""}, []string{"ddim", "dpmpp-2m", "euler"}},
		{[]string{"generate", "--noise", ""}, []string{"cpu", "cuda"}},
		{[]string{"generate", "--text-cleaning", ""}, []string{"ftfy", "openai", "transformers"}},
		{[]string{"generate", "--weights-dtype", ""}, []string{"bfloat16", "float16", "float32"}},
		{[]string{"demo", "--memory", ""}, []string{"full", "low"}},
		{[]string{"nsd", "prepare", "--zscore", ""}, []string{"none", "session"}},
		{[]string{"nsd", "prepare", "--space", ""}, []string{"fsaverage", "func1mm", "func1pt8mm"}},
		{[]string{"nsd", "prepare", "--beta-version", ""},
			[]string{"betas_assumehrf", "betas_fithrf", "betas_fithrf_GLMdenoise_RR"}},
		{[]string{"nsd", "prepare", "--split", ""}, []string{"none", "shared1000"}},
		{[]string{"nsd", "prepare", "--subject", ""}, []string{"subj01", "subj08"}},
		{[]string{"nsd", "check", "--subject", ""}, []string{"subj01", "subj08"}},
		{[]string{"features", "--subject", ""}, []string{"subj01", "subj08"}},
		{[]string{"features", "--dtype", ""}, []string{"float16", "float32"}},
		{[]string{"fit", "--score", ""}, []string{"correlation", "l2", "r2"}},
		{[]string{"fit", "--form", ""}, []string{"auto", "dual", "primal"}},
		{[]string{"weights", "synth", "--size", ""}, []string{"nano", "sd14", "tiny"}},
		{[]string{"decode", "--log-format", ""}, []string{"json", "text"}},
	} {
		code, stdout, stderr := command(t, append([]string{"__complete"}, c.args...)...)
		lines := strings.Split(stdout, "\n")
		for _, want := range c.want {
			if code != 0 || !slices.Contains(lines, want) {
				t.Errorf("%v: %q lacks %s; %s", c.args, stdout, want, stderr)
			}
		}
	}
	_, stdout, _ := command(t, "--help")
	if !strings.Contains(stdout, "\n  completion ") || !strings.Contains(stdout, "two simulated subjects") {
		t.Errorf("help without completion:\n%s", stdout)
	}
}

func TestVersionFlag(t *testing.T) {
	for _, flag := range []string{"--version", "-v"} {
		code, stdout, _ := command(t, flag)
		if code != 0 || !strings.HasPrefix(stdout, "percept "+version) || strings.Count(stdout, "\n") != 1 {
			t.Errorf("%s: %d, %q", flag, code, stdout)
		}
	}
}

func TestErrorsAsJSON(t *testing.T) {
	for _, args := range [][]string{
		{"demo", "--steps", "many", "--log-format", "json"}, {"--log-format=json", "fit"}, {"verify", "nowhere", "--log-format", "json", "--quiet"},
	} {
		code, stdout, stderr := command(t, args...)
		var line struct{ Time, Level, Message, Usage string }
		if err := json.Unmarshal([]byte(stderr), &line); err != nil || strings.Count(stderr, "\n") != 1 {
			t.Fatalf("%v: %v in %q", args, err, stderr)
		}
		if code == 0 || stdout != "" || line.Level != "error" || line.Time == "" || line.Message == "" || (line.Usage != "") != (code == 2) {
			t.Errorf("%v: status %d, %+v", args, code, line)
		}
	}
}
