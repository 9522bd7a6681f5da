package sim

import (
	"math"
	"math/rand/v2"
)

// fieldOfView is the width of a picture in degrees of visual angle, as in NSD.
const fieldOfView = 8.4

// receptiveField is what one voxel of early (or, larger, middle) cortex looks at and for.
//
// The response is (Σ_c w_c Σ_p g(p) m_c(p))ⁿ: feature maps m_c weighed by a Gaussian receptive
// field g (Dumoulin and Wandell 2008, doi:10.1016/j.neuroimage.2007.09.034) and by the voxel's
// preference w, then compressed (n < 1; Kay et al. 2013, doi:10.1152/jn.00105.2013).
type receptiveField struct {
	X, Y     float64 // centre in degrees from the picture's centre, x to the right, y upwards
	Sigma    float64 // standard deviation in degrees
	Exponent float64 // n
	Weights  cell

	x0, y0, nx, ny int       // window of map cells
	gauss          []float32 // weight of each cell of the window, sum 1 over the whole field
}

// area says how receptive fields grow with eccentricity and how strongly they compress. Slopes
// and exponents are rounded from the two papers above.
type area struct{ sigma0, slope, exponent, colour float64 }

var areas = map[int16]area{
	1: {0.35, 0.08, 0.85, 0.30}, 2: {0.35, 0.08, 0.85, 0.30}, // V1
	3: {0.40, 0.12, 0.80, 0.30}, 4: {0.40, 0.12, 0.80, 0.30}, // V2
	5: {0.50, 0.17, 0.75, 0.30}, 6: {0.50, 0.17, 0.75, 0.30}, // V3
	7: {0.80, 0.30, 0.65, 0.45}, // hV4
}

// middle is the front end of the middle stages: one field covers a good part of the picture.
var middle = area{1.4, 0.35, 0.60, 0.30}

// magnification is the eccentricity in degrees at which cortical magnification has halved. In
// people it is 0.75 (Horton and Hoyt 1991, doi:10.1001/archopht.1991.01080060080030); a larger
// value spreads the few voxels of the simulation over the whole picture.
const magnification = 4

// placeFields gives every early voxel its receptive field. Each quarter of early cortex sees a
// quarter of the visual field: the left hemisphere the right half, the ventral part the upper
// half. Within an area eccentricity grows to the front, the polar angle runs from one meridian
// to the other and turns round at the border of the next area.
func (a *anatomy) placeFields(r *rand.Rand) map[int]*receptiveField {
	groups := map[[2]int16][]int{}
	for _, v := range a.visual {
		if a.streams[v] == early {
			var right int16
			if a.pos[v][0] >= 0 {
				right = 1
			}
			k := [2]int16{a.prf[v], right}
			groups[k] = append(groups[k], v)
		}
	}
	fields := map[int]*receptiveField{}
	for label := int16(1); label < int16(len(prfNames)); label++ {
		for right := range int16(2) {
			a.placeArea(fields, groups[[2]int16{label, right}], label, right == 1, r)
		}
	}
	return fields
}

func (a *anatomy) placeArea(fields map[int]*receptiveField, v []int, label int16, right bool, r *rand.Rand) {
	a.sortBy(v, func(p [3]float64) float64 { return p[1] })
	band := max(1, int(math.Ceil(math.Sqrt(float64(len(v))))))
	for from := 0; from < len(v); from += band {
		ring := v[from:min(from+band, len(v))]
		a.sortBy(ring, func(p [3]float64) float64 { return math.Abs(p[2]) })
		for i, x := range ring {
			angle := (float64(i) + r.Float64()) / float64(len(ring)) * 90 // from the horizontal meridian
			u := (float64(from) + r.Float64()*float64(len(ring))) / float64(len(v))
			switch label {
			case 3, 4: // V2 mirrors V1
				angle = 90 - angle
			case 7: // hV4 of one side holds the whole half field
				angle = 2*angle - 90
			}
			sin, cos := math.Sincos(angle * math.Pi / 180)
			if label == 2 || label == 4 || label == 6 {
				sin = -sin // dorsal cortex sees the lower field
			}
			if right {
				cos = -cos
			}
			edge := fieldOfView / 2 / max(math.Abs(sin), math.Abs(cos))
			ecc := magnification * (math.Pow(1+edge/magnification, u) - 1)
			f := newField(r, areas[label], ecc*cos, ecc*sin)
			fields[x] = f
		}
	}
}

