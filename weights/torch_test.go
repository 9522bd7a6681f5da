package weights

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

// torchFile is what testdata/make_torch.py says of a file.
type torchFile struct {
	Format  string
	Tensors map[string]struct {
		DType   string
		Shape   []int
		Values  []any
		SHA256  string
		Problem bool
	}
}

func torchManifest(t testing.TB) map[string]torchFile {
	b, err := os.ReadFile("testdata/torch/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]torchFile
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Every tensor of every file has the type, shape and values that it had in torch, in all the ways to ask for it.
func TestTorchFiles(t *testing.T) {
	for file, want := range torchManifest(t) {
		t.Run(file, func(t *testing.T) {
			s := open(t, "testdata/torch/"+file)
			if s.Format() != want.Format {
				t.Errorf("format %q, want %q", s.Format(), want.Format)
			}
			if err := s.Verify(t.Context()); err != nil {
				t.Error(err)
			}
			for _, name := range s.Names() {
				if _, ok := want.Tensors[name]; !ok {
					t.Errorf("tensor %q is not in the file", name)
				}
			}
			for name, w := range want.Tensors {
				dtype, shape, ok := s.Info(name)
				if _, known := torchDTypes[w.DType]; known && dtype != torchDTypes[w.DType] || !ok || !slices.Equal(shape, w.Shape) {
					t.Errorf("%q: %s %v %t, want %s %v", name, dtype, shape, ok, w.DType, w.Shape)
				}
				if w.Problem {
					wantProblem(t, s, name)
					continue
				}
				checkTorchValues(t, s, name, w.Values, w.SHA256)
			}
		})
	}
}

func wantProblem(t *testing.T, s *Store, name string) {
	t.Helper()
	_, e1 := s.Float32(name)
	_, e2 := s.Float64(name)
	_, e3 := s.Int64(name)
	_, e4 := s.Bytes(name)
	_, e5 := s.Lend(name, nil, func(n int) []float32 { return make([]float32, n) })
	for _, err := range []error{e1, e2, e3, e4, e5} {
		if err == nil || !strings.Contains(err.Error(), s.File()) || !strings.Contains(err.Error(), name) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with the file and the name", name, err)
		}
	}
}

func checkTorchValues(t *testing.T, s *Store, name string, want []any, sum string) {
	t.Helper()
	raw, err := s.Bytes(name)
	if err != nil {
		t.Error(err)
		return
	}
	if sum != "" {
		if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%q: other bytes", name)
		}
		return
	}
	f64, err1 := s.Float64(name)
	f32, err2 := s.Float32(name)
	lent, err3 := s.Lend(name, nil, func(n int) []float32 { return make([]float32, n) })
	if err := errors.Join(err1, err2, err3); err != nil || len(f64) != len(want) || len(f32) != len(want) || len(lent) != len(want) {
		t.Errorf("%q: %v, %d values, want %d", name, err, len(f64), len(want))
		return
	}
	i64, err := s.Int64(name)
	for i, w := range want {
		text := fmt.Sprint(w)
		x, e := strconv.ParseFloat(text, 64)
		if b, ok := w.(bool); ok {
			x, e = map[bool]float64{true: 1}[b], nil
			text = fmt.Sprint(int64(x))
		}
		if e != nil {
			t.Fatal(e)
		}
		if !same(f64[i], x) || !same(float64(f32[i]), float64(float32(x))) || math.Float32bits(lent[i]) != math.Float32bits(f32[i]) {
			t.Errorf("%q[%d] = %v, %v, %v, want %v", name, i, f64[i], f32[i], lent[i], x)
		}
		if err == nil && fmt.Sprint(i64[i]) != text && fmt.Sprint(uint64(i64[i])) != text {
			t.Errorf("%q[%d] = %d, want %s", name, i, i64[i], text)
		}
	}
}

// same compares bits, except those of NaN.
func same(a, b float64) bool {
	return a != a && b != b || math.Float64bits(a) == math.Float64bits(b)
}

// Tensors that lie in order share the memory of the file.
func TestTorchLendsTheFile(t *testing.T) {
	b, err := os.ReadFile("testdata/torch/zip.pt")
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenBytes("zip.pt", b)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"view.whole", "view.flat", "view.rows"} {
		raw, err := s.Bytes(name)
		if err != nil {
			t.Fatal(err)
		}
		whole, _ := s.Bytes("view.whole")
		at := map[string]int{"view.rows": 24}[name]
		if &raw[0] != &whole[at] {
			t.Errorf("%s is a copy", name)
		}
	}
}

func TestTorchRefuses(t *testing.T) {
	tests := []struct{ file, want string }{
		{"refused_module.pt", "calls torch.nn.modules.container.Sequential"},
		{"refused_jit.pt", "torch.jit.save"},
		{"refused_deflated.pt", "is compressed"},
	}
	for _, tt := range tests {
		_, err := Open("testdata/torch/" + tt.file)
		var fe *FormatError
		if !errors.As(err, &fe) || !strings.Contains(err.Error(), tt.file) || !strings.Contains(err.Error(), tt.want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", tt.file, err, tt.want)
		}
	}
}

