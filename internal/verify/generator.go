package verify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"percept/internal/filesum"
	"percept/weights/safetensors"
	"percept/weights/synth"
)

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
func topCases(s *set) []Case {
	s.has("README.md")
	var cases []Case
	if s.has("SHA256SUMS") {
		cases = append(cases, Case{Name: "SHA256SUMS: files of the set", run: verifySums})
	}
	if s.want("generator_checks.json") {
		cases = append(cases, Case{Name: "generator: parameters", run: generatorParameters}, Case{Name: "generator: inputs", run: generatorInputs})
	}
	return cases
}

// verifySums checks that the set is what was published: every listed file has its sum, and no other file is there.
func verifySums(ctx context.Context, c *check) {
	b, err := c.set.read("SHA256SUMS")
	c.must(err)
	listed := map[string]bool{"SHA256SUMS": true, "README.md": true}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		c.must(ctx.Err())
		sum, file, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			c.problem("SHA256SUMS: line %q, want a sum, two blanks and a file", lines.Text())
			continue
		}
		listed[file] = true
		if _, ok := c.set.files[file]; !ok {
			c.problem("%s: listed in SHA256SUMS, not in the set", file)
			continue
		}
		got, err := filesum.Hex(c.set.path(file))
		c.must(err)
		c.that(got == sum, "%s: SHA-256 %s, SHA256SUMS says %s", file, got, sum)
	}
	for file := range c.set.files {
		if !listed[file] {
			c.problem("%s: not listed in SHA256SUMS", file)
		}
	}
}

// sha256F32 is the sum of float32 values as little-endian bytes.
func sha256F32(x []float32) string {
	sum := sha256.Sum256(safetensors.NamedF32("", x).Data)
	return hex.EncodeToString(sum[:])
}

func generatorParameters(ctx context.Context, c *check) {
	var g generatorChecks
	c.json("generator_checks.json", &g)
	seed := c.seed()
	for _, p := range g.Parameters {
		c.must(ctx.Err())
		component, name, ok := splitComponent(p.Name)
		if !ok {
			c.problem("%s: unknown component", p.Name)
			continue
		}
		norm, scale := synth.Rule(p.Name, p.Shape)
		c.that(norm == (p.Rule == "norm") && bits(scale) == p.ScaleBits, "%s: rule or scale %g, the reference has %s %g", p.Name, scale, p.Rule, p.Scale)
		x, err := synth.New(component, seed).Float32(name, p.Shape...)
		c.must(err)
		c.generated(p, x)
		sum := 0.0
		for _, v := range x {
			sum += float64(v)
		}
		c.that(math.Abs(sum-p.Sum) <= 1e-9*math.Sqrt(float64(len(x)+1)), "%s: sum %g, the reference has %g", p.Name, sum, p.Sum)
	}
}

func generatorInputs(_ context.Context, c *check) {
	var g generatorChecks
	c.json("generator_checks.json", &g)
	seed := c.seed()
	for _, p := range g.Inputs {
		n := 1
		for _, d := range p.Shape {
			n *= d
		}
		c.generated(p, synth.Input(strings.TrimPrefix(p.Name, "input."), seed, float32(p.Scale), n))
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
	got := sha256F32(x)
	c.that(got == p.SHA256, "%s: SHA-256 %s, the reference has %s", p.Name, got, p.SHA256)
}

func bits(v float32) string { return fmt.Sprintf("0x%08x", math.Float32bits(v)) }

// components are those whose parameters are generated; a longer name comes before its own beginning.
var components = []string{"nano.unet", "nano.vae", "nano.text_encoder", "unet", "vae", "text_encoder", "alexnet", "inception_v3", "clip_vision"}

func splitComponent(hashed string) (component, name string, ok bool) {
	for _, c := range components {
		if tail, ok := strings.CutPrefix(hashed, c+"."); ok {
			return c, tail, true
		}
	}
	return "", "", false
}

// inputScale reads the scale of a generated input: a number or "sqrt(3)".
func inputScale(v any) (float32, error) {
	switch v := v.(type) {
	case float64:
		return float32(v), nil
	case string:
		if v == "sqrt(3)" {
			return float32(math.Sqrt(3)), nil
		}
		f, err := strconv.ParseFloat(v, 32)
		return float32(f), err
	}
	return 0, fmt.Errorf("scale %v, want a number or sqrt(3)", v)
}
