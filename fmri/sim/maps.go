package sim

import (
	"image"
	"math"
)

// The front end of the early visual model: local luminance, colour opponency, contrast and
// orientation energy of a picture, on a coarse grid.
//
// Colour opponency follows Derrington, Krauskopf and Lennie 1984 (doi:10.1113/jphysiol.1984.sp015499)
// in its simplest form, on display values; orientation energy is the squared response of a
// quadrature pair of Gabor filters (Adelson and Bergen 1985, doi:10.1364/JOSAA.2.000284), the
// front end of Kay et al. 2008 (doi:10.1038/nature06713).
const (
	baseSize = 48           // pixels of the reduced picture that is filtered
	mapSize  = baseSize / 2 // cells of a feature map, each 0.35 degrees
)

// Channels of a cell, all 0 or above.
const (
	onLuminance = iota
	offLuminance
	reddish
	greenish
	bluish
	yellowish
	contrast
	orientation // four orientations at the fine scale, then four at the coarse one
	channels    = orientation + 8
)

// channelNames are the channels in order, for the truth files.
var channelNames = []string{
	"luminance_on", "luminance_off", "red", "green", "blue", "yellow", "contrast",
	"fine_0deg", "fine_45deg", "fine_90deg", "fine_135deg",
	"coarse_0deg", "coarse_45deg", "coarse_90deg", "coarse_135deg",
}

// cell holds the channels at one place.
type cell [channels]float32

// maps holds the cells of one picture, [mapSize, mapSize].
type maps []cell

// look computes the feature maps of a picture of any size.
func look(img *image.RGBA) maps {
	r, g, b := reduce(img)
	n := baseSize * baseSize
	lum := make([]float32, n)
	full := make([]cell, n)
	for i := range lum {
		lum[i] = 0.299*r[i] + 0.587*g[i] + 0.114*b[i] - 0.5 // NSD shows its pictures on mid-grey
		c := &full[i]
		c[onLuminance], c[offLuminance] = rectify(lum[i])
		c[reddish], c[greenish] = rectify(r[i] - g[i])
		c[bluish], c[yellowish] = rectify(b[i] - 0.5*(r[i]+g[i]))
	}
	round := gaussianTaps(2)
	surround := line(line(lum, round, baseSize, 1, baseSize), round, baseSize, baseSize, 1)
	fine := orientationEnergy(lum, baseSize) // 1.4 cycles per degree
	for i := range full {
		full[i][contrast] = float32(math.Abs(float64(lum[i] - surround[i])))
		for o := range fine {
			full[i][orientation+o] = fine[o][i]
		}
	}
	m := pool(full)
	for i := range m {
		lum[i] = m[i][onLuminance] - m[i][offLuminance]
	}
	coarse := orientationEnergy(lum[:len(m)], mapSize) // 0.7 cycles per degree
	for i := range m {
		for o := range coarse {
			m[i][orientation+4+o] = coarse[o][i]
		}
	}
	return m
}

func rectify(v float32) (above, below float32) {
	return max(v, 0), max(-v, 0)
}

// reduce averages the picture into baseSize × baseSize cells, 0 to 1.
func reduce(img *image.RGBA) (r, g, b []float32) {
	r, g, b = make([]float32, baseSize*baseSize), make([]float32, baseSize*baseSize), make([]float32, baseSize*baseSize)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range baseSize {
		y0, y1 := span(y, h)
		for x := range baseSize {
			x0, x1 := span(x, w)
			var sum [3]int
			for v := y0; v < y1; v++ {
				row := img.Pix[v*img.Stride+4*x0 : v*img.Stride+4*x1]
				for i := 0; i < len(row); i += 4 {
					sum[0] += int(row[i])
					sum[1] += int(row[i+1])
					sum[2] += int(row[i+2])
				}
			}
			scale := 1 / (255 * float32((y1-y0)*(x1-x0)))
			i := y*baseSize + x
			r[i], g[i], b[i] = float32(sum[0])*scale, float32(sum[1])*scale, float32(sum[2])*scale
		}
	}
	return r, g, b
}

// span gives the pixels [lo, hi) of a picture n pixels wide that fall into cell i.
func span(i, n int) (lo, hi int) {
	lo, hi = i*n/baseSize, (i+1)*n/baseSize
	return lo, max(hi, lo+1)
}

// pool averages 2 × 2 cells.
func pool(full []cell) maps {
	m := make(maps, mapSize*mapSize)
	for i := range m {
		first := 2*(i/mapSize)*baseSize + 2*(i%mapSize)
		for _, at := range [4]int{0, 1, baseSize, baseSize + 1} {
			for c, v := range full[first+at] {
				m[i][c] += v / 4
			}
		}
	}
	return m
}
