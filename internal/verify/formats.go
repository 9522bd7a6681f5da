package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"percept/internal/half"
	"percept/weights"
)

const formatManifest = "formats/manifest.json"

// formatEntry is what the manifest says of one file.
type formatEntry struct {
	Valid     *bool                    `json:"valid"` // nil: either behaviour is fine
	What      string                   `json:"what"`
	Note      string                   `json:"note"`
	Expect    map[string]any           `json:"expect"`
	ExpectF32 map[string][]uint32      `json:"expect_f32_bits"`
	ExpectInt map[string][]json.Number `json:"expect_int"`
	Shape     []int                    `json:"shape"`
	DType     string                   `json:"dtype"`
	COrder    []float64                `json:"expect_c_order"`
	Nibabel   any                      `json:"nibabel_slope_inter"`
	Says      string                   `json:"nibabel_says"`
	Accepts   bool                     `json:"reference_library_accepts_header"`
	LibSays   string                   `json:"reference_library_says"`
}

// formatCases are those of single files, good and bad: one case a file of the manifest.
func formatCases(s *set) []Case {
	if !s.want(formatManifest) {
		return nil
	}
	var manifest map[string]formatEntry
	if err := s.json(formatManifest, &manifest); err != nil {
		s.broken = append(s.broken, unknown{formatManifest, err.Error()})
		return nil
	}
	var cases []Case
	for _, name := range slices.Sorted(maps.Keys(manifest)) {
		if !s.want("formats/" + name) {
			continue
		}
		cases = append(cases, formatCase(name, manifest[name]))
	}
	return cases
}

func formatCase(name string, e formatEntry) Case {
	title, file := "formats: "+name, "formats/"+name
	switch {
	case name == "half_tables.safetensors":
		return Case{Name: title, run: func(_ context.Context, c *check) { halfTables(c, file) }}
	case name == "half_rounding.safetensors":
		return Case{Name: title, run: func(_ context.Context, c *check) { halfRounding(c, file) }}
	case strings.HasPrefix(name, "st_"):
		return Case{Name: title, run: func(_ context.Context, c *check) { safetensorsFile(c, file, e) }}
	case strings.HasPrefix(name, "model_"):
		return Case{Name: title, run: func(_ context.Context, c *check) { modelFile(c, file, e) }}
	}
	if a, ok := arrayCase(title, name, e); ok {
		return a
	}
	return Case{Name: title, run: func(_ context.Context, c *check) { c.problem("unknown kind of file: %s", e.What) }}
}

// safetensorsFile opens a file and compares its contents, or its refusal, with the manifest.
func safetensorsFile(c *check, file string, e formatEntry) {
	st, err := weights.Open(c.set.path(file))
	if err == nil {
		defer st.Close()
	}
	if e.Valid == nil { // whatever it did, it came back
		c.comparisons++
		return
	}
	if !*e.Valid {
		c.that(err != nil, "accepted, although: %s", e.What)
		if err != nil {
			c.that(strings.Contains(err.Error(), c.set.path(file)) && !strings.Contains(err.Error(), "\n"), "the error is not one line that names the file: %v", err)
		}
		return
	}
	c.must(err)
	for name, want := range e.Expect {
		got, err := st.Float64(name)
		c.must(err)
		c.that(slices.Equal(got, flatten(want)), "%q is %v, the reference has %v", name, got, want)
	}
	for name, want := range e.ExpectF32 {
		got, err := st.Float32(name)
		c.must(err)
		ref := make([]float32, len(want))
		for i, b := range want {
			ref[i] = math.Float32frombits(b)
		}
		c.bits(name, got, ref)
	}
	for name, want := range e.ExpectInt {
		got, err := st.Int64(name)
		c.must(err)
		for i, w := range want {
			// An unsigned value above the signed ones comes with its bits.
			var u uint64
			n, err := w.Int64()
			if err != nil {
				_, err = fmt.Sscan(w.String(), &u)
				n = int64(u)
			}
			c.that(err == nil && i < len(got) && got[i] == n, "%s[%d] is %v, the reference has %s", name, i, got, w)
		}
	}
	c.comparisons++                    // that it could be opened
	for _, name := range st.Unused() { // tensors without listed values have to be readable
		_, err := st.Float64(name)
		c.that(err == nil, "%v", err)
	}
}

// flatten turns nested JSON lists into their values in C order.
func flatten(v any) []float64 {
	switch v := v.(type) {
	case []any:
		x := []float64{}
		for _, e := range v {
			x = append(x, flatten(e)...)
		}
		return x
	case float64:
		return []float64{v}
	}
	return nil
}

// modelFile checks a file as the weights of the model of model_ok.safetensors.
func modelFile(c *check, file string, e formatEntry) {
	ok, err := weights.Open(c.set.path("formats/model_ok.safetensors"))
	c.must(err)
	defer ok.Close()
	want := map[string][]int{}
	for _, name := range ok.Names() {
		_, want[name], _ = ok.Info(name)
	}
	st, err := weights.Open(c.set.path(file))
	c.must(err)
	defer st.Close()
	expected := map[string]string{"model_ok": "", "model_missing_key": "missing", "model_wrong_shape": "misshapen", "model_extra_key": "unexpected", "model_nan": "not finite"}
	problem, known := expected[strings.TrimSuffix(strings.TrimPrefix(file, "formats/"), ".safetensors")]
	if !known {
		c.problem("unknown kind of model file: %s", e.What)
		return
	}
	err = st.CheckAgainst(want)
	if problem == "" {
		c.that(err == nil, "%v", err)
		return
	}
	// The manifest's remark begins with the name of the tensor.
	tensor, _, _ := strings.Cut(e.What, " ")
	c.that(err != nil && strings.Contains(err.Error(), problem) && strings.Contains(err.Error(), tensor), "%v, want a report of %s %s", err, problem, tensor)
}

func halfTables(c *check, file string) {
	patterns := c.ints(file, "bits_u16_as_i32")
	for name, f := range map[string]func(uint16) float32{"f16_to_f32_bits": half.FromF16, "bf16_to_f32_bits": half.FromBF16} {
		want := c.ints(file, name)
		got, ref := make([]float32, len(want)), make([]float32, len(want))
		for i, w := range want {
			got[i], ref[i] = f(uint16(patterns[i])), math.Float32frombits(uint32(w))
		}
		c.bits(name, got, ref)
	}
}

func halfRounding(c *check, file string) {
	x := c.float32s(file, "f32")
	for name, f := range map[string]struct {
		to   func(float32) uint16
		from func(uint16) float32
	}{"to_f16_bits": {half.ToF16, half.FromF16}, "to_bf16_bits": {half.ToBF16, half.FromBF16}} {
		want := c.ints(file, name)
		got, ref := make([]float32, len(want)), make([]float32, len(want))
		for i, w := range want {
			got[i], ref[i] = f.from(f.to(x[i])), f.from(uint16(w)) // widening is exact, and any NaN will do
		}
		c.bits(name, got, ref)
	}
}
