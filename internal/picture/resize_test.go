package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"os"
	"testing"
)

// noise is the generator of testdata/make.py.
func noise(n int, seed uint64) []byte {
	b := make([]byte, n)
	for i := range b {
		seed = seed*6364136223846793005 + 1442695040888963407
		b[i] = byte(seed >> 56)
	}
	return b
}

// opaqueOf makes a picture of red, green, blue values.
func opaqueOf(w, h int, rgb []byte) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		copy(m.Pix[4*i:], rgb[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	return m
}

func noisy(w, h int, seed uint64) *image.RGBA { return opaqueOf(w, h, noise(3*w*h, seed)) }

// sumRGB is the SHA-256 of the red, green, blue values.
func sumRGB(m *image.RGBA) string {
	var b []byte
	for y := range m.Rect.Dy() {
		row := m.Pix[y*m.Stride:]
		for x := range m.Rect.Dx() {
			b = append(b, row[4*x:4*x+3]...)
		}
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestResizePillow(t *testing.T) {
	var cases []struct {
		In, Out [2]int
		Seed    uint64
		Filter  string
		SHA256  string
	}
	readJSON(t, "testdata/resize.json", &cases) // by testdata/make.py
	if len(cases) < 100 {
		t.Fatalf("%d cases, want all of make.py's", len(cases))
	}
	for _, c := range cases {
		f, err := ParseFilter(c.Filter)
		if err != nil {
			t.Fatal(err)
		}
		m := Resize(noisy(c.In[0], c.In[1], c.Seed), c.Out[0], c.Out[1], f)
		if sumRGB(m) != c.SHA256 {
			t.Errorf("%v to %v, %s: pixels differ from Pillow's", c.In, c.Out, c.Filter)
		}
		if !m.Opaque() || m.Rect != image.Rect(0, 0, c.Out[0], c.Out[1]) {
			t.Errorf("%v to %v, %s: %v, opaque %v", c.In, c.Out, c.Filter, m.Rect, m.Opaque())
		}
	}
}

func filters() []Filter { return []Filter{Lanczos, Bicubic, Hamming, Bilinear, Box, Nearest} }

func TestResizeConstant(t *testing.T) {
	sizes := [][2]int{{1, 1}, {1, 4000}, {4000, 1}, {3, 7}, {425, 320}, {2, 1}}
	for _, f := range filters() {
		for _, in := range sizes {
			m := image.NewRGBA(image.Rect(0, 0, in[0], in[1]))
			for i := 0; i < len(m.Pix); i += 4 {
				copy(m.Pix[i:], []byte{0, 255, 93, 255})
			}
			for _, out := range [][2]int{{1, 1}, {1, 4000}, {4000, 1}, {5, 3}, {33, 64}} {
				got := Resize(m, out[0], out[1], f)
				for i := 0; i < len(got.Pix); i += 4 {
					if !bytes.Equal(got.Pix[i:i+4], []byte{0, 255, 93, 255}) {
						t.Fatalf("%s, %v to %v: a picture of one colour has pixel %v at %d", f, in, out, got.Pix[i:i+4], i/4)
					}
				}
			}
		}
	}
}

func TestResizeKeepsSize(t *testing.T) {
	m := noisy(23, 11, 3)
	for _, f := range filters() {
		got := Resize(m, 23, 11, f)
		if !bytes.Equal(got.Pix, m.Pix) {
			t.Errorf("%s: the same size is not the same picture", f)
		}
		if got.Pix[0]++; got.Pix[0] == m.Pix[0] {
			t.Errorf("%s: the copy shares its pixels", f)
		}
	}
}

// Upside down and transposed pictures give upside down and transposed results, where the order of the passes is kept.
func TestResizeSymmetries(t *testing.T) {
	for _, f := range filters()[:5] {
		for _, out := range [][2]int{{31, 40}, {8, 9}, {17, 5}} {
			m := noisy(17, 14, 9)
			got := Resize(orient(m, 4), out[0], out[1], f)
			want := orient(Resize(m, out[0], out[1], f), 4)
			// Half a level is rounded up however the picture lies, and Box's and the cut filters' ends are half-open.
			if f == Bilinear || f == Bicubic || f == Hamming {
				if d := farthest(got, want); d > 1 {
					t.Errorf("%s to %v: flipping first differs by %d levels", f, out, d)
				}
			}
		}
	}
}

func farthest(a, b *image.RGBA) int {
	d := 0
	for i := range a.Pix {
		d = max(d, int(a.Pix[i])-int(b.Pix[i]), int(b.Pix[i])-int(a.Pix[i]))
	}
	return d
}

// A part of a larger picture is scaled as if it were alone, and whatever lies in alpha.
func TestResizeSubImage(t *testing.T) {
	whole := noisy(40, 30, 2)
	part := whole.SubImage(image.Rect(7, 5, 28, 24)).(*image.RGBA)
	alone := clone(part)
	for i := 3; i < len(whole.Pix); i += 4 {
		whole.Pix[i] = byte(i)
	}
	for _, f := range filters() {
		for _, out := range [][2]int{{21, 19}, {21, 7}, {9, 19}, {33, 31}, {10, 3}} {
			if got, want := Resize(part, out[0], out[1], f), Resize(alone, out[0], out[1], f); !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%s to %v: a part of a picture is scaled otherwise than its copy", f, out)
			}
		}
	}
}

func TestResizeRejects(t *testing.T) {
	for _, size := range [][2]int{{0, 4}, {4, -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("size %v was taken", size)
				}
			}()
			Resize(noisy(3, 3, 1), size[0], size[1], Lanczos)
		}()
	}
}

func TestParseFilter(t *testing.T) {
	for _, f := range filters() {
		if got, err := ParseFilter(f.String()); err != nil || got != f {
			t.Errorf("%s: %v, %v", f, got, err)
		}
	}
	if _, err := ParseFilter("cubic"); err == nil {
		t.Error("an unknown name was taken")
	}
	if s := Filter(99).String(); s != "filter(99)" {
		t.Error(s)
	}
}

func BenchmarkResize(b *testing.B) {
	for _, c := range []struct {
		in, out int
		f       Filter
	}{{425, 512, Lanczos}, {425, 320, Lanczos}, {425, 512, Bicubic}, {512, 224, Bicubic}, {320, 512, Bicubic}, {425, 299, Bilinear}} {
		m := noisy(c.in, c.in, 1)
		b.Run(fmt.Sprintf("%d→%d/%s", c.in, c.out, c.f), func(b *testing.B) {
			for b.Loop() {
				Resize(m, c.out, c.out, c.f)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.out*c.out), "ns/pixel")
		})
	}
}
