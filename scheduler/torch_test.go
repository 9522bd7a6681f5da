package scheduler_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"percept/scheduler"
)

// torchCalls are calls on one generator, as torch_noise.py wrote them.
type torchCalls struct {
	Seed  string
	Calls []struct {
		Kind   string
		N      int
		SHA256 string
		At     []int    // which values bits has; none means all
		Bits   []string // hexadecimal
	}
}

type torchFile struct {
	Latents map[string]string `json:"latent_sha256"`
	Cases   []torchCalls
}

func bytesOf(x []float32) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func hash(x []float32) string {
	sum := sha256.Sum256(bytesOf(x))
	return hex.EncodeToString(sum[:])
}

// normal returns n values of a seed.
func normal(seed uint64, n int) []float32 {
	x := make([]float32, n)
	scheduler.NewTorch(seed).Randn(x)
	return x
}

func seed(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTorchDrawsWhatTorchDraws(t *testing.T) {
	var file torchFile
	readJSON(t, "torch_noise.json", &file)
	compareWithTorch(t, file, (*scheduler.Torch).Randn)
}

func TestTorchDrawsWhatPlainTorchDraws(t *testing.T) {
	var file torchFile
	readJSON(t, "torch_noise_scalar.json", &file)
	compareWithTorch(t, file, (*scheduler.Torch).RandnScalar)
}

func compareWithTorch(t *testing.T, file torchFile, randn func(*scheduler.Torch, []float32)) {
	t.Helper()
	if len(file.Cases) < 80 || len(file.Latents) < 4 {
		t.Fatalf("%d cases, %d latents", len(file.Cases), len(file.Latents))
	}
	for _, c := range file.Cases {
		g := scheduler.NewTorch(seed(t, c.Seed))
		for i, call := range c.Calls {
			x := make([]float32, call.N)
			switch call.Kind {
			case "randn":
				randn(g, x)
			case "rand":
				g.Rand(x)
			default:
				t.Fatalf("call %q", call.Kind)
			}
			what := fmt.Sprintf("seed %s, call %d, %s(%d)", c.Seed, i, call.Kind, call.N)
			for j, want := range call.Bits {
				at := j
				if len(call.At) > 0 {
					at = call.At[j]
				}
				if got := strconv.FormatUint(uint64(math.Float32bits(x[at])), 16); got != want {
					t.Errorf("%s: value %d is %s, want %s", what, at, got, want)
				}
			}
			if hash(x) != call.SHA256 {
				t.Errorf("%s: not torch's bits", what)
			}
		}
	}
	// torch.manual_seed(s); torch.randn(1, 4, 64, 64)
	for s, want := range file.Latents {
		x := make([]float32, 4*64*64)
		randn(scheduler.NewTorch(seed(t, s)), x)
		if got := hash(x); got != want {
			t.Errorf("seed %s: latent %s, want %s", s, got, want)
		}
	}
}

// The first values that every introduction to torch prints: torch.manual_seed(0); torch.randn(5) and
// torch.rand(3), and seed 42.
func TestTorchKnownValues(t *testing.T) {
	x := make([]float32, 5)
	scheduler.NewTorch(0).Randn(x)
	near(t, "seed 0", x, []float32{1.5410, -0.2934, -2.1788, 0.5684, -1.0845}, 5e-5)
	scheduler.NewTorch(0).Rand(x[:3])
	near(t, "seed 0, rand", x[:3], []float32{0.4963, 0.7682, 0.0885}, 5e-5)
	scheduler.NewTorch(42).Randn(x)
	near(t, "seed 42", x, []float32{0.3367, 0.1288, 0.2345, 0.2303, -1.1229}, 5e-5)
}

func TestTorchSeeds(t *testing.T) {
	x, y := make([]float32, 100), make([]float32, 100)
	scheduler.NewTorch(7).Randn(x)
	scheduler.NewTorch(7 + 5<<32).Randn(y)
	if !slices.Equal(x, y) {
		t.Error("the high 32 bits of a seed count; torch ignores them")
	}
	scheduler.NewTorch(8).Randn(y)
	if slices.Equal(x, y) {
		t.Error("two seeds give the same values")
	}
	scheduler.NewTorch(7).Randn(nil)
}

func BenchmarkTorchRandn(b *testing.B) {
	x := make([]float32, 4*64*64)
	b.SetBytes(int64(4 * len(x)))
	for b.Loop() {
		scheduler.NewTorch(1).Randn(x)
	}
}
