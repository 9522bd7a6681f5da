package percept_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// importRules say who may import what, in the order in which they are tried: the first rule
// whose prefix fits an import decides. A package that is not named may import anything.
var importRules = []struct {
	pattern string   // imported path, or a prefix that ends in "/..."
	only    []string // packages (or prefixes) that may import it
	why     string
}{
	{"percept/internal/verify", []string{"percept/cmd/..."}, "verification sees everything, so that nothing it checks may see it"},
	{"gorgonia.org/...", []string{"percept/nn"}, "the graph library stays behind nn, so that it can be vendored or replaced in a day"},
	{"github.com/chewxy/hm", []string{"percept/nn"}, "gorgonia's type system stays behind nn"},
	{"percept/tensor/internal/...", []string{"percept/tensor", "percept/tensor/..."}, "kernels are reached through tensor"},
	{"percept/unet", models, modelsWhy},
	{"percept/vae", models, modelsWhy},
	{"percept/clip", models, modelsWhy},
	{"percept", from("percept/fmri/decode", "percept/fmri/study", "percept/fmri/study/features"),
		"under fmri only decode and study may use a whole pipeline"},
	{"percept/nn", from("percept", "percept/unet", "percept/vae", "percept/clip", "percept/nn/...", "percept/vision"),
		"fmri builds no network"},
	{"percept/vision", from("percept/fmri/study"), "fmri sees what networks make of pictures as rows of numbers"},
	{"percept/weights/internal/...", []string{"percept/weights", "percept/weights/internal/..."},
		"file formats are reached through weights"},
	{"percept/internal/golden", []string{"percept/internal/verify"}, "reference values are for tests and for verify"},
	{"percept/fmri/internal/...", []string{"percept/fmri/...", "percept/fmri"}, "file formats are reached through fmri"},
	{"percept/fmri/nsd", nsdReaders, nsdWhy},
	{"percept/fmri/nsd/...", nsdReaders, nsdWhy},
	{"percept/fmri/study", studies, studiesWhy},
	{"percept/fmri/study/...", studies, studiesWhy},
	{"percept/fmri/...", from("percept/fmri", "percept/fmri/..."), "models and engine know nothing of brains"},
	{"percept/fmri", from("percept/fmri/..."), "models and engine know nothing of brains"},
	{"percept/cmd/...", []string{"percept/cmd/..."}, "commands are not a library"},
}

var models = from("percept")

// from adds what stands above all others: the commands, the tools and the verification.
func from(packages ...string) []string {
	return append(packages, "percept/cmd/...", "percept/tools/...", "percept/internal/verify")
}

const modelsWhy = "models never import one another; the root package puts them together"

// nsdReaders are those that know the Natural Scenes Dataset.
var nsdReaders = from("percept/fmri/nsd/...", "percept/fmri/study", "percept/fmri/study/features")

const nsdWhy = "decoders take tables, of whatever data set: only a study and the commands know NSD's trees"

// studies is who may use a study's parts: its own packages and what stands over it.
var studies = from("percept/fmri/study", "percept/fmri/study/...")

const studiesWhy = "a study stands over the other packages of fmri, and none of them knows it"

// selfContained packages import the standard library and these only.
var selfContained = map[string][]string{
	"percept/scheduler": {"percept/internal/cause", "percept/internal/pyjson", "gonum.org/v1/gonum/mathext"},
	"percept/weights": {"percept/internal/atomicfile", "percept/internal/cause", "percept/internal/mapped", "percept/internal/parts",
		"percept/internal/pyjson", "percept/weights/internal/...", "percept/weights/safetensors", "percept/weights/synth"},
	"percept/weights/safetensors": {"percept/internal/atomicfile", "percept/internal/cause", "percept/internal/half",
		"percept/internal/mapped", "percept/internal/parts"},
	"percept/weights/synth": {"percept/internal/half", "percept/internal/parts", "percept/weights/safetensors"},
	"percept/weights/packed": {"percept/internal/atomicfile", "percept/internal/cause", "percept/internal/filelock",
		"percept/internal/mapped", "percept/internal/offheap"},
	"percept/tensor": {"percept/tensor/internal/...", "percept/internal/half", "percept/internal/offheap",
		"golang.org/x/sys/..."},
	"percept/internal/filelock":      nil,
	"percept/internal/filesum":       {"percept/internal/cause"},
	"percept/internal/golden":        {"percept/weights/safetensors"},
	"percept/internal/half":          nil,
	"percept/internal/mapped":        {"percept/internal/cause"},
	"percept/internal/parts":         nil,
	"percept/internal/memlimit":      nil,
	"percept/internal/offheap":       {"percept/internal/memlimit"},
	"percept/internal/htmlentity":    nil,
	"percept/internal/ftfy":          {"golang.org/x/text/...", "percept/internal/htmlentity"},
	"percept/tensor/internal/kernel": {"percept/internal/half", "golang.org/x/sys/..."},
	"percept/tensor/linalg":          {"percept/tensor", "percept/tensor/internal/..."},
	"percept/fmri/study/report": {"golang.org/x/image/...", "gonum.org/v1/plot", "gonum.org/v1/plot/...", "percept/fmri/diagnose",
		"percept/fmri/fit", "percept/internal/picture"},
	"percept/fmri/study/stage": {"percept/internal/..."},
	"percept/fmri/sim/scene":   {"golang.org/x/image/..."},
	"percept/internal/picture": {"golang.org/x/image/...", "golang.org/x/sys/...", "percept/internal/cause", "percept/internal/memlimit"},
	"percept/fmri/internal/hdf5": {"percept/internal/atomicfile", "percept/internal/cause", "percept/internal/half",
		"percept/fmri/internal/hdf5/filter", "percept/fmri/internal/source"},
	"percept/fmri/internal/hdf5/filter": {"github.com/klauspost/compress/zstd", "github.com/pierrec/lz4/v4"},
	"percept/fmri/internal/matfile": {"percept/internal/atomicfile", "percept/internal/cause", "percept/fmri/internal/hdf5",
		"percept/fmri/internal/source"},
	"percept/fmri/internal/nifti": {"percept/internal/atomicfile", "percept/internal/cause", "percept/fmri/internal/source"},
	"percept/fmri/internal/npy": {"percept/internal/atomicfile", "percept/internal/cause", "percept/internal/half",
		"percept/fmri/internal/source"},
	"percept/fmri/internal/source": {"percept/internal/cause", "github.com/klauspost/compress/zstd"},
	"percept/internal/atomicfile":  {"percept/internal/cause"},
	"percept/internal/cause":       nil,
	"percept/internal/pyjson":      nil,
	"percept/internal/spelling":    nil,

	"percept/fmri/internal/freesurfer": {"percept/internal/atomicfile", "percept/internal/cause", "percept/fmri/internal/source"},
	"percept/fmri/internal/gifti":      {"percept/internal/atomicfile", "percept/internal/cause", "percept/fmri/internal/source"},
}

