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