// newField draws the size and the preferences of a field at a place.
func newField(r *rand.Rand, a area, x, y float64) *receptiveField {
	f := &receptiveField{X: x, Y: y, Exponent: a.exponent}
	f.Sigma = (a.sigma0 + a.slope*math.Hypot(x, y)) * math.Exp(0.15*r.NormFloat64())

	// Shares of luminance, colour and oriented contrast in the drive of the voxel, then one
	// preferred sign or orientation in each.
	lum, col, ori := 0.4*gammaOne(r), a.colour*gammaOne(r), (0.6-a.colour)*gammaOne(r)
	total := lum + col + ori
	lum, col, ori = lum/total, col/total, ori/total
	on := r.Float64()
	f.Weights[onLuminance], f.Weights[offLuminance] = float32(lum*on), float32(lum*(1-on))
	f.Weights[reddish+r.IntN(4)] += float32(col)
	f.Weights[contrast] = float32(ori / 3)
	best := r.IntN(4)
	fine := r.Float64()
	for o := range 4 {
		tuned := 0.15
		if o == best {
			tuned = 0.55
		}
		f.Weights[orientation+o] = float32(ori * 2 / 3 * tuned * fine)
		f.Weights[orientation+4+o] = float32(ori * 2 / 3 * tuned * (1 - fine))
	}
	f.window()
	return f
}

// gammaOne is exponentially distributed, mean 1.
func gammaOne(r *rand.Rand) float64 { return r.ExpFloat64() }

// window tabulates the Gaussian on the map cells within 2.5 standard deviations. The part of a
// field that lies outside the picture sees the grey screen, which drives nothing.
func (f *receptiveField) window() {
	const perDegree = mapSize / fieldOfView
	cx, cy := mapSize/2+f.X*perDegree-0.5, mapSize/2-f.Y*perDegree-0.5
	s := f.Sigma * perDegree
	lo := func(c float64) int { return min(max(int(math.Ceil(c-2.5*s)), 0), mapSize-1) }
	hi := func(c float64) int { return min(max(int(math.Floor(c+2.5*s)), 0), mapSize-1) }
	f.x0, f.y0 = lo(cx), lo(cy)
	f.nx, f.ny = hi(cx)-f.x0+1, hi(cy)-f.y0+1
	f.gauss = make([]float32, f.nx*f.ny)
	for j := range f.ny {
		for i := range f.nx {
			dx, dy := float64(f.x0+i)-cx, float64(f.y0+j)-cy
			f.gauss[j*f.nx+i] = float32(math.Exp(-(dx*dx+dy*dy)/(2*s*s)) / (2 * math.Pi * s * s))
		}
	}
}

// respond is the noise-free response in arbitrary units, before the calibration of the subject.
// scale makes the channels comparable.
func (f *receptiveField) respond(m maps, scale *cell) float64 {
	var pooled cell
	for j := range f.ny {
		row := m[(f.y0+j)*mapSize+f.x0:][:f.nx]
		for i, g := range f.gauss[j*f.nx : (j+1)*f.nx] {
			for c, v := range &row[i] {
				pooled[c] += g * v
			}
		}
	}
	var drive float32
	for c, w := range f.Weights {
		drive += w * scale[c] * pooled[c]
	}
	return math.Pow(float64(max(drive, 0)), f.Exponent)
}

// channelScale is 1 over the standard deviation of each channel over the cells of many pictures.
func channelScale(pictures []maps) (scale cell) {
	var n, sum, sq [channels]float64
	for _, m := range pictures {
		for _, at := range m {
			for c, v := range at {
				n[c]++
				sum[c] += float64(v)
				sq[c] += float64(v) * float64(v)
			}
		}
	}
	for c := range scale {
		if v := sq[c]/n[c] - sum[c]/n[c]*(sum[c]/n[c]); v > 1e-12 {
			scale[c] = float32(1 / math.Sqrt(v))
		}
	}
	return scale
}
