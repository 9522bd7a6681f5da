package ridge

import (
	"math"
	"slices"
	"strings"
	"testing"

	"percept/tensor/linalg"
)

// testdata/split.safetensors is by testdata/split.py, himalaya 0.4.11.
func TestSplitGolden(t *testing.T) {
	g := openFile(t, "testdata/split.safetensors")
	y, all := g.matrix("y"), g.float64s("parts")
	half := len(all) / 2
	parts := []dense{linalg.Of(all[:half], y.Rows, y.Cols), linalg.Of(all[half:], y.Rows, y.Cols)}
	r2, err := SplitR2(y, parts)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "R²", slices.Concat(r2...), g.float64s("r2"), 1e-12)
	r, err := SplitCorrelation(y, parts)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "r", slices.Concat(r...), g.float64s("correlation"), 1e-12)

	// They add up to the score of the whole.
	whole, shifted := linalg.New[float32](y.Rows, y.Cols), linalg.New[float32](y.Rows, y.Cols)
	mean := columnMeans(y)
	for i := range whole.Data {
		v := parts[0].Data[i] + parts[1].Data[i]
		whole.Data[i], shifted.Data[i] = float32(v), float32(v+mean[i%y.Cols])
	}
	for name, c := range map[string]struct {
		score Score
		p     linalg.Matrix[float32]
		split [][]float64
	}{"R²": {R2, shifted, r2}, "r": {Correlation, whole, r}} {
		want, err := c.score.Of(y, c.p)
		if err != nil {
			t.Fatal(err)
		}
		for j := range want {
			if d := math.Abs(c.split[0][j] + c.split[1][j] - want[j]); d > 1e-6 {
				t.Errorf("%s of target %d: parts add up to %v, want %v", name, j, c.split[0][j]+c.split[1][j], want[j])
			}
		}
	}
}

func TestSplitRejects(t *testing.T) {
	y := linalg.New[float32](3, 2)
	for name, c := range map[string]struct {
		parts []dense
		want  string
	}{
		"none":  {nil, "no parts"},
		"shape": {[]dense{newDense(2, 3)}, "part 0 is 2×3, expected 3×2"},
		"nan":   {[]dense{linalg.Of([]float64{0, 0, math.NaN(), 0, 0, 0}, 3, 2)}, "row 1, column 0 is NaN"},
	} {
		if _, err := SplitR2(y, c.parts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
