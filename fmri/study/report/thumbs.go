package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/jpeg"
	"image/png"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"percept/internal/picture"
)

const (
	// place is the longest side of a picture on the page, in its pixels (CSS's).
	place = 136
	// sharpest is the longest side of a thumbnail: two pixels for one of the page's are all that screens show.
	sharpest = 2 * place
	// pagePictures bounds all thumbnails of a page together, in bytes of base64: with its text the page stays under 15 MB,
	// which browsers on small machines open.
	pagePictures = 13_000_000
	// mostEach bounds one thumbnail, so that a page of few pictures is no larger than it has to be.
	mostEach = 32 << 10
	// perPixel is what a JPEG of quality 75 takes of a photograph, in bytes: with it a share of bytes becomes a side.
	perPixel = 0.25
)

// qualities of JPEG, best first.
var qualities = []int{92, 88, 84, 80, 75, 70, 65, 60, 50, 40, 30, 20}

// A thumbnail is a picture as it is inside the page.
type thumbnail struct {
	Picture
	URI           template.URL
	Width, Height int  // on the page
	Own           bool // it has the pixels of the picture itself, each a whole number of the page's
}

// share is how many bytes each of n thumbnails may take.
func share(n int) int { return min(mostEach, pagePictures/4*3/max(n, 1)) }

// side is the longest side of thumbnails that have a share of bytes, in pixels.
func side(share int) int { return min(sharpest, max(32, int(math.Sqrt(float64(share)/perPixel)))) }

// shrink makes the thumbnail of a picture in a number of bytes. A picture that is not larger than its place on the page keeps its
// pixels, in PNG if there is room for it; all others are JPEG, as good as there is room for. The same picture has the same bytes.
func shrink(m image.Image, room int) (t thumbnail, err error) {
	size := m.Bounds().Size()
	longest := max(size.X, size.Y)
	if longest == 0 || min(size.X, size.Y) == 0 {
		return t, fmt.Errorf("a picture of %d × %d pixels, expected some", size.X, size.Y)
	}
	scaled := func(v, to int) int { return max(1, (v*to+longest/2)/longest) }
	t.Own = longest <= place
	if t.Own {
		times := place / longest
		t.Width, t.Height = times*size.X, times*size.Y
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			return t, err
		}
		if b.Len() <= room {
			t.URI = dataURI("png", b.Bytes())
			return t, nil
		}
	} else {
		t.Width, t.Height = scaled(size.X, place), scaled(size.Y, place)
	}
	rgb := picture.ToRGB(m)
	for to := min(longest, max(side(room), 1)); ; to /= 2 {
		small := rgb
		if to < longest {
			small = picture.Resize(rgb, scaled(size.X, to), scaled(size.Y, to), picture.Lanczos)
			t.Own = false
		}
		b, err := compress(small, room)
		if err != nil {
			return t, err
		}
		if len(b) <= room || to < 32 {
			t.URI = dataURI("jpeg", b)
			return t, nil
		}
	}
}

// compress makes a JPEG of the best quality that has room, or of the least one.
func compress(m image.Image, room int) (best []byte, err error) {
	for lo, hi := 0, len(qualities); lo < hi; { // the first that fits is in lo to hi
		mid := (lo + hi) / 2
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: qualities[mid]}); err != nil {
			return nil, err
		}
		if b.Len() <= room {
			best, hi = b.Bytes(), mid
			continue
		}
		if lo = mid + 1; lo == len(qualities) {
			best = b.Bytes()
		}
	}
	return best, nil
}

func dataURI(kind string, b []byte) template.URL {
	return template.URL("data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(b))
}

// shrinkAll reads pictures and makes their thumbnails, as many at once as there are processors; of a picture without Read it makes
// none, and of one file, as what several subjects saw, only one. After an error no further picture is read.
func shrinkAll(pictures []Picture) ([]*thumbnail, error) {
	var distinct, first []int // those to read; of each picture the place in distinct, or -1
	files := map[string]int{}
	n := 0
	for i, p := range pictures {
		at, known := files[p.File]
		switch {
		case p.Read == nil:
			at = -1
		case p.File == "" || !known:
			at = len(distinct)
			distinct = append(distinct, i)
			if p.File != "" {
				files[p.File] = at
			}
		}
		if first = append(first, at); at >= 0 {
			n++
		}
	}
	room := share(n)
	made, errs := make([]thumbnail, len(distinct)), make([]error, len(distinct))
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(distinct)) {
		workers.Go(func() {
			for !failed.Load() {
				k := int(next.Add(1)) - 1
				if k >= len(distinct) {
					return
				}
				p := pictures[distinct[k]]
				m, err := p.Read()
				if err == nil {
					made[k], err = shrink(m, room)
				}
				if err != nil {
					errs[k] = fmt.Errorf("%s: %w", p.Alt, err)
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	all := make([]*thumbnail, len(pictures))
	for i, k := range first {
		if k >= 0 {
			t := made[k]
			t.Picture = pictures[i]
			all[i] = &t
		}
	}
	return all, nil
}
