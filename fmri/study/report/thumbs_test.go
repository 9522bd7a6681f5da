package report

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"percept/internal/picture"
)

// photograph is a picture with the spectrum of photographs, amplitude falling as one over frequency, and noise of a camera.
func photograph(w, h int, seed uint64) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 0))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	at := make([]float64, 3*w*h)
	for cell := 256; cell >= 2; cell /= 2 {
		cols, rows := w/cell+2, h/cell+2
		knots := make([]float64, 3*cols*rows)
		for i := range knots {
			knots[i] = 60 * math.Sqrt(float64(cell)/256) * r.NormFloat64()
		}
		for y := range h {
			fy := float64(y%cell) / float64(cell)
			for x := range w {
				fx := float64(x%cell) / float64(cell)
				k := 3 * (y/cell*cols + x/cell)
				for c := range 3 {
					top := knots[k+c]*(1-fx) + knots[k+3+c]*fx
					bottom := knots[k+3*cols+c]*(1-fx) + knots[k+3*cols+3+c]*fx
					at[3*(y*w+x)+c] += top*(1-fy) + bottom*fy
				}
			}
		}
	}
	for i := range w * h {
		for c := range 3 {
			m.Pix[4*i+c] = uint8(max(0, min(255, 128+at[3*i+c]+3*r.NormFloat64())))
		}
		m.Pix[4*i+3] = 255
	}
	return m
}

// static is a picture of nothing but noise, which nothing compresses.
func static(w, h int, seed uint64) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.Uint32())
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 255
	}
	return m
}

// many is a page of subjects with all the pictures that a run can show of them, which come from a few.
func many(subjects, images int, pictures []image.Image) Page {
	p := Page{Title: "t", Columns: []string{"seen", "z", "c", "z+c", "shuffled z+c", "true z", "true c", "true z+c"}}
	for s := range subjects {
		g := Gallery{Subject: fmt.Sprintf("subj%02d", s+1)}
		for i := range images {
			row := GalleryRow{Name: fmt.Sprintf("image %d", i+1), Caption: "a man in a red jacket rides a bicycle down a street in the rain"}
			for c, column := range p.Columns {
				k := (s + i + c) % len(pictures)
				row.Pictures = append(row.Pictures, pictureOf(fmt.Sprintf("reconstruction from %s of image %d, %s", column, i+1, g.Subject),
					fmt.Sprintf("pictures_subj01/shuffled_zc/%05d.png", k), pictures[k]))
			}
			g.Rows = append(g.Rows, row)
		}
		p.Galleries = append(p.Galleries, g)
	}
	return p
}

// A page that shows all that a run can show of four subjects is one that browsers open, whatever the pictures are, and so is one of
// eight, or of pictures so small that they would keep their pixels. Thumbnails are not worse than they have to be.
func TestPageStaysSmall(t *testing.T) {
	const megabyte = 1_000_000
	for _, c := range []struct {
		name           string
		subjects, w, h int
		make           func(w, h int, seed uint64) *image.RGBA
		least          int
	}{
		{"photographs", 4, 512, 512, photograph, 8 * megabyte},
		{"wide photographs", 4, 768, 320, photograph, 4 * megabyte},
		{"noise", 4, 512, 512, static, 8 * megabyte},
		{"eight subjects", 8, 512, 512, photograph, 8 * megabyte},
		{"small noise", 4, 96, 96, static, 8 * megabyte},
		{"one subject", 1, 512, 512, photograph, 8 * megabyte},
	} {
		pictures := make([]image.Image, 4)
		for i := range pictures {
			pictures[i] = c.make(c.w, c.h, uint64(i))
		}
		b, err := many(c.subjects, 60, pictures).Write()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) >= 15*megabyte || len(b) < c.least {
			t.Errorf("%s: the page has %d bytes, expected %d to %d", c.name, len(b), c.least, 15*megabyte)
		}
	}
}

// opened is the picture inside a page that a thumbnail is, and its format.
func opened(t *testing.T, uri string) (m image.Image, format string) {
	t.Helper()
	kind, text, ok := strings.Cut(uri, ";base64,")
	b, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil {
		t.Fatalf("a picture at %.60q, expected it inside the file, %v", uri, err)
	}
	m, format, err = image.Decode(bytes.NewReader(b))
	if err != nil || kind != "data:image/"+format {
		t.Fatalf("a %s in %s, %v", format, kind, err)
	}
	return m, format
}

// rms is the root of the mean squared difference of two pictures of one size, in levels.
func rms(a, b image.Image) float64 {
	sum, size := 0.0, a.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				sum += float64(d * d)
			}
		}
	}
	return math.Sqrt(sum / float64(3*size.X*size.Y))
}

