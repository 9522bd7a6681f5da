package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

// synthCheck is one tensor of ../testdata/generator_checks.json, computed with numpy.
type synthCheck struct {
	Name   string  `json:"hashed_name"`
	Shape  []int   `json:"shape"`
	Rule   string  `json:"rule"`
	Scale  float64 `json:"scale"`
	SHA256 string  `json:"sha256_f32_le"`
}

// sha256F32 is the sum of the float32 values as little-endian bytes.
func sha256F32(x []float32) string {
	sum := sha256.Sum256(safetensors.NamedF32("", x).Data)
	return hex.EncodeToString(sum[:])
}

func TestWeightsEqualNumpy(t *testing.T) {
	b, err := os.ReadFile("../testdata/generator_checks.json")
	if err != nil {
		t.Fatal(err)
	}
	var checks struct {
		Seed       string       `json:"global_seed_hex"`
		Parameters []synthCheck `json:"parameters"`
		Inputs     []synthCheck `json:"inputs"`
	}
	if err := json.Unmarshal(b, &checks); err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(checks.Seed, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range checks.Parameters {
		component, name, _ := strings.Cut(c.Name, ".")
		x, err := New(component, seed).Float32(name, c.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		if norm, scale := Rule(c.Name, c.Shape); float64(scale) != c.Scale || norm != (c.Rule == "norm") {
			t.Errorf("%s: rule %v %g, want %s %g", c.Name, norm, scale, c.Rule, c.Scale)
		}
		if got := sha256F32(x); got != c.SHA256 {
			t.Errorf("%s: SHA-256 %s, want %s", c.Name, got, c.SHA256)
		}
	}
	for _, c := range checks.Inputs {
		n, err := safetensors.Elements(c.Shape)
		if err != nil {
			t.Fatal(err)
		}
		scale := float32(1)
		if c.Scale != 1 {
			scale = float32(math.Sqrt(3))
		}
		if got := sha256F32(Input(strings.TrimPrefix(c.Name, "input."), seed, scale, n)); got != c.SHA256 {
			t.Errorf("%s: SHA-256 %s, want %s", c.Name, got, c.SHA256)
		}
	}
}

func TestWeightsRejectShape(t *testing.T) {
	if _, err := New("unet", 1).Float32("x", -1, 2); err == nil {
		t.Error("negative dimension accepted")
	}
}
