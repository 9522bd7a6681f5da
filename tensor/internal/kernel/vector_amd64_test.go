package kernel

import (
	"math"
	"testing"
)

// What only the assembly reads: every lane of a constant holds it, and the masks are all ones, then zeros.
func TestTables(t *testing.T) {
	for i, c := range constants {
		for _, v := range c {
			if math.Float32bits(v) != math.Float32bits(c[0]) {
				t.Errorf("constant %d: %v", i, c)
			}
		}
	}
	for i, m := range tailMasks {
		if (i < 8) != (m == -1) {
			t.Errorf("mask %d = %d", i, m)
		}
	}
}

// What the assembly reads is exact in float32, as the plain Go version takes it to be.
func TestWinogradConstants(t *testing.T) {
	const pp, qq, p, q = winogradPP, winogradQQ, winogradP, winogradQ
	for i, want := range []float64{pp * qq, pp + qq, pp, qq, p, q, pp * p, qq * q} {
		if got := float64(winogradConstants[i]); got != want {
			t.Errorf("constant %d is %v, want %v", i, got, want)
		}
	}
}

func TestExp2Constants(t *testing.T) {
	for i, c := range exp2Constants {
		for _, v := range c {
			if v != c[0] {
				t.Errorf("row %d is not one number: %v", i, c)
			}
		}
	}
	if last := exp2Constants[len(exp2Constants)-1][0]; last != 1 {
		t.Errorf("2^x begins with %v, want 1", last)
	}
}
