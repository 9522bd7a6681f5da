package tensor

import "percept/tensor/internal/kernel"

// reduction is the job of the operations that leave less of an image's positions.
type reduction struct {
	set     *kernel.Set
	y, x    []float32
	h, w, c int // of x
	side    int // of the grid of means; 0 is the maximum
}

var reductions freeList[reduction]

// maxChannels is how many channels of an image's maximum make a tile.
const maxChannels = 64

func reduce(y, x []float32, n, h, w, c, side int) {
	p := reductions.get()
	*p = reduction{set: current.Load(), y: y, x: x, h: h, w: w, c: c, side: side}
	tiles := n * side * side
	if side == 0 {
		tiles = n * ((c + maxChannels - 1) / maxChannels)
	}
	run(p, tiles, n*h*w*c)
	reductions.put(p)
}

// MeanPool averages x [n, hw, c] over pixels; y [n, c]. Sums are float64.
func MeanPool(y, x []float32, n, hw, c int) {
	need("MeanPool", "y", len(y), n*c)
	need("MeanPool", "x", len(x), n*hw*c)
	reduce(y, x, n, 1, hw, c, 1)
}

// GridPool averages x [n, h, w, c] over the cells of a grid; y [n, side, side, c]. Cell i of a direction goes from ⌊i·h/side⌋
// to ⌈(i+1)·h/side⌉, as torch's adaptive_avg_pool2d: cells overlap where side is no divisor. Sums are float64.
func GridPool(y, x []float32, n, h, w, c, side int) {
	need("GridPool", "y", len(y), n*side*side*c)
	need("GridPool", "x", len(x), n*h*w*c)
	reduce(y, x, n, h, w, c, side)
}

// MaxPool takes the largest value of x [n, hw, c] over pixels; y [n, c]. It is NaN where there is one.
func MaxPool(y, x []float32, n, hw, c int) {
	need("MaxPool", "y", len(y), n*c)
	need("MaxPool", "x", len(x), n*hw*c)
	reduce(y, x, n, 1, hw, c, 0)
}

func (p *reduction) tile(i int) {
	if p.side == 0 {
		p.largest(i)
		return
	}
	cells := p.side * p.side
	y0, y1 := cell(i%cells/p.side, p.h, p.side)
	x0, x1 := cell(i%p.side, p.w, p.side)
	buf := buffers64.get()
	s := buf.resized(2 * p.c)
	clear(s)
	for row := y0; row < y1; row++ {
		at := (i/cells*p.h + row) * p.w
		p.set.Moments(s[:p.c], s[p.c:], p.x[(at+x0)*p.c:(at+x1)*p.c], p.c)
	}
	size := float64((y1 - y0) * (x1 - x0))
	for j := range p.c {
		p.y[i*p.c+j] = float32(s[j] / size)
	}
	buffers64.keep(buf)
}

// cell returns the positions of number i of the cells of one direction.
func cell(i, size, cells int) (from, to int) {
	return i * size / cells, ((i+1)*size + cells - 1) / cells
}

// largest does a run of channels of one image.
func (p *reduction) largest(i int) {
	runs := (p.c + maxChannels - 1) / maxChannels
	from := i % runs * maxChannels
	to := min(from+maxChannels, p.c)
	image := p.x[i/runs*p.w*p.c:][:p.w*p.c]
	y := p.y[i/runs*p.c:][from:to]
	copy(y, image[from:to])
	for at := p.c; at < len(image); at += p.c {
		for j, v := range image[at+from : at+to] {
			y[j] = max(y[j], v)
		}
	}
}
