package picture

import (
	"encoding/binary"
	"fmt"
	"image"
	"runtime"
	"sync"
)

// Resize scales a picture to w×h exactly as Pillow 13's Image.resize does for RGB: in fixed point, along rows and along
// columns, with 8-bit values in between. Alpha is not looked at and comes out opaque. A picture of that size is copied.
// w, h and the sides of m must be positive.
//
// Columns come first where they lose more than twice the pixels that rows lose; Pillow before 13 always began with rows.
// The order shows in a level here and there, and by more where both sides change much. Square to square is rows first in
// all versions.
func Resize(m *image.RGBA, w, h int, f Filter) *image.RGBA {
	if w <= 0 || h <= 0 || m.Rect.Empty() {
		panic(fmt.Sprintf("picture: Resize from %v to %d×%d, expected positive sizes", m.Rect, w, h))
	}
	if f == Nearest {
		return nearest(m, w, h)
	}
	in := m.Rect.Size()
	columnsFirst := h < in.Y && in.Y-h > 2*(in.X-w)
	switch {
	case in.X == w && in.Y == h:
		return clone(m)
	case in.Y == h:
		return resizeRows(m, w, f)
	case in.X == w:
		return resizeColumns(m, h, f)
	case columnsFirst:
		return resizeRows(resizeColumns(m, h, f), w, f)
	}
	return resizeColumns(resizeRows(m, w, f), h, f)
}

// Two pixels are worked on at a time: of a 64-bit word made of both, a mask leaves one channel of each in its halves,
// and one multiplication by a weight serves both. A sum of products fits an int32 (weightBits), so the lower half's
// sign is all that it borrows from the upper half.
const (
	channels = 0x000000ff_000000ff
	half     = 1<<(weightBits-1) | 1<<(weightBits-1+32)
)

// halves undoes the packing of two sums, rounded and clamped to 8 bits.
func halves(sum int64) (lower, upper uint32) {
	lo := int32(sum)
	hi := int32((sum - int64(lo)) >> 32)
	return clamp(lo >> weightBits), clamp(hi >> weightBits)
}

func clamp(v int32) uint32 {
	if uint32(v) > 255 {
		return uint32(^(v >> 31)) & 255
	}
	return uint32(v)
}

const opaque = 255 << 24

// resizeRows makes every row w pixels long: four rows at a time where the processor's vectors serve, and two else.
func resizeRows(m *image.RGBA, w int, f Filter) *image.RGBA {
	in := m.Rect.Size()
	table := newWeights(in.X, w, f)
	out := image.NewRGBA(image.Rect(0, 0, w, in.Y))
	row := func(y int) (src, dst []byte) {
		y = min(y, in.Y-1) // rows that are missing at the end are the last one again
		return m.Pix[y*m.Stride:][:4*in.X], out.Pix[y*out.Stride:][:4*w]
	}
	if vectors {
		parallel((in.Y+3)/4, 2*(in.X+w), func(from, to int) {
			quads := make([]byte, 16*in.X)
			for y := 4 * from; y < min(4*to, in.Y); y += 4 {
				a, toA := row(y)
				b, toB := row(y + 1)
				c, toC := row(y + 2)
				d, toD := row(y + 3)
				for x := range in.X {
					q := quads[16*x:][:16]
					copy(q[:4], a[4*x:])
					copy(q[4:8], b[4*x:])
					copy(q[8:12], c[4*x:])
					copy(q[12:], d[4*x:])
				}
				rowsAVX2(&toA[0], &toB[0], &toC[0], &toD[0], &quads[0], &table.first[0], &table.count[0], &table.k[0], w)
			}
		})
		return out
	}
	parallel((in.Y+1)/2, in.X+w, func(from, to int) {
		pairs := make([]uint64, in.X)
		for y := 2 * from; y < min(2*to, in.Y); y += 2 {
			a, toA := row(y)
			b, toB := row(y + 1)
			for x := range pairs {
				pairs[x] = uint64(binary.LittleEndian.Uint32(a[4*x:])) | uint64(binary.LittleEndian.Uint32(b[4*x:]))<<32
			}
			for x := range w {
				var r, g, bl int64 = half, half, half
				first, k := table.of(x)
				taken := pairs[first:][:len(k)]
				for j, weight := range k {
					p, weight := taken[j], int64(weight)
					r += int64(p&channels) * weight
					g += int64(p>>8&channels) * weight
					bl += int64(p>>16&channels) * weight
				}
				r0, r1 := halves(r)
				g0, g1 := halves(g)
				b0, b1 := halves(bl)
				binary.LittleEndian.PutUint32(toA[4*x:], r0|g0<<8|b0<<16|opaque)
				binary.LittleEndian.PutUint32(toB[4*x:], r1|g1<<8|b1<<16|opaque)
			}
		}
	})
	return out
}

