package picture

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds adds the small files of testdata whose names fit.
func seeds(f *testing.F, patterns ...string) {
	f.Helper()
	for _, p := range patterns {
		names, err := filepath.Glob("testdata/files/" + p)
		if err != nil || len(names) == 0 {
			f.Fatalf("%s: no file (%v)", p, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
}

// decodes demands of any bytes either an opaque picture that is not larger than its file can hold, or one line.
func decodes(t *testing.T, b []byte) {
	if len(b) > 1<<12 {
		return // a few bytes hold a picture that is large enough
	}
	m, err := Decode("fuzzed", b)
	if err != nil {
		if s := err.Error(); !strings.HasPrefix(s, "fuzzed: ") || strings.Contains(s, "\n") {
			t.Fatalf("error %q, want one line that names the file", s)
		}
		return
	}
	if size := m.Rect.Size(); m.Rect.Min.X != 0 || m.Rect.Min.Y != 0 || size.X < 1 || size.Y < 1 || len(m.Pix) != 4*size.X*size.Y ||
		m.Stride != 4*size.X {
		t.Fatalf("%d bytes of pixels, stride %d, for %v", len(m.Pix), m.Stride, m.Rect)
	}
	for i := 3; i < len(m.Pix); i += 4 {
		if m.Pix[i] != 255 {
			t.Fatalf("pixel %d has alpha %d", i/4, m.Pix[i])
		}
	}
}

func FuzzDecodeJPEG(f *testing.F) {
	seeds(f, "42*_3x2.jpg", "420_17x16.jpg", "progressive*.jpg", "restart*.jpg", "cmyk.jpg", "exif6.jpg", "xmp6.jpg")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2 {
			copy(b, "\xff\xd8\xff")
		}
		decodes(t, b)
	})
}

func FuzzDecodePNG(f *testing.F) {
	seeds(f, "*.png")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 8 {
			copy(b, pngMagic)
		}
		decodes(t, b)
		orientationPNG(append([]byte(pngMagic), b...))
	})
}

func FuzzDecodeTIFF(f *testing.F) {
	seeds(f, "*.tif")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 && string(b[:4]) != "MM\x00*" {
			copy(b, "II*\x00")
		}
		decodes(t, b)
		orientationOf(b, b) // as EXIF
	})
}

func FuzzDecodeOther(f *testing.F) {
	seeds(f, "*.gif", "*.bmp")
	f.Fuzz(decodes)
}

func FuzzReadText(f *testing.F) {
	seeds(f, "text.png", "xmp8.png", "profile7.png")
	f.Add([]byte("zTXtkey\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := DecodeText("fuzzed", append([]byte(pngMagic), b...))
		if err == nil {
			for _, text := range list {
				if len(text.Value) > 2*maxText { // Latin-1 doubles at most
					t.Fatalf("%q has %d bytes", text.Key, len(text.Value))
				}
			}
		}
		// The same bytes as one chunk, whose checksum is right.
		for _, kind := range []string{"tEXt", "zTXt", "iTXt"} {
			if _, err := parseText(chunk{kind, b}, maxText); err != nil && strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
		}
	})
}
