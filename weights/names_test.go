package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"percept/weights/safetensors"
	"percept/weights/synth"
)

// nanoSeed is the seed of the files listed in testdata/nano_names.tsv.
const nanoSeed = 0x53445f31

// listed is one tensor of a checkpoint written by diffusers, transformers or in the original layout:
// its name, type and shape there and the first 16 digits of the SHA-256 of its float32 values.
type listed struct {
	name  string
	dtype safetensors.DType
	shape []int
	sha   string
}

// readListing returns the tensors of testdata/nano_names.tsv by file.
func readListing(t *testing.T) map[string][]listed {
	t.Helper()
	b, err := os.ReadFile("testdata/nano_names.tsv")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]listed{}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		l := listed{name: f[1], dtype: safetensors.DType(f[2]), sha: f[4]}
		for _, d := range strings.Split(f[3], "x") {
			n, err := strconv.Atoi(d)
			if err != nil {
				t.Fatal(err)
			}
			l.shape = append(l.shape, n)
		}
		files[f[0]] = append(files[f[0]], l)
	}
	return files
}

// writeListed writes a checkpoint with the listed names; the values come from the generator under the
// name that the table gives, so that a wrong pair shows as a wrong sum.
func writeListed(t *testing.T, path string, list []listed, value func(l listed) []float32) {
	t.Helper()
	var out []safetensors.Named
	for _, l := range list {
		x := value(l)
		switch l.dtype {
		case safetensors.F16:
			out = append(out, safetensors.NamedF16(l.name, x, l.shape...))
		case safetensors.F32:
			out = append(out, safetensors.NamedF32(l.name, x, l.shape...))
		default:
			out = append(out, safetensors.Named{Name: l.name, DType: l.dtype, Shape: l.shape, Data: make([]byte, l.dtype.Size()*len(x))})
		}
	}
	if err := safetensors.Write(path, out, nil); err != nil {
		t.Fatal(err)
	}
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// Every tensor of the CompVis file, found under its diffusers name, has the values that the diffusers
// file holds under that name, and no name is left on either side.
func TestCompVisIsABijection(t *testing.T) {
	files := readListing(t)
	made := map[Component]*synth.Weights{}
	for _, c := range []Component{UNet, VAE, TextEncoder} {
		made[c] = &synth.Weights{Component: "nano." + string(c), Seed: nanoSeed, Half: true}
	}
	unet, err := CompVisUNet(UNetLayout{Layers: 2, Attention: []bool{true, true, true, false}})
	if err != nil {
		t.Fatal(err)
	}
	vae, err := CompVisVAE(VAELayout{Levels: 4, Layers: 2})
	if err != nil {
		t.Fatal(err)
	}
	toCompVis := map[Component]func(string) (string, bool){
		UNet: unet.FromDiffusers, VAE: vae.FromDiffusers,
		TextEncoder: func(n string) (string, bool) { return n, true },
	}
	// The file's values: those of the diffusers name that the table pairs with each CompVis name.
	diffusersName := map[string][2]string{}
	for c, f := range toCompVis {
		for _, l := range files[string(c)] {
			other, ok := f(l.name)
			if !ok {
				t.Fatalf("no CompVis name for %s.%s", c, l.name)
			}
			diffusersName[compVisPrefix[c]+other] = [2]string{string(c), l.name}
		}
	}
	path := filepath.Join(t.TempDir(), "ldm.safetensors")
	writeListed(t, path, files["compvis"], func(l listed) []float32 {
		p, ok := diffusersName[l.name]
		if !ok {
			return make([]float32, product(l.shape)) // schedules and positions
		}
		shape := l.shape
		if p[0] == "vae" && strings.Contains(p[1], "attentions") && len(shape) == 4 {
			shape = shape[:2]
		}
		x, err := made[Component(p[0])].Float32(p[1], shape...)
		if err != nil {
			t.Fatal(err)
		}
		return x
	})
	sums := map[string]string{}
	for _, l := range files["compvis"] {
		sums[l.name] = l.sha
	}

	s := open(t, path)
	for _, c := range []Component{UNet, VAE, TextEncoder} {
		v, err := s.Component(c)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]int{}
		for _, l := range files[string(c)] {
			want[l.name] = l.shape
			x, err := v.Float32(l.name, l.shape...)
			if err != nil {
				t.Error(err)
				continue
			}
			if got := sha256F32(x)[:16]; got != l.sha || got != sums[v.Source(l.name)] {
				t.Errorf("%s %s: values differ: generated %s, diffusers file %s, CompVis file %s", c, l.name, got, l.sha,
					sums[v.Source(l.name)])
			}
		}
		if err := v.Check(); err != nil {
			t.Error(err)
		}
		if err := v.CheckAgainst(want); err != nil {
			t.Error(err)
		}
	}
}

