package verify

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"percept/internal/filesum"
	"percept/weights/safetensors"
	"percept/weights/synth"
)

const generatorFile = "generator_checks.json"

// generatorChecks is generator_checks.json.
type generatorChecks struct {
	Seed       string           `json:"global_seed_hex"`
	Parameters []generatorCheck `json:"parameters"`
	Inputs     []generatorCheck `json:"inputs"`
}

type generatorCheck struct {
	Name      string    `json:"hashed_name"`
	Shape     []int     `json:"shape"`
	ReLU      bool      `json:"relu_net"`
	Rule      string    `json:"rule"`
	ScaleBits string    `json:"scale_f32_bits"`
	Scale     float64   `json:"scale"`
	Seed      string    `json:"seed_hex"`
	First     []float64 `json:"first5"`
	FirstBits []string  `json:"first5_f32_bits"`
	LastBits  string    `json:"last_f32_bits"`
	Sum       float64   `json:"sum_f64"`
	SHA256    string    `json:"sha256_f32_le"`
}

// topCases are those of the files at the top of a set.
func topCases(s *set) []testCase {
	s.path("README.md")
	cases := []testCase{{"generator: parameters", generatorParameters}, {"generator: inputs", generatorInputs}}
	if s.has("SHA256SUMS") {
		cases = slices.Insert(cases, 0, testCase{"SHA256SUMS: files of the set", verifySums})
	}
	return cases
}

// verifySums checks that the set is what was published: every listed file has its sum, and no other file is there.
func verifySums(c *check) {
	listed := map[string]bool{"SHA256SUMS": true, "README.md": true}
	for lines := bufio.NewScanner(bytes.NewReader(must(c.set.read("SHA256SUMS")))); lines.Scan(); {
		c.must(c.ctx.Err())
		sum, file, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			c.problem("SHA256SUMS: line %q, expected a sum, two blanks and a file", lines.Text())
			continue
		}
		listed[file] = true
		if !c.set.has(file) {
			c.problem("%s: listed in SHA256SUMS, not in the set", file)
			continue
		}
		got := must(filesum.Hex(filepath.Join(c.set.dir, filepath.FromSlash(file)))) // which makes it no known one
		c.that(got == sum, "%s: SHA-256 %s, SHA256SUMS says %s", file, got, sum)
	}
	for file := range c.set.files {
		if !listed[file] {
			c.problem("%s: not listed in SHA256SUMS", file)
		}
	}
}

// sha256F32 is the sum of float32 values as little-endian bytes.
func sha256F32(x []float32) string { return sha256Of(safetensors.NamedF32("", x).Data) }

func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func generatorParameters(c *check) {
	seed := c.seed()
	for _, p := range fromJSON[generatorChecks](c, generatorFile).Parameters {
		c.must(c.ctx.Err())
		component, name, ok := splitComponent(p.Name)
		if !ok {
			c.problem("%s: unknown component", p.Name)
			continue
		}
		norm, scale := synth.Rule(p.Name, p.Shape)
		c.that(norm == (p.Rule == "norm") && bits(scale) == p.ScaleBits,
			"%s: rule or scale %g, the reference has %s %g", p.Name, scale, p.Rule, p.Scale)
		x := must(synth.New(component, seed).Float32(name, p.Shape...))
		c.generated(p, x)
		sum := 0.0
		for _, v := range x {
			sum += float64(v)
		}
		c.that(math.Abs(sum-p.Sum) <= 1e-9*math.Sqrt(float64(len(x)+1)), "%s: sum %g, the reference has %g", p.Name, sum, p.Sum)
	}
}

func generatorInputs(c *check) {
	seed := c.seed()
	for _, p := range fromJSON[generatorChecks](c, generatorFile).Inputs {
		c.generated(p, synth.Input(strings.TrimPrefix(p.Name, "input."), seed, float32(p.Scale), size(p.Shape)))
	}
}

// generated compares a generated tensor with the listed bits and sum.
func (c *check) generated(p generatorCheck, x []float32) {
	for i, want := range p.FirstBits {
		if i < len(x) && bits(x[i]) != want {
			c.problem("%s[%d] is %g (%s), the reference has %s", p.Name, i, x[i], bits(x[i]), want)
		}
	}
	if p.LastBits != "" && len(x) > 0 && bits(x[len(x)-1]) != p.LastBits {
		c.problem("%s: last value %g (%s), the reference has %s", p.Name, x[len(x)-1], bits(x[len(x)-1]), p.LastBits)
	}
	sum := sha256F32(x)
	c.that(sum == p.SHA256, "%s: SHA-256 %s, the reference has %s", p.Name, sum, p.SHA256)
}

func bits(v float32) string { return fmt.Sprintf("0x%08x", math.Float32bits(v)) }

// components are those whose parameters are generated; a longer name comes before its own beginning.
var components = []string{"nano.unet", "nano.vae", "nano.text_encoder", "unet", "vae", "text_encoder", "alexnet", "inception_v3",
	"clip_vision"}

func splitComponent(hashed string) (component, name string, ok bool) {
	for _, c := range components {
		if tail, ok := strings.CutPrefix(hashed, c+"."); ok {
			return c, tail, true
		}
	}
	return "", "", false
}