// A thumbnail has the size and the shape that its place and its room allow, and looks like the picture.
func TestShrink(t *testing.T) {
	for _, c := range []struct {
		name          string
		m             *image.RGBA
		room          int
		format        string
		own           bool
		pixels, shown image.Point
		error         float64 // levels, at most
	}{
		{"small keeps its pixels", static(64, 64, 1), mostEach, "png", true, image.Pt(64, 64), image.Pt(128, 128), 0},
		{"as large as its place", static(place, 50, 1), mostEach, "png", true, image.Pt(place, 50), image.Pt(place, 50), 0},
		{"one pixel", static(1, 1, 1), mostEach, "png", true, image.Pt(1, 1), image.Pt(place, place), 0},
		{"small without room for all its bytes", photograph(96, 96, 1), 8 << 10, "jpeg", true, image.Pt(96, 96), image.Pt(96, 96), 6},
		{"a little larger than its place", photograph(place+1, place+1, 1), mostEach, "jpeg", false, image.Pt(place+1, place+1),
			image.Pt(place, place), 6},
		{"large", photograph(512, 512, 1), mostEach, "jpeg", false, image.Pt(sharpest, sharpest), image.Pt(place, place), 6},
		{"large in a little room", photograph(512, 512, 1), 4096, "jpeg", false, image.Pt(128, 128), image.Pt(place, place), 12},
		{"wide", photograph(768, 384, 1), mostEach, "jpeg", false, image.Pt(sharpest, place), image.Pt(place, place/2), 8},
		{"a line", photograph(1, 5000, 1), mostEach, "jpeg", false, image.Pt(1, sharpest), image.Pt(1, place), 30},
	} {
		got, err := shrink(c.m, c.room)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		m, format := opened(t, string(got.URI))
		if format != c.format || got.Own != c.own || m.Bounds().Size() != c.pixels || image.Pt(got.Width, got.Height) != c.shown {
			t.Errorf("%s: %s of %v shown as %d × %d, own pixels %v; want %s of %v shown as %v, %v", c.name, format, m.Bounds().Size(),
				got.Width, got.Height, got.Own, c.format, c.pixels, c.shown, c.own)
			continue
		}
		if e := rms(m, picture.Resize(c.m, c.pixels.X, c.pixels.Y, picture.Lanczos)); e > c.error {
			t.Errorf("%s: differs from the picture by %.1f levels, expected %g at most", c.name, e, c.error)
		}
		if again, _ := shrink(c.m, c.room); again.URI != got.URI {
			t.Errorf("%s: made again, other bytes", c.name)
		}
	}
	for _, size := range []image.Point{{}, {3, 0}, {0, 3}} {
		if _, err := shrink(image.NewRGBA(image.Rectangle{Max: size}), mostEach); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("a picture of %v: error %v", size, err)
		}
	}
}

// No thumbnail takes more than its room, however little that is, unless it is the smallest there is.
func TestShrinkKeepsToItsRoom(t *testing.T) {
	for _, m := range []*image.RGBA{static(512, 512, 2), static(96, 96, 2), photograph(512, 512, 2), photograph(300, 700, 2)} {
		for _, room := range []int{1, 700, 1200, 2500, 5000, 12000, mostEach} {
			got, err := shrink(m, room)
			if err != nil {
				t.Fatal(err)
			}
			small, _ := opened(t, string(got.URI))
			if n := len(got.URI) / 4 * 3; n > room+30 && max(small.Bounds().Dx(), small.Bounds().Dy()) >= 32 {
				t.Errorf("%v in %d bytes: %d bytes of %v", m.Rect.Size(), room, n, small.Bounds().Size())
			}
		}
	}
}

// A file is read once however often it is shown; an error of any picture names it and ends the page.
func TestPageReadsEachFileOnce(t *testing.T) {
	var reads atomic.Int64
	boom := errors.New("boom")
	row := func(alts ...string) (r GalleryRow) {
		for _, alt := range alts {
			r.Pictures = append(r.Pictures, Picture{Alt: alt, File: "seen/" + alt[:1], Read: func() (image.Image, error) {
				reads.Add(1)
				if strings.HasSuffix(alt, "broken") {
					return nil, boom
				}
				return plain(4, color.White), nil
			}})
		}
		return r
	}
	p := Page{Columns: []string{"seen", "z"}, Galleries: []Gallery{{Subject: "subj01", Rows: []GalleryRow{row("1 of one", "2 of one")}},
		{Subject: "subj02", Rows: []GalleryRow{row("1 of two", "3 of two")}}}}
	b, err := p.Write()
	if err != nil || reads.Load() != 3 {
		t.Fatalf("%d reads, want 3, %v", reads.Load(), err)
	}
	var alts []string
	for _, e := range parse(t, b).all("img") {
		alts = append(alts, e.attr["alt"])
	}
	if got := strings.Join(alts, ", "); got != "1 of one, 2 of one, 1 of two, 3 of two" {
		t.Errorf("pictures %s", got)
	}
	p.Galleries[1].Rows[0] = row("4 of two, broken")
	if _, err := p.Write(); !errors.Is(err, boom) || !strings.HasPrefix(err.Error(), "4 of two, broken: ") {
		t.Errorf("error %v, want that of the broken picture", err)
	}
}