func TestLegacyVAENames(t *testing.T) {
	files := readListing(t)
	path := filepath.Join(t.TempDir(), "vae.safetensors")
	writeListed(t, path, files["vae_legacy"], func(l listed) []float32 { return make([]float32, product(l.shape)) })
	v, err := open(t, path).Component(VAE)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]int{}
	sums := map[string]string{}
	for _, l := range files["vae"] {
		want[l.name], sums[l.name] = l.shape, l.sha
	}
	if err := v.CheckAgainst(want); err != nil {
		t.Error(err)
	}
	for _, l := range files["vae_legacy"] {
		name := vaeAttentionName(l.name, ".attentions.0.", Diffusers)
		if sums[name] != l.sha {
			t.Errorf("%s is not %s: other values in the diffusers file", l.name, name)
		}
	}
}

// The VAE's attention has any of the names that exporters have left in it, as matrices or as 1x1 convolutions, in files of
// both dialects and mixed: each tensor's values are those of the usual name.
func TestVAEAttentionNames(t *testing.T) {
	files := readListing(t)
	for _, dialect := range []Dialect{Diffusers, CompVis} {
		column, path, list := 0, ".mid_block.attentions.0.", files["vae"]
		if dialect == CompVis {
			column, path, list = 1, ".mid.attn_1.", files["compvis"]
		}
		for k := range 4 { // name 0 to 2 of all modules, and mixed
			for _, dims := range []int{2, 4} {
				var renamed []listed
				usual := map[string]string{} // by the name in the file
				changed := 0
				for _, l := range list {
					own := l.name
					if before, tail, ok := strings.Cut(l.name, path); ok {
						at := strings.LastIndexByte(tail, '.')
						for i, names := range vaeAttention {
							if names[column] == tail[:at] {
								pick := min(k, len(names)-1)
								if k == 3 {
									pick = (i + len(before)) % len(names)
								}
								l.name = before + path + names[pick] + tail[at:]
								if l.shape = slices.Clone(l.shape); tail[at:] == ".weight" && i > 0 {
									l.shape = append(l.shape[:2:2], []int{1, 1}[:dims-2]...)
								}
								changed++
							}
						}
					}
					usual[l.name] = own
					renamed = append(renamed, l)
				}
				if changed != 20 {
					t.Fatalf("%s: %d tensors of the attention, want 20", dialect, changed)
				}
				file := filepath.Join(t.TempDir(), "vae.safetensors")
				writeListed(t, file, renamed, func(l listed) []float32 { return fnvValues(usual[l.name], product(l.shape)) })
				v, err := open(t, file).Component(VAE)
				if err != nil {
					t.Fatal(err)
				}
				plain := map[string]string{} // diffusers' names to those of the file with usual names
				table, err := CompVisVAE(vaeLayout(namesOf(files["vae"]), ""))
				if err != nil {
					t.Fatal(err)
				}
				want := map[string][]int{}
				for _, l := range files["vae"] {
					want[l.name], plain[l.name] = l.shape, l.name
					if dialect == CompVis {
						other, _ := table.FromDiffusers(l.name)
						plain[l.name] = compVisPrefix[VAE] + other
					}
				}
				if err := v.CheckAgainst(want); err != nil {
					t.Errorf("%s, names %d, %d dimensions: %v", dialect, k, dims, err)
				}
				for name, shape := range want {
					if x, err := v.Float32(name); err != nil || !slices.Equal(x, fnvValues(plain[name], product(shape))) {
						t.Errorf("%s, names %d, %d dimensions: %s has other values (%v)", dialect, k, dims, name, err)
					}
				}
			}
		}
	}
}

// Two names of one module are an error that names both.
func TestVAEAttentionTwice(t *testing.T) {
	list := readListing(t)["vae"]
	for _, l := range list {
		if strings.HasSuffix(l.name, "attentions.0.to_q.weight") {
			l.name = strings.Replace(l.name, "to_q", "query", 1)
			list = append(list, l)
		}
	}
	file := filepath.Join(t.TempDir(), "vae.safetensors")
	writeListed(t, file, list, func(l listed) []float32 { return make([]float32, product(l.shape)) })
	if _, err := open(t, file).Component(VAE); err == nil || !strings.Contains(err.Error(), "query.weight") ||
		!strings.Contains(err.Error(), "to_q.weight") {
		t.Errorf("two names: %v", err)
	}
}

func namesOf(list []listed) []string {
	var names []string
	for _, l := range list {
		names = append(names, l.name)
	}
	return names
}

// fnvValues are n values that belong to a name.
func fnvValues(name string, n int) []float32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	x, seed := make([]float32, n), h.Sum32()
	for i := range x {
		x[i] = float32((int(seed%2048) + i) % 2048) // exact in float16
	}
	return x
}

func TestTextNamesWithoutPrefix(t *testing.T) {
	files := readListing(t)
	var bare []listed
	want := map[string][]int{}
	for _, l := range files["text_encoder"] {
		want[l.name] = l.shape
		l.name = strings.TrimPrefix(l.name, "text_model.")
		bare = append(bare, l)
	}
	path := filepath.Join(t.TempDir(), "text.safetensors")
	writeListed(t, path, bare, func(l listed) []float32 { return make([]float32, product(l.shape)) })
	v, err := open(t, path).Component(TextEncoder)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.CheckAgainst(want); err != nil {
		t.Error(err)
	}
}

