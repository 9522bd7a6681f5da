package picture

import "image"

// The inverse DCT of Loeffler, Ligtenberg and Moschytz (ICASSP 1989) in 13-bit fixed point: columns with 2 more bits
// kept, then rows. Constants are sums and differences of √2·cos(kπ/16), times 2^13; the order of the operations and the
// rounding are those of the Independent JPEG Group's accurate integer method, which libjpeg-turbo's vector code follows.
const (
	dctBits  = 13
	keptBits = 2
)

// butterfly8 is the one-dimensional transform; results are to be rounded by 13 bits.
func butterfly8(x0, x1, x2, x3, x4, x5, x6, x7 int32) (even, odd [4]int32) {
	// Even part: x2 and x6 are rotated by 6π/16.
	turn := (x2 + x6) * 4433
	low, high := turn-x6*15137, turn+x2*6270
	sum, diff := (x0+x4)<<dctBits, (x0-x4)<<dctBits
	even = [4]int32{sum + high, diff + low, diff - low, sum - high}
	// Odd part: two rotations and their cross terms share products.
	a, b, c, d := x7+x1, x5+x3, x7+x3, x5+x1
	all := (c + d) * 9633
	a, b = a*-7373, b*-20995
	c, d = c*-16069+all, d*-3196+all
	odd = [4]int32{x1*12299 + a + d, x3*25172 + b + c, x5*16819 + b + d, x7*2446 + a + c}
	return even, odd
}

// idct transforms a block of coefficients, of which quant is a unit each, into 8×8 samples.
func idct(block *[64]int16, quant *[64]int32, out []byte, stride int) {
	var work [64]int32
	for i := range 8 {
		x := func(k int) int32 { return int32(block[8*k+i]) * quant[8*k+i] }
		if block[8+i]|block[16+i]|block[24+i]|block[32+i]|block[40+i]|block[48+i]|block[56+i] == 0 {
			v := x(0) << keptBits
			for k := range 8 {
				work[8*k+i] = v
			}
			continue
		}
		even, odd := butterfly8(x(0), x(1), x(2), x(3), x(4), x(5), x(6), x(7))
		const shift = dctBits - keptBits
		for k := range 4 {
			work[8*k+i] = (even[k] + odd[k] + 1<<(shift-1)) >> shift
			work[8*(7-k)+i] = (even[k] - odd[k] + 1<<(shift-1)) >> shift
		}
	}
	for i := range 8 {
		w := (*[8]int32)(work[8*i:])
		row := (*[8]byte)(out[i*stride:])
		even, odd := butterfly8(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7])
		const shift = dctBits + keptBits + 3
		for k := range 4 {
			row[k] = byte(clamp((even[k]+odd[k]+1<<(shift-1))>>shift + 128))
			row[7-k] = byte(clamp((even[k]-odd[k]+1<<(shift-1))>>shift + 128))
		}
	}
}

// upsampler returns a function that writes a component's samples of row y, as many as the picture is wide (and up to
// hMax more), to dst. Twice as many samples along a row or a column are interpolated by a triangle filter, "fancy
// upsampling"; other ratios repeat samples.
func (j *jpegImage) upsampler(c *jpegComponent) func(dst []byte, y int) {
	row := func(y int) []byte { return c.plane[max(min(y, c.rows-1), 0)*c.stride:][:c.w] }
	h, v := j.hMax/c.h, j.vMax/c.v
	sums := make([]int32, c.w)
	switch {
	case h == 1 && v == 1:
		return func(dst []byte, y int) { copy(dst, row(y)) }
	case h == 1 && v == 2:
		return func(dst []byte, y int) {
			near, far := row(y/2), row(y/2-1+y%2*2)
			for x, s := range near {
				dst[x] = byte((3*int32(s) + int32(far[x]) + 1 + int32(y%2)) >> 2)
			}
		}
	case h == 2 && v <= 2 && c.w > 2:
		return func(dst []byte, y int) {
			near := row(y / v)
			less, more, shift := int32(1), int32(2), 2 // half a level, down and up in turn
			if v == 1 {
				for x, s := range near {
					sums[x] = int32(s)
				}
			} else {
				far := row(y/2 - 1 + y%2*2)
				for x, s := range near {
					sums[x] = 3*int32(s) + int32(far[x])
				}
				less, more, shift = 8, 7, 4
			}
			last := len(sums) - 1
			for x, s := range sums[1:last] {
				dst[2*x+2] = byte((3*s + sums[x] + less) >> shift)
				dst[2*x+3] = byte((3*s + sums[x+2] + more) >> shift)
			}
			dst[0] = byte((4*sums[0] + less) >> shift)
			dst[1] = byte((3*sums[0] + sums[1] + more) >> shift)
			dst[2*last] = byte((3*sums[last] + sums[last-1] + less) >> shift)
			dst[2*last+1] = byte((4*sums[last] + more) >> shift)
		}
	}
	return func(dst []byte, y int) {
		src := row(y / v)
		for x := range dst[:j.w] {
			dst[x] = src[x/h]
		}
	}
}

// colours upsamples and converts to RGB.
func (j *jpegImage) colours() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, j.w, j.h))
	convert := j.conversion()
	parallel(j.h, 4*j.w, func(from, to int) {
		rows := make([][]byte, len(j.comps))
		up := make([]func([]byte, int), len(j.comps))
		for i, c := range j.comps {
			rows[i] = make([]byte, j.w+2*j.hMax)
			up[i] = j.upsampler(c)
		}
		for y := from; y < to; y++ {
			for i := range up {
				up[i](rows[i], y)
			}
			convert(m.Pix[y*m.Stride:][:4*j.w], rows)
		}
	})
	return m
}

// conversion tells by what the file says of its colours, as libjpeg guesses, how a row becomes RGB.
func (j *jpegImage) conversion() func(dst []byte, rows [][]byte) {
	id := func(i int) byte { return j.comps[i].id }
	switch {
	case len(j.comps) == 1:
		return func(dst []byte, rows [][]byte) {
			for x, v := range rows[0][:len(dst)/4] {
				dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = v, v, v, 255
			}
		}
	case len(j.comps) == 4:
		// Adobe stores ink inverted, and Pillow takes every file for Adobe's; so does YCCK, which is that of RGB.
		ycc := j.adobe > 0
		return func(dst []byte, rows [][]byte) {
			for x := range len(dst) / 4 {
				c, m, y, k := rows[0][x], rows[1][x], rows[2][x], rows[3][x]
				if ycc {
					c, m, y = fromYCbCr(c, m, y)
					c, m, y = 255-c, 255-m, 255-y
				}
				dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = ink(255-c, 255-k), ink(255-m, 255-k), ink(255-y, 255-k), 255
			}
		}
	case !j.jfif && (j.adobe == 0 || j.adobe < 0 && id(0) == 'R' && id(1) == 'G' && id(2) == 'B'):
		return func(dst []byte, rows [][]byte) {
			for x := range len(dst) / 4 {
				dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = rows[0][x], rows[1][x], rows[2][x], 255
			}
		}
	}
	return func(dst []byte, rows [][]byte) {
		n := len(dst) / 4
		l, cb, cr := rows[0][:n], rows[1][:n], rows[2][:n]
		for x := range n {
			dst[4*x], dst[4*x+1], dst[4*x+2] = fromYCbCr(l[x], cb[x], cr[x])
			dst[4*x+3] = 255
		}
	}
}