// resizeColumns makes every column h pixels long: eight columns at a time where the processor's vectors serve, and two
// else.
func resizeColumns(m *image.RGBA, h int, f Filter) *image.RGBA {
	in := m.Rect.Size()
	table := newWeights(in.Y, h, f)
	out := image.NewRGBA(image.Rect(0, 0, in.X, h))
	parallel(h, in.X*(1+in.Y/h), func(from, to int) {
		for y := from; y < to; y++ {
			first, k := table.of(y)
			src, dst := m.Pix[first*m.Stride:], out.Pix[y*out.Stride:][:4*in.X]
			done := 0
			if groups := in.X / 8; vectors && groups > 0 {
				columnsAVX2(&dst[0], &src[0], m.Stride, &k[0], len(k), groups)
				done = 8 * groups
			}
			columns(dst, src, m.Stride, k, done, in.X)
		}
	})
	return out
}

// columns makes the pixels from … to-1 of one row.
func columns(dst, src []byte, stride int, k []int32, from, to int) {
	for x := from; x < to; x += 2 {
		var r, g, b int64 = half, half, half
		at := 4 * x
		if x+1 == to { // the last of an odd number
			for _, weight := range k {
				p, weight := binary.LittleEndian.Uint32(src[at:]), int64(weight)
				r += int64(p&255) * weight
				g += int64(p>>8&255) * weight
				b += int64(p>>16&255) * weight
				at += stride
			}
		} else {
			for _, weight := range k {
				p, weight := binary.LittleEndian.Uint64(src[at:]), int64(weight)
				r += int64(p&channels) * weight
				g += int64(p>>8&channels) * weight
				b += int64(p>>16&channels) * weight
				at += stride
			}
		}
		r0, r1 := halves(r)
		g0, g1 := halves(g)
		b0, b1 := halves(b)
		binary.LittleEndian.PutUint32(dst[4*x:], r0|g0<<8|b0<<16|opaque)
		if x+1 < to {
			binary.LittleEndian.PutUint32(dst[4*x+4:], r1|g1<<8|b1<<16|opaque)
		}
	}
}

// nearest takes the pixel under each centre. Centres are found by adding steps, as Pillow does, whose rounding decides
// where a centre lies between two pixels.
func nearest(m *image.RGBA, w, h int) *image.RGBA {
	in := m.Rect.Size()
	cols, rows := centres(in.X, w), centres(in.Y, h)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y, from := range rows {
		src, dst := m.Pix[from*m.Stride:], out.Pix[y*out.Stride:]
		for x, c := range cols {
			binary.LittleEndian.PutUint32(dst[4*x:], binary.LittleEndian.Uint32(src[4*c:])|opaque)
		}
	}
	return out
}

func centres(in, out int) []int {
	step := float64(in) / float64(out)
	at := float64(step * 0.5)
	list := make([]int, out)
	for i := range list {
		list[i] = min(int(at), in-1)
		at += step
	}
	return list
}

// clone copies a picture to one of its own at (0, 0), opaque.
func clone(m *image.RGBA) *image.RGBA {
	size := m.Rect.Size()
	out := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		row := out.Pix[y*out.Stride:][:4*size.X]
		copy(row, m.Pix[y*m.Stride:])
		for x := 3; x < len(row); x += 4 {
			row[x] = 255
		}
	}
	return out
}

// parallel cuts 0 … n-1 into runs, one a processor, where there is work enough; perItem is the work of one, in pixels.
func parallel(n, perItem int, work func(from, to int)) {
	const worth = 1 << 14 // pixels for which another goroutine pays
	workers := max(min(runtime.GOMAXPROCS(0), n*perItem/worth, n), 1)
	if workers == 1 {
		work(0, n)
		return
	}
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { work(n*i/workers, n*(i+1)/workers) })
	}
	wg.Wait()
}