// testsToo are imports that the rules forbid a package and allow its tests.
var testsToo = []struct {
	pattern string   // imported path, or a prefix that ends in "/..."
	only    []string // packages (or prefixes) whose tests may import it
}{
	{"percept/internal/golden", []string{"percept/..."}},
	{"percept/unet", []string{"percept/nn"}}, // whose passes are tested on graphs of real models
	{"percept/vae", []string{"percept/nn"}},
	{"percept/clip", []string{"percept/nn"}},
	{"percept/fmri/nsd", []string{"percept/fmri/sim"}},       // whose trees it reads back
	{"percept/vae", []string{"percept/fmri/study/features"}}, // by which its samples are checked
	{"percept/fmri/sim/scene", []string{"percept/vision"}},   // whose pictures the scene network was trained on
}

func TestImportRules(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(out); ; {
		var p struct {
			ImportPath                         string
			Imports, TestImports, XTestImports []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		for _, imported := range p.Imports {
			checkImport(t, p.ImportPath, imported)
			checkSelfContained(t, p.ImportPath, imported)
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if imported != p.ImportPath && !testMayImport(p.ImportPath, imported) {
				checkImport(t, p.ImportPath, imported)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Fatalf("go list named %d packages, expected the whole module", seen)
	}
}

func checkImport(t *testing.T, from, imported string) {
	t.Helper()
	for _, rule := range importRules {
		if !fits(rule.pattern, imported) {
			continue
		}
		if !fitsAny(rule.only, from) {
			t.Errorf("%s imports %s: %s", from, imported, rule.why)
		}
		break
	}
}

func testMayImport(from, imported string) bool {
	for _, e := range testsToo {
		if fits(e.pattern, imported) && fitsAny(e.only, from) {
			return true
		}
	}
	return false
}

func checkSelfContained(t *testing.T, from, imported string) {
	t.Helper()
	if allowed, ok := selfContained[from]; ok && strings.Contains(imported, "/") {
		if !standard(imported) && !fitsAny(allowed, imported) {
			t.Errorf("%s imports %s: it stands on the standard library and %v alone", from, imported, allowed)
		}
	}
}

// standard says whether a package is of the standard library.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "percept" && !strings.Contains(first, ".")
}

func fitsAny(patterns []string, path string) bool {
	for _, p := range patterns {
		if fits(p, path) {
			return true
		}
	}
	return false
}

func fits(pattern, path string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(path, prefix)
	}
	return pattern == path
}

// TestImportGroups wants the imports of every file in three groups with a blank line between them: the standard library, other
// modules, this one.
func TestImportGroups(t *testing.T) {
	out, err := exec.Command("git", "ls-files", "*.go").Output()
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("git ls-files: %v", err)
	} else if err != nil {
		t.Skip("not in a git checkout")
	}
	var mixed []string
	for _, path := range strings.Fields(string(out)) {
		src, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not yet committed
		} else if err != nil {
			t.Fatal(err)
		}
		if ok, err := grouped(src); err != nil {
			t.Fatalf("%s: %v", path, err)
		} else if !ok {
			mixed = append(mixed, path)
		}
	}
	if len(mixed) > 0 {
		t.Errorf("%d files whose imports are not in three groups, the standard library, other modules and this one: %s", len(mixed),
			strings.Join(mixed, " "))
	}
}

// grouped says whether blank lines stand between the groups of imports, and nowhere else.
func grouped(src []byte) (bool, error) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, "", src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return false, err
	}
	for i := 1; i < len(f.Imports); i++ {
		a, b := f.Imports[i-1], f.Imports[i]
		from := b.Pos()
		if b.Doc != nil {
			from = b.Doc.Pos()
		}
		apart := files.Position(from).Line-files.Position(a.End()).Line > 1
		if first, second := group(a), group(b); first > second || apart != (first < second) {
			return false, nil
		}
	}
	return true, nil
}

// group is the place of an import among the three.
func group(s *ast.ImportSpec) int {
	path := strings.Trim(s.Path.Value, `"`)
	switch {
	case standard(path):
		return 0
	case path == "percept" || strings.HasPrefix(path, "percept/"):
		return 2
	}
	return 1
}
