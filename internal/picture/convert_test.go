package picture

import (
	"image"
	"image/color"
	"math"
	"testing"
)

func TestToRGB(t *testing.T) {
	at := image.Rect(3, 2, 4, 3) // away from (0, 0)
	set := func(m interface {
		image.Image
		Set(x, y int, c color.Color)
	}, c color.Color) image.Image {
		m.Set(3, 2, c)
		return m
	}
	ycc := image.NewYCbCr(at, image.YCbCrSubsampleRatio444)
	ycc.Y[0], ycc.Cb[0], ycc.Cr[0] = 100, 200, 30
	for _, c := range []struct {
		name string
		m    image.Image
		want [3]uint8
	}{
		{"RGBA, opaque", set(image.NewRGBA(at), color.RGBA{1, 2, 3, 255}), [3]uint8{1, 2, 3}},
		{"RGBA, multiplied by alpha: 255·c/a, down", set(image.NewRGBA(at), color.RGBA{100, 50, 7, 128}), [3]uint8{199, 99, 13}},
		{"NRGBA drops alpha, does not composite", set(image.NewNRGBA(at), color.NRGBA{10, 200, 30, 0}), [3]uint8{10, 200, 30}},
		{"Gray", set(image.NewGray(at), color.Gray{77}), [3]uint8{77, 77, 77}},
		{"Gray16 is clipped, as Pillow's I;16", set(image.NewGray16(at), color.Gray16{256}), [3]uint8{255, 255, 255}},
		{"Gray16 below 256", set(image.NewGray16(at), color.Gray16{200}), [3]uint8{200, 200, 200}},
		{"NRGBA64 keeps the upper byte", set(image.NewNRGBA64(at), color.NRGBA64{0x12ff, 0xfe00, 0x00ff, 9}), [3]uint8{0x12, 0xfe, 0}},
		{"RGBA64", set(image.NewRGBA64(at), color.RGBA64{0x12ff, 0xfe00, 0x00ff, 0xffff}), [3]uint8{0x12, 0xfe, 0}},
		{"Paletted", set(image.NewPaletted(at, color.Palette{color.NRGBA{9, 8, 7, 0}}), color.NRGBA{9, 8, 7, 0}), [3]uint8{9, 8, 7}},
		{"CMYK: 255-k-c·(255-k)/255", set(image.NewCMYK(at), color.CMYK{200, 0, 255, 100}), [3]uint8{33, 155, 0}},
		{"YCbCr, as libjpeg: 100+1.772·72 is 227.6", ycc, [3]uint8{0, 145, 228}},
		{"Alpha", set(image.NewAlpha(at), color.Alpha{255}), [3]uint8{255, 255, 255}},
	} {
		m := ToRGB(c.m)
		if got := [3]uint8(m.Pix[:3]); m.Rect != image.Rect(0, 0, 1, 1) || got != c.want || m.Pix[3] != 255 {
			t.Errorf("%s: %v %v, want %v", c.name, m.Rect, m.Pix, c.want)
		}
	}
}

func TestGray(t *testing.T) {
	m := opaqueOf(2, 2, []byte{255, 255, 255, 0, 0, 0, 255, 0, 0, 1, 2, 3})
	want := []uint8{255, 0, 76, 2} // PIL: Image.fromarray(…).convert("L")
	for i, v := range Gray(m) {
		if v != want[i] {
			t.Errorf("pixel %d is %d, want %d", i, v, want[i])
		}
	}
}

func TestToUint8(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		x            float32
		trunc, round uint8
	}{
		{-1, 0, 0}, {1, 255, 255}, {-7, 0, 0}, {7, 255, 255}, {0, 127, 128}, {nan, 0, 0}, {inf, 255, 255}, {-inf, 0, 0},
		{-0.9961, 0, 0}, {0.9999, 254, 255}, {0.00392157, 128, 128}, // 128/255·2-1
	} {
		if got := ToUint8(c.x, Truncate); got != c.trunc {
			t.Errorf("%v truncated is %d, want %d", c.x, got, c.trunc)
		}
		if got := ToUint8(c.x, HalfToEven); got != c.round {
			t.Errorf("%v rounded is %d, want %d", c.x, got, c.round)
		}
	}
}

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		o            LoadOptions
		wantW, wantH int
	}{
		{LoadOptions{}, 64, 96}, {LoadOptions{Multiple: 64}, 64, 64}, {LoadOptions{Multiple: 8}, 88, 96},
		{LoadOptions{Width: 10, Height: 20, Filter: Bicubic}, 10, 20},
	} {
		m := noisy(95, 100, 6)
		x, w, h, err := Load(m, c.o)
		if err != nil || w != c.wantW || h != c.wantH || len(x) != 3*w*h {
			t.Fatalf("%+v: %d values, %d×%d, %v; want %d×%d", c.o, len(x), w, h, err, c.wantW, c.wantH)
		}
		small := Resize(m, w, h, c.o.Filter)
		back, err := FromFloat(x, w, h, HalfToEven)
		if err != nil || string(back.Pix) != string(small.Pix) {
			t.Errorf("%+v: the way there and back changes pixels (%v)", c.o, err)
		}
		if want := 2*(float32(small.Pix[4*(w+3)+1])/255) - 1; x[w*h+w+3] != want {
			t.Errorf("%+v: green of (3, 1) is %v, want %v", c.o, x[w*h+w+3], want)
		}
	}
	for _, o := range []LoadOptions{{Multiple: 128}, {Multiple: -1}, {Width: 3}, {Width: -1, Height: 4}} {
		if _, _, _, err := Load(noisy(95, 100, 6), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if _, err := FromFloat(make([]float32, 5), 1, 2, Truncate); err == nil {
		t.Error("five values were taken for two pixels")
	}
}

func TestOrient(t *testing.T) {
	m := noisy(5, 3, 8)
	if orient(m, 0) != m || orient(m, 1) != m || orient(m, 9) != m {
		t.Error("an upright picture was turned")
	}
	// Which orientation undoes which.
	for o, undo := range map[int]int{2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6} {
		if got := orient(orient(m, o), undo); string(got.Pix) != string(m.Pix) {
			t.Errorf("%d after %d is not the picture", undo, o)
		}
	}
}
