package verify

import (
	"encoding/json"
	"errors"
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
func formatCases(s *set) []testCase {
	var manifest map[string]formatEntry
	if err := s.json(formatManifest, &manifest); err != nil {
		s.lacks(formatManifest, err)
	}
	var cases []testCase
	for _, name := range slices.Sorted(maps.Keys(manifest)) {
		if !s.has("formats/" + name) {
			s.lacks("formats/"+name, errors.New("no such file in the set"))
			continue
		}
		cases = append(cases, testCase{"formats: " + name, func(c *check) { formatFile(c, name, manifest[name]) }})
	}
	return cases
}

func formatFile(c *check, name string, e formatEntry) {
	file := "formats/" + name
	switch {
	case name == "half_tables.safetensors":
		halfTables(c, file)
	case name == "half_rounding.safetensors":
		halfRounding(c, file)
	case strings.HasPrefix(name, "st_"):
		safetensorsFile(c, file, e)
	case strings.HasPrefix(name, "model_"):
		modelFile(c, file, e)
	default:
		arrayFile(c, file, name, e)
	}
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
			c.that(strings.Contains(err.Error(), c.set.path(file)) && !strings.Contains(err.Error(), "\n"),
				"the error is not one line that names the file: %v", err)
		}
		return
	}
	c.must(err)
	for name, want := range e.Expect {
		got := must(st.Float64(name))
		c.that(slices.Equal(got, flatten(want)), "%q is %v, the reference has %v", name, got, want)
	}
	for name, want := range e.ExpectF32 {
		ref := make([]float32, len(want))
		for i, b := range want {
			ref[i] = math.Float32frombits(b)
		}
		c.bits(name, must(st.Float32(name)), ref)
	}
	for name, want := range e.ExpectInt {
		got := must(st.Int64(name))
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

// modelProblems is what has to be reported of each file of weights for one model.
var modelProblems = map[string]string{
	"model_ok": "", "model_missing_key": "missing", "model_wrong_shape": "misshapen", "model_extra_key": "unexpected",
	"model_nan": "not finite",
}

// modelFile checks a file as the weights of the model of model_ok.safetensors.
func modelFile(c *check, file string, e formatEntry) {
	ok := c.checkpoint("formats/model_ok.safetensors")
	shapes := map[string][]int{}
	for _, name := range ok.Names() {
		_, shapes[name], _ = ok.Info(name)
	}
	problem, known := modelProblems[strings.TrimSuffix(strings.TrimPrefix(file, "formats/"), ".safetensors")]
	if !known {
		c.problem("unknown kind of model file: %s", e.What)
		return
	}
	err := c.checkpoint(file).CheckAgainst(shapes)
	if problem == "" {
		c.that(err == nil, "%v", err)
		return
	}
	// The manifest's remark begins with the name of the tensor.
	tensor, _, _ := strings.Cut(e.What, " ")
	c.that(err != nil && strings.Contains(err.Error(), problem) && strings.Contains(err.Error(), tensor),
		"%v, expected a report of %s %s", err, problem, tensor)
}

func halfTables(c *check, file string) {
	patterns := c.ints(file, "bits_u16_as_i32")
	c.halves(file, "f16_to_f32_bits", func(i int, w int64) (got, want float32) {
		return half.FromF16(uint16(patterns[i])), math.Float32frombits(uint32(w))
	})
	c.halves(file, "bf16_to_f32_bits", func(i int, w int64) (got, want float32) {
		return half.FromBF16(uint16(patterns[i])), math.Float32frombits(uint32(w))
	})
}

func halfRounding(c *check, file string) {
	x := c.float32s(file, "f32")
	c.halves(file, "to_f16_bits", func(i int, w int64) (got, want float32) { // widening is exact, and any NaN will do
		return half.FromF16(half.ToF16(x[i])), half.FromF16(uint16(w))
	})
	c.halves(file, "to_bf16_bits", func(i int, w int64) (got, want float32) {
		return half.FromBF16(half.ToBF16(x[i])), half.FromBF16(uint16(w))
	})
}

// halves compares what is made of each value of a tensor.
func (c *check) halves(file, name string, of func(i int, stored int64) (got, want float32)) {
	stored := c.ints(file, name)
	got, want := make([]float32, len(stored)), make([]float32, len(stored))
	for i, w := range stored {
		got[i], want[i] = of(i, w)
	}
	c.bits(name, got, want)
}