// The tables are one to one for every layout, and the way back leads to the same name.
func TestTablesAreBijections(t *testing.T) {
	for levels := 1; levels <= 5; levels++ {
		for layers := 1; layers <= 3; layers++ {
			for mask := range 1 << levels {
				l := UNetLayout{Layers: layers}
				for i := range levels {
					l.Attention = append(l.Attention, mask>>i&1 == 1)
				}
				table, err := CompVisUNet(l)
				checkTable(t, fmt.Sprintf("U-Net %+v", l), table, err)
			}
			table, err := CompVisVAE(VAELayout{levels, layers})
			checkTable(t, fmt.Sprintf("VAE %d×%d", levels, layers), table, err)
		}
	}
	if _, err := CompVisUNet(UNetLayout{}); err == nil {
		t.Error("a U-Net without levels has a table")
	}
	if _, err := CompVisVAE(VAELayout{Levels: 1000, Layers: 2}); err == nil {
		t.Error("a VAE of 1000 levels has a table")
	}
}

func checkTable(t *testing.T, what string, table *Table, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for _, p := range table.Pairs() {
		other, ok := table.FromDiffusers(p[0] + ".weight")
		back, ok2 := table.ToDiffusers(p[1] + ".weight")
		if !ok || !ok2 || other != p[1]+".weight" || back != p[0]+".weight" {
			t.Errorf("%s: %s -> %s, %s -> %s", what, p[0], other, p[1], back)
		}
	}
}

// A layout read off the names gives back the layout that made them.
func TestLayoutFromNames(t *testing.T) {
	for _, l := range []UNetLayout{
		{Layers: 2, Attention: []bool{true, true, true, false}},
		{Layers: 1, Attention: []bool{false, true, true}},
		{Layers: 3, Attention: []bool{true}},
	} {
		table, err := CompVisUNet(l)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range table.Pairs() {
			names = append(names, compVisPrefix[UNet]+p[1]+".weight")
			if strings.Contains(p[0], "attentions") {
				names = append(names, compVisPrefix[UNet]+p[1]+".norm.weight")
			}
		}
		if got := unetLayout(names, compVisPrefix[UNet]); got.Layers != l.Layers || !slices.Equal(got.Attention, l.Attention) {
			t.Errorf("layout %+v read off the names of %+v", got, l)
		}
	}
}

func TestOpenFolder(t *testing.T) {
	files := readListing(t)
	dir := t.TempDir()
	for c, file := range map[string]string{
		"unet": "diffusion_pytorch_model.safetensors", "vae": "diffusion_pytorch_model.fp16.safetensors",
		"text_encoder": "model.safetensors",
	} {
		if err := os.Mkdir(filepath.Join(dir, c), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, c, "config.json"), []byte(`{"of":"`+c+`"}`), 0o644); err != nil {
			t.Fatal(err)
		}
		writeListed(t, filepath.Join(dir, c, file), files[c], func(l listed) []float32 { return make([]float32, product(l.shape)) })
	}
	for how, open := range map[string]func() (*Folder, error){
		"folder": func() (*Folder, error) { return OpenFolder(dir) },
		"fs":     func() (*Folder, error) { return OpenFolderFS(os.DirFS(dir), "embedded") },
	} {
		f, err := open()
		if err != nil {
			t.Fatalf("%s: %v", how, err)
		}
		if got := len(f.Parts); got != 3 {
			t.Errorf("%s: %d parts", how, got)
		}
		for c, p := range f.Parts {
			if string(p.Config) != `{"of":"`+string(c)+`"}` || len(p.Store.Names()) != len(files[string(c)]) {
				t.Errorf("%s: %s: config %s, %d tensors", how, c, p.Config, len(p.Store.Names()))
			}
		}
		if _, err := f.Read("tokenizer/vocab.json"); err == nil || !strings.Contains(err.Error(), "tokenizer/vocab.json") {
			t.Errorf("%s: missing file: %v", how, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "vae", "diffusion_pytorch_model.fp16.safetensors")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFolder(dir); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "vae")) {
		t.Errorf("a folder without VAE weights: %v", err)
	}
	if f, err := OpenFolder(dir, UNet); err != nil {
		t.Errorf("only the U-Net was asked for: %v", err)
	} else if got := slices.Collect(maps.Keys(f.Parts)); !slices.Equal(got, []Component{UNet}) {
		t.Errorf("parts %v", got)
	}
	if _, err := OpenFolder(filepath.Join(dir, "absent")); err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("absent folder: %v", err)
	}
}

// sha256F32 is the sum of float32 values as little-endian bytes.
func sha256F32(x []float32) string {
	sum := sha256.Sum256(safetensors.Append(nil, safetensors.F32, x))
	return hex.EncodeToString(sum[:])
}