// What a trainer keeps beside the weights is there and is not called unexpected.
func TestTorchLightning(t *testing.T) {
	s := open(t, "testdata/torch/lightning.ckpt")
	for _, name := range s.Names() {
		if strings.HasPrefix(name, "model.") || name == "betas" {
			if _, err := s.Float32(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	if x, err := s.Float32("optimizer_states.0.state.0.exp_avg", 2); err != nil || x[0] != 1 {
		t.Errorf("state of the optimiser: %v, %v", x, err)
	}
}

func TestUseEMA(t *testing.T) {
	s := open(t, "testdata/torch/lightning.ckpt")
	v, err := s.UseEMA()
	if err != nil {
		t.Fatal(err)
	}
	if v.Format() != "torch zip" {
		t.Errorf("format %q", v.Format())
	}
	for name, average := range map[string]string{
		"model.diffusion_model.time_embed.0.weight":   "model_ema.diffusion_modeltime_embed0weight",
		"model.diffusion_model.input_blocks.0.0.bias": "model_ema.diffusion_modelinput_blocks00bias",
		"model.diffusion_model.out.2.weight":          "model_ema.diffusion_modelout2weight",
		"betas":                                       "betas",
	} {
		got, err1 := v.Float32(name)
		want, err2 := s.Float32(average)
		raw, _ := s.Float32(name)
		if err1 != nil || err2 != nil || !slices.Equal(got, want) || v.Source(name) != average {
			t.Errorf("%s is %s: %v, want %v (%v, %v)", name, v.Source(name), got, want, err1, err2)
		}
		if name != "betas" && slices.Equal(got, raw) {
			t.Errorf("%s is not the average", name)
		}
	}
	for _, name := range v.Names() {
		if strings.HasPrefix(name, "model_ema.") {
			t.Errorf("%s is left", name)
		}
	}
	if s.Identity() == v.Identity() {
		t.Error("parameters and averages have one identity")
	}

	ones := func(names ...string) *Store {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		var tensors []safetensors.Named
		for _, n := range names {
			n, odd := strings.CutSuffix(n, "!")
			x := safetensors.NamedF32(n, []float32{1}, 1)
			if odd {
				x = safetensors.NamedF32(n, []float32{1, 2}, 2)
			}
			tensors = append(tensors, x)
		}
		if err := safetensors.Write(path, tensors, nil); err != nil {
			t.Fatal(err)
		}
		return open(t, path)
	}
	for want, s := range map[string]*Store{
		"holds no moving averages": ones("model.diffusion_model.out.2.bias", "model_ema.decay",
			"model_ema.num_updates"),
		"holds no moving average of model.diffusion_model.out.0.bias": ones("model.diffusion_model.out.0.bias",
			"model.diffusion_model.out.2.bias", "model_ema.diffusion_modelout2bias"),
		"not the parameters": ones("model_ema.diffusion_modelout2bias"),
		"shape [1], its moving": ones("model.diffusion_model.out.2.bias",
			"model_ema.diffusion_modelout2bias!"),
		"could be the moving": ones("model.a.11.b", "model.a.1.1.b", "model_ema.a11b"),
	} {
		if _, err := s.UseEMA(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.File()) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A copy of a file has its identity, and two files with other tensors on the same storages have not.
func TestTorchIdentity(t *testing.T) {
	a := open(t, "testdata/torch/zip_protocol2.pt")
	if a.Identity() == "" {
		t.Error("no identity")
	}
	views := map[string]bool{}
	for _, name := range []string{"w", "n"} {
		v, err := a.Rename(func(n string) (string, bool) { return "x", n == name })
		if err != nil {
			t.Fatal(err)
		}
		views[v.Identity()] = true
	}
	if len(views) != 2 {
		t.Error("views of two tensors have one identity")
	}
	b, err := OpenBytes("memory", []byte("PK\x03\x04"))
	if err == nil {
		t.Errorf("opened %v", b)
	}
}

// Verify finds what Open does not look at.
func TestTorchVerify(t *testing.T) {
	b, err := os.ReadFile("testdata/torch/zip_protocol2.pt")
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenBytes("damaged", b)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.Bytes("n")
	if err != nil {
		t.Fatal(err)
	}
	raw[0]++ // b, since OpenBytes keeps it
	if err := s.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), `damaged: "zip_protocol2/data/1" is damaged`) {
		t.Errorf("%v", err)
	}
}

// Damage in front of a storage is found when the storage is asked for.
func TestTorchDamagedMember(t *testing.T) {
	whole, err := os.ReadFile("testdata/torch/zip_protocol2.pt")
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(whole, []byte("zip_protocol2/data/1"))
	for name, place := range map[string]int{"signature": at - 30, "length of the name": at - 4, "length of the field behind it": at - 1,
		"name": at + 3} {
		b := bytes.Clone(whole)
		b[place] ^= 0x80
		s, err := OpenBytes("damaged.pt", b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := s.Float32("w"); err != nil {
			t.Errorf("%s: the other tensor: %v", name, err)
		}
		_, err1 := s.Int64("n")
		for _, err := range []error{err1, s.Verify(t.Context())} {
			if err == nil || !strings.Contains(err.Error(), "damaged.pt: ") || !strings.Contains(err.Error(), "damaged") ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
