package verify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The manifest of weights/testdata/torch/zip_protocol2.pt; the sums are Python's hashlib's of struct.pack('<6f', …).
const smallManifest = `{"ldm_f32.ckpt": {
	"w": {"dtype": "float32", "shape": [3, 2], "sum_f64": 21.0, "sha256_of_contiguous_f32_le": "W"},
	"n": {"dtype": "int64", "shape": [2], "sum_f64": 15.0, "sha256_of_contiguous_f32_le": "N"}
}, "ldm_f16.ckpt": {}, "ldm_lightning_text_vae.ckpt": {}}`

const (
	sumW = "b05183b256a48062521a4beb24c91079d1b94dfdef9ca4edcb76d28f69ee7fcd"
	sumN = "621e6b9d912e2d0c9b2fc35bfd56ec75345026a6e61d0821763646eabacf47aa"
)

func TestTorchCasesSeeWhatIsOff(t *testing.T) {
	good := strings.NewReplacer("W\"", sumW+"\"", "N\"", sumN+"\"").Replace(smallManifest)
	tests := []struct{ name, old, changed, want string }{
		{"nothing", "", "", ""},
		{"values", sumW, sumN, "w: other values"},
		{"sum", "21.0", "21.5", "w: the values add up to 21"},
		{"type", "int64", "int32", "n: I64 [2]"},
		{"shape", "[3, 2]", "[2, 3]", "w: F32 [3 2]"},
		{"name", `"n":`, `"m":`, "unknown tensor n"},
		{"file", "ldm_f16.ckpt", "ldm_f32.ckpt.2", ""},
	}
	for _, tt := range tests {
		dir := t.TempDir()
		copyFiles(t, filepath.Join(dir, "tiny/weights"), "../../weights/testdata/torch/zip_protocol2.pt")
		copyFiles(t, filepath.Join(dir, "tiny/weights"), "../../weights/testdata/torch/legacy_protocol2.pt")
		write := func(name, text string) {
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write(nanoManifest, strings.Replace(good, tt.old, tt.changed, 1))
		s, err := openSet(dir)
		if err != nil {
			t.Fatal(err)
		}
		for file, from := range map[string]string{nanoFolder + "/ldm_f32.ckpt": "zip_protocol2.pt", nanoOldTorch: "legacy_protocol2.pt"} {
			if err := os.Rename(filepath.Join(dir, "tiny/weights", from), s.path(file)); err != nil {
				t.Fatal(err)
			}
		}
		c := runCase(t.Context(), s, testCase{run: func(c *check) { nanoTorchFile(c, "ldm_f32.ckpt") }})
		if got := strings.Join(c.problems, "\n"); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if c := runCase(t.Context(), s, testCase{run: nanoOldTorchFile}); len(c.problems) == 0 {
			t.Error("another file of the old format passes")
		}
		s.close()
	}
}
