package picture

import (
	"bytes"
	"image"
	"testing"
)

// The vector kernels give the bits of the plain ones, for every width up to a few groups and beyond.
func TestResizeVectors(t *testing.T) {
	if !vectors {
		t.Log("no AVX2 here: nothing to compare")
		return
	}
	defer func() { vectors = true }()
	for _, f := range filters()[:5] {
		for w := 1; w <= 37; w += 3 {
			for h := 1; h <= 11; h += 2 {
				whole := noisy(w+3, h+2, uint64(w*h))
				m := whole.SubImage(image.Rect(2, 1, 2+w, 1+h)).(*image.RGBA)
				for _, out := range [][2]int{{1, 1}, {17, 13}, {40, 2}, {w + 1, h + 1}} {
					vectors = true
					got := Resize(m, out[0], out[1], f)
					vectors = false
					if want := Resize(m, out[0], out[1], f); !bytes.Equal(got.Pix, want.Pix) {
						t.Fatalf("%s, %d×%d to %v: vectors give other pixels", f, w, h, out)
					}
				}
			}
		}
	}
	// The largest sums: black and white in turn under filters that overshoot.
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range m.Pix {
		m.Pix[i] = uint8(255 * (i / 4 / 3 % 2))
	}
	for _, size := range []int{65, 127, 300} {
		vectors = true
		got := Resize(m, size, size, Lanczos)
		vectors = false
		if want := Resize(m, size, size, Lanczos); !bytes.Equal(got.Pix, want.Pix) {
			t.Fatalf("stripes to %d: vectors give other pixels", size)
		}
	}
}
