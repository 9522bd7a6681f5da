package verify

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
	"percept/weights"
	"percept/weights/safetensors"
)

// partOf copies the reference files that other packages test with into a set that has only these folders.
func partOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root := "../../"
	copyFiles(t, filepath.Join(dir, "formats"), root+"weights/testdata/formats/*")
	copyFiles(t, filepath.Join(dir, "schedulers"), root+"scheduler/testdata/*")
	copyFiles(t, dir, root+"weights/testdata/generator_checks.json")
	return dir
}

func copyFiles(t *testing.T, to, glob string) {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", glob, err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, filepath.Base(f)), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// only runs the cases of a prefix and returns the table.
func only(t *testing.T, dir, prefix string) (Summary, string, error) {
	t.Helper()
	var out bytes.Buffer
	s, err := Run(t.Context(), dir, prefix, &out)
	return s, out.String(), err
}

func TestCasesPass(t *testing.T) {
	dir := partOf(t)
	for prefix, want := range map[string]int{"formats": 33, "generator": 2} {
		s, out, err := only(t, dir, prefix)
		if err != nil || s.Passed != want || s.Failed != 0 {
			t.Errorf("%s: %+v, %v, want %d passed\n%s", prefix, s, err, want, out)
		}
	}
}

func TestSchedulersPass(t *testing.T) {
	dir := partOf(t)
	// The files of the later samplers and of the tiny U-Net only have to be there to list the cases.
	for _, f := range []string{"plms_pndm_mock.safetensors", "ddim_tiny_unet.safetensors"} {
		if err := safetensors.Write(filepath.Join(dir, "schedulers", f), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, prefix := range []string{"schedulers: t", "schedulers: DDIM", "schedulers: img2img", "schedulers: keys"} {
		s, out, err := only(t, dir, prefix)
		failed := 0
		if prefix == "schedulers: t" { // the two with the tiny U-Net have no values here
			failed = 2
		}
		if s.Failed != failed || s.Passed == 0 || (err == nil) != (failed == 0) {
			t.Errorf("%s: %+v, %v\n%s", prefix, s, err, out)
		}
	}
}

// A run without guidance has no guided noise to keep; one without its trajectory is broken.
func TestTensorsThatACaseHasNot(t *testing.T) {
	for _, tt := range []struct {
		without  string
		compared int
		passes   bool
	}{{"", 8, true}, {".guided_eps", 6, true}, {".pred_x0", 6, true}, {".trajectory", 0, false}} {
		dir := partOf(t)
		path := filepath.Join(dir, filepath.FromSlash(mockFile))
		st, err := weights.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var left []safetensors.Named
		for _, name := range st.Names() {
			x, err := st.Float32(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, shape, _ := st.Info(name); tt.without == "" || !strings.HasSuffix(name, tt.without) {
				left = append(left, safetensors.NamedF32(name, x, shape...))
			}
		}
		if err := errors.Join(st.Close(), os.Remove(path), safetensors.Write(path, left, nil)); err != nil {
			t.Fatal(err)
		}
		sum, out, err := only(t, dir, "schedulers: DDIM with a formula, txt2img.eta0.0")
		if (err == nil) != tt.passes || tt.passes && sum.Comparisons != tt.compared {
			t.Errorf("without %q: %+v, %v, expected %d comparisons\n%s", tt.without, sum, err, tt.compared, out)
		}
	}
}

func TestRunReportsWhatIsMissingAndUnknown(t *testing.T) {
	dir := partOf(t)
	for _, f := range []string{"formats/h7_new.h7", "surprise.txt"} {
		if err := os.WriteFile(filepath.Join(dir, f), []byte("?"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	s, err := Run(t.Context(), dir, "", &out)
	if err == nil || s.Failed == 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, want := range []string{
		"tiny/ ", "the set has no such folder", "schedulers/ddim_tiny_unet.safetensors: no such file",
		"formats/h7_new.h7 ", "surprise.txt ", "unknown file: no case uses it",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, out.String())
		}
	}
}

func TestAChangedValueFails(t *testing.T) {
	tests := []struct{ file, old, changed, prefix string }{
		{"generator_checks.json", `"0x3db23fd5"`, `"0x3db23fd6"`, "generator"},
		{"generator_checks.json", `"first5"`, `"first6"`, "generator"}, // an unknown key
		{"formats/manifest.json", `"valid": true`, `"valid": false`, "formats"},
		{"formats/manifest.json", `-0.5667637586593628`, `-0.5667637586593629`, "formats"},
	}
	for _, tt := range tests {
		dir := partOf(t)
		path := filepath.Join(dir, filepath.FromSlash(tt.file))
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Replace(b, []byte(tt.old), []byte(tt.changed), 1)
		if bytes.Equal(b, changed) {
			t.Fatalf("%s has no %s", tt.file, tt.old)
		}
		if err := os.WriteFile(path, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		if s, out, err := only(t, dir, tt.prefix); err == nil || s.Failed == 0 {
			t.Errorf("%s: %s changed to %s: %+v, %v\n%s", tt.file, tt.old, tt.changed, s, err, out)
		}
	}
}

func TestUnknownTensorFails(t *testing.T) {
	s := &set{dir: t.TempDir(), files: map[string]bool{"a.safetensors": false}, stores: map[string]*weights.Store{}}
	defer s.close()
	err := safetensors.Write(s.path("a.safetensors"), []safetensors.Named{
		safetensors.NamedF32("used", []float32{1}, 1), safetensors.NamedF32("new", []float32{1}, 1),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	(&check{set: s}).float32s("a.safetensors", "used")
	if u := s.unknown(); len(u) != 1 || u[0].name != "a.safetensors: new" {
		t.Errorf("unknown: %v", u)
	}
}

func TestSumsFindAChange(t *testing.T) {
	dir := t.TempDir()
	sums := "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afe48bb  a\n" // of "a", one digit short
	good := "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n"
	for name, text := range map[string]string{"a": "a", "b": "not listed"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		sums     string
		problems int
	}{{good, 1}, {sums, 2}, {good + "00  c\n", 2}, {"?\n", 3}} {
		if err := os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(tt.sums), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := openSet(dir)
		if err != nil {
			t.Fatal(err)
		}
		c := runCase(t.Context(), s, testCase{run: verifySums})
		if len(c.problems) != tt.problems {
			t.Errorf("%q: problems %q, want %d", tt.sums, c.problems, tt.problems)
		}
	}
}

func TestRunRejects(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{filepath.Join(t.TempDir(), "absent"), file, t.TempDir()} {
		_, err := Run(t.Context(), dir, "", &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that names it", dir, err)
		}
	}
	if _, _, err := only(t, partOf(t), "no such case"); err == nil {
		t.Error("a prefix without a case is accepted")
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, partOf(t), "", &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled run: %v", err)
	}
}

func TestNear(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name      string
		got, want []float32
		tol       float64
		ok        bool
	}{
		{"equal", []float32{1, 2}, []float32{1, 2}, 0, true},
		{"at the tolerance", []float32{1.5}, []float32{1}, 0.5, true},
		{"beyond", []float32{1.6}, []float32{1}, 0.5, false},
		{"NaN computed", []float32{1, nan, 3}, []float32{1, 2, 3}, 1e9, false},
		{"NaN expected", []float32{1}, []float32{nan}, 1e9, false},
		{"equal infinities", []float32{inf}, []float32{inf}, 0, true},
		{"infinity computed", []float32{inf}, []float32{1}, 1e9, false},
		{"lengths", []float32{1}, []float32{1, 2}, 1e9, false},
		{"nothing", nil, nil, 0, true},
	}
	for _, tt := range tests {
		c := &check{}
		near(c, tt.name, tt.got, tt.want, tt.tol)
		c64 := &check{}
		near(c64, tt.name, converted[float64](tt.got), converted[float64](tt.want), tt.tol)
		if (len(c.problems) == 0) != tt.ok || (len(c64.problems) == 0) != tt.ok {
			t.Errorf("%s: %v, in float64 %v", tt.name, c.problems, c64.problems)
		}
	}
	// The table shows the comparison nearest to its limit, not the largest error.
	c := &check{}
	near(c, "large", []float32{2}, []float32{1}, 100)
	near(c, "near its limit", []float32{1.5}, []float32{1}, 0.6)
	near(c, "small", []float32{1.1}, []float32{1}, 0.6)
	if c.worst.label != "near its limit" || c.comparisons != 3 {
		t.Errorf("worst %+v of %d", c.worst, c.comparisons)
	}
}

func TestACaseThatPanicsOrComparesNothingFails(t *testing.T) {
	for name, run := range map[string]func(*check){
		"panics":            func(*check) { panic("ouch") },
		"compares nothing":  func(*check) {},
		"cannot read files": func(c *check) { c.must(errors.New("no such file")) },
	} {
		if c := runCase(t.Context(), nil, testCase{run: run}); len(c.problems) != 1 {
			t.Errorf("a case that %s: %q", name, c.problems)
		}
	}
}

func TestShapesUpToLayout(t *testing.T) {
	tests := []struct {
		a, b []int
		same bool
	}{
		{[]int{1, 64, 2, 3}, []int{1, 64, 6}, true},
		{[]int{8, 128, 77}, []int{1, 8, 128, 77}, true},
		{[]int{2, 3}, []int{3, 2}, false},
		{[]int{1, 4, 6}, []int{1, 6, 4}, false},
		{[]int{5}, []int{5}, true},
	}
	for _, tt := range tests {
		if got := sameElements(tt.a, tt.b); got != tt.same {
			t.Errorf("%v, %v: %v", tt.a, tt.b, got)
		}
	}
}

func TestWindowAndSamples(t *testing.T) {
	x := make([]float32, 2*4*6)
	for i := range x {
		x[i] = float32(i)
	}
	if got := window(x, 4, 6, 1, 2, 2, 2, 1); !slices.Equal(got, []float32{8, 9, 14, 15, 32, 33, 38, 39}) {
		t.Errorf("window %v", got)
	}
	if got := window(x[:24], 4, 6, 0, 0, 2, 2, 3); !slices.Equal(got, []float32{0, 3, 18, 21}) {
		t.Errorf("strided window %v", got)
	}
	if got := golden.Sample(make([]float32, 1000)); len(got) != 256 {
		t.Errorf("%d samples", len(got))
	}
	s := summarise([]float32{1, 2, 3, 4})
	if !slices.Equal(s.stats, []float32{2.5, float32(math.Sqrt(1.25)), 1, 4}) || len(s.first) != 4 {
		t.Errorf("summary %+v", s)
	}
}
