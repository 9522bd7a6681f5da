package percept

import (
	"image"
	"image/color"
	"testing"
)

func TestImagesRoundTrip(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 256 {
		m.Set(i%16, i/16, color.RGBA{uint8(i), uint8(255 - i), uint8(7 * i), 255})
	}
	x, h, w, err := FromImages([]image.Image{m, m})
	if err != nil {
		t.Fatal(err)
	}
	if len(x) != 2*3*16*16 || h != 16 || w != 16 {
		t.Fatalf("%d values, %d×%d", len(x), h, w)
	}
	if x[0] != -1 || x[255] != 1 {
		t.Errorf("first red values %v … %v, want -1 … 1", x[0], x[255])
	}
	back, err := ToImages(x, 2, h, w)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Pix {
		if back[1].Pix[i] != m.Pix[i] {
			t.Fatalf("byte %d: %d came back as %d", i, m.Pix[i], back[1].Pix[i])
		}
	}
}

func TestFromImagesRejects(t *testing.T) {
	if _, _, _, err := FromImages(nil); err == nil {
		t.Error("no pictures: no error")
	}
	a, b := image.NewRGBA(image.Rect(0, 0, 8, 8)), image.NewRGBA(image.Rect(0, 0, 8, 9))
	if _, _, _, err := FromImages([]image.Image{a, b}); err == nil {
		t.Error("two sizes: no error")
	}
}
