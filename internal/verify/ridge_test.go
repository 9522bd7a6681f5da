package verify

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallSet makes a set of the reference files that the statistics packages keep for their own tests. edit
// changes a file, by its name in the set, before it is written.
func smallSet(t *testing.T, edit func(name string, b []byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{
		"ridge/info.json":             "testdata/ridge_info.json",
		"ridge/report.json":           "testdata/ridge_report.json",
		"ridge/ridge.safetensors":     "../../fmri/ridge/testdata/ridge.safetensors",
		"metrics/report.json":         "testdata/metrics_report.json",
		"metrics/metrics.safetensors": "../../fmri/metrics/testdata/metrics.safetensors",
	} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if edit != nil {
			b = edit(name, b)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestStatisticsCases(t *testing.T) {
	dir := smallSet(t, nil)
	for prefix, want := range map[string]int{"ridge": 11, "metrics: pixcorr": 1, "metrics: identification": 1, "metrics: retrieval": 1} {
		var out bytes.Buffer
		sum, err := Run(t.Context(), dir, prefix, &out)
		if err != nil || sum.Passed != want || sum.Failed != 0 {
			t.Errorf("%s: %d passed, %d failed, %v; want %d passed\n%s", prefix, sum.Passed, sum.Failed, err, want, out.String())
		}
	}
}

// A set that contradicts itself must not pass.
func TestStatisticsCasesFail(t *testing.T) {
	for _, c := range []struct {
		name, prefix, file, old, new, want string
	}{
		{"another penalty", "ridge: ridge", "ridge/info.json", "10000.0", "20000.0", "ridge.a4.coef"},
		{"another fold", "ridge: ridgecv", "ridge/info.json", "\n   60,\n   120\n", "\n   60,\n   121\n", "fold 1"},
		{"an unknown key", "ridge: scaler", "ridge/report.json", `"scaler.f32"`, `"skaler": 1, "scaler.f32"`, "skaler"},
		{"no error given", "ridge: ridge", "ridge/report.json", `"coef_f32"`, `"coef_f16"`, "coef_f32"},
		{"another tensor name", "metrics: identification", "metrics/metrics.safetensors", "ident.org", "ident.0rg", "ident.org"},
	} {
		changed := false
		dir := smallSet(t, func(name string, b []byte) []byte {
			if name != c.file {
				return b
			}
			changed = bytes.Contains(b, []byte(c.old))
			return bytes.Replace(b, []byte(c.old), []byte(c.new), 1)
		})
		if !changed {
			t.Fatalf("%s: %s does not hold %q", c.name, c.file, c.old)
		}
		var out bytes.Buffer
		sum, err := Run(t.Context(), dir, c.prefix, &out)
		if err == nil || sum.Failed == 0 || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %d failed, %v; want a failure that names %q\n%s", c.name, sum.Failed, err, c.want, out.String())
		}
	}
}
