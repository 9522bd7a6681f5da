package picture

import (
	"image"
	"testing"
)

func TestCenterCrop(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 9, 6))
	for i := range 9 * 6 {
		m.Pix[4*i], m.Pix[4*i+1] = uint8(i%9+1), uint8(i/9+1)
	}
	// First and last pixel by torchvision 0.29.2, transforms.CenterCrop((h, w)).
	for _, c := range []struct {
		w, h          int
		first, last   [2]uint8
		width, height int
	}{
		{9, 6, [2]uint8{1, 1}, [2]uint8{9, 6}, 9, 6},
		{6, 3, [2]uint8{3, 3}, [2]uint8{8, 5}, 6, 3}, // 1.5 to 2 both times
		{4, 1, [2]uint8{3, 3}, [2]uint8{6, 3}, 4, 1}, // 2.5 to 2 both times
		{8, 6, [2]uint8{1, 1}, [2]uint8{8, 6}, 8, 6}, // 0.5 to 0
		{11, 9, [2]uint8{0, 0}, [2]uint8{0, 0}, 11, 9},
	} {
		got := CenterCrop(m, c.w, c.h)
		first, last := [2]uint8(got.Pix[:2]), [2]uint8(got.Pix[len(got.Pix)-4:][:2])
		if first != c.first || last != c.last || got.Rect.Max != image.Pt(c.width, c.height) || !got.Opaque() {
			t.Errorf("%d×%d: from %v to %v, want %v to %v", c.w, c.h, first, last, c.first, c.last)
		}
	}
	if wide := CenterCrop(m, 12, 9); wide.RGBAAt(1, 1).R != 1 || wide.RGBAAt(0, 1).R != 0 || wide.RGBAAt(9, 6).R != 9 {
		t.Error("a picture that is too small does not lie in the middle")
	}
}

func TestResizeEdge(t *testing.T) {
	for _, c := range [][4]int{{90, 70, 123, 96}, {70, 90, 96, 123}, {50, 50, 96, 96}, {640, 425, 144, 96}} {
		if got := ResizeEdge(noisy(c[0], c[1], 1), 96, Bilinear).Rect.Max; got != image.Pt(c[2], c[3]) {
			t.Errorf("%d×%d became %v, want %d×%d", c[0], c[1], got, c[2], c[3])
		}
	}
}

func TestNormalize(t *testing.T) {
	x := Normalize(opaqueOf(1, 2, []byte{0, 128, 255, 10, 20, 30}), ImageNetMean, ImageNetStd)
	// torchvision 0.29.2: Normalize(mean, std)(ToTensor()(…))
	want := []float32{-2.117904, -1.9466565, 0.20518213, -1.6855742, 2.64, -1.2815688}
	for i, v := range x {
		if d := v - want[i]; d > 5e-7 || d < -5e-7 {
			t.Errorf("value %d is %v, want %v", i, v, want[i])
		}
	}
}
