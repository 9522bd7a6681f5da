package kernel

import (
	"fmt"
	"math"
	"testing"

	"percept/internal/half"
)

// All 65536 values widen to the same bits in every set, and narrow back to what they were.
func TestWiden(t *testing.T) {
	all := make([]uint16, 1<<16)
	for i := range all {
		all[i] = uint16(i)
	}
	want := [2][]float32{make([]float32, len(all)), make([]float32, len(all))}
	widenF16Generic(want[0], all)
	widenBF16Generic(want[1], all)
	for i := range all {
		if v := want[0][i]; v == v && half.ToF16(v) != all[i] {
			t.Fatalf("float16 %#04x is %v and narrows to %#04x", i, v, half.ToF16(v))
		}
		if v := want[1][i]; v == v && half.ToBF16(v) != all[i] {
			t.Fatalf("bfloat16 %#04x is %v and narrows to %#04x", i, v, half.ToBF16(v))
		}
	}
	each(t, func(t *testing.T, s *Set) {
		for k, widen := range []func([]float32, []uint16){s.WidenF16, s.WidenBF16} {
			for _, n := range []int{0, 1, 3, 7, 8, 15, 16, 17, 33, 48, 100, len(all)} {
				for _, from := range []int{0, 1, len(all) - n} {
					if from+n > len(all) {
						continue
					}
					y := guardedSlice(newRand(), n, n%3)
					widen(y.x, all[from:from+n])
					for i, v := range y.x {
						if math.Float32bits(v) != math.Float32bits(want[k][from+i]) {
							t.Fatalf("%d of %d: %#04x is %v, want %v", k, n, all[from+i], v, want[k][from+i])
						}
					}
					// The guards are NaN, and so are some of the values: check looks at the guards alone.
					y.check(t, fmt.Sprint("widen ", k, n))
				}
			}
		}
	})
}

// Narrowing rounds to the nearest, ties to even.
func TestNarrow(t *testing.T) {
	for _, c := range []struct {
		x      float32
		f16, b uint16
	}{
		{1, 0x3C00, 0x3F80}, {-2, 0xC000, 0xC000}, {1 + 0x1p-11, 0x3C00, 0x3F80}, {1 + 0x1p-11 + 0x1p-20, 0x3C01, 0x3F80},
		{1 + 3*0x1p-11, 0x3C02, 0x3F80}, {1 + 0x1p-8, 0x3C04, 0x3F80}, {1 + 3*0x1p-8, 0x3C0C, 0x3F82}, {65519.996, 0x7BFF, 0x4780},
		{65520, 0x7C00, 0x4780}, {0x1p-24, 1, 0x3380}, {0x1p-25, 0, 0x3300}, {0, 0, 0}, {float32(math.Copysign(0, -1)), 0x8000, 0x8000},
		{float32(math.Inf(1)), 0x7C00, 0x7F80}, {math.MaxFloat32, 0x7C00, 0x7F80},
	} {
		if f, b := half.ToF16(c.x), half.ToBF16(c.x); f != c.f16 || b != c.b {
			t.Errorf("%v is %#04x and %#04x, want %#04x and %#04x", c.x, f, b, c.f16, c.b)
		}
	}
}
