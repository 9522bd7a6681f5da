package tensor

import "percept/tensor/internal/kernel"

// convolution is the job of a convolution by implicit product. The windows of one output line are rows of a matrix that
// lies in the image already: with channels last, a window's row of taps is kw·cin floats in one piece, and the next
// window begins Stride·cin floats on. Only the zeros at the image's sides are missing, so a tile copies the lines it
// needs, with their zeros, into a band.
//
// A line shorter than the kernel's rows leaves some of them unused. To copy the windows of several lines together
// makes a step of the embedded U-Net 3 % faster: too little for a second way of doing it.
//
//	tile (output lines × panels of the grid)
//	  for blocks of lines            a band stays in the second-level cache
//	    copy the band
//	    for blocks of B's rows       all rows of taps, or a part of one
//	      for panels
//	        for lines: kernel, with rows of A that overlap
//	    epilogue
type convolution struct {
	ConvGeometry
	set     *kernel.Set
	b       *packed
	y, x    []float32
	cin, kh int
	oh, ow  int
	step    int  // floats of the band from window to window
	spread  bool // windows do not share floats: see aliases
	pitch   int  // floats of one line of the band
	lines   int  // output lines of a block
	end     ending
	grid
}

var convolutions freeList[convolution]

func (p *convolution) run() {
	pixels := p.N * p.oh * p.ow
	work := 2 * pixels * p.b.n * p.b.k
	p.lines = max(1, maxMC/p.ow)
	p.step, p.pitch = p.Stride*p.cin, (p.PadLeft+p.W+p.PadRight)*p.cin
	if p.spread = aliases(p.step); p.spread {
		p.step = p.b.k/p.kh + apart
		p.pitch = p.ow * p.step
	}
	p.grid = newGrid(p.N*p.oh, max(1, 48/p.ow), p.b.panels(), pixels >= p.b.n, work)
	run(p, p.tiles(), work)
}

func (p *convolution) tile(i int) {
	l0, l1, j0, j1 := p.at(i)
	buf, aside, b := buffers32.get(), buffers32.get(), p.b.open()
	for l0 < l1 {
		end := min(l1, l0+p.lines, (l0/p.oh+1)*p.oh) // a band lies in one image
		p.block(buf, aside, b, l0, end, j0, j1)
		l0 = end
	}
	buffers32.keep(buf)
	buffers32.keep(aside)
	b.close()
}

// block computes output lines l0 … l1-1, counted over all images, of panels j0 … j1-1.
func (p *convolution) block(buf, aside *buffer[float32], b *packed, l0, l1, j0, j1 int) {
	band := buf.resized(((l1-l0-1)*p.Stride + p.kh) * p.pitch)
	p.fill(band, l0)
	row0, rows := l0*p.ow, (l1-l0)*p.ow
	col0, cols := b.columns(j0, j1)
	c, ldc := p.end.landing(aside, p.y, row0, rows, col0, cols)
	a := kernel.Left{M: p.ow, Stride: p.step, Runs: 1, Jump: p.pitch}
	for k0 := 0; k0 < b.k; k0 += b.depth(k0) {
		tap, at := k0/b.line, k0%b.line
		a.Run = b.depth(k0)
		if a.Run == b.k { // all rows of taps in one block
			a.Runs, a.Run = p.kh, b.k/p.kh
		}
		for j := j0; j < j1; j++ {
			for l := l0; l < l1; l++ {
				a.X = band[((l-l0)*p.Stride+tap)*p.pitch+at:]
				b.multiply(p.set, c[(l-l0)*p.ow*ldc+j*b.nr-col0:], ldc, a, k0, j)
			}
		}
	}
	p.end.applyFrom(p.set, p.y, c, ldc, row0, rows, col0, cols)
}

// fill copies the input lines that output lines from l0 on see into the band, with the zeros around them.
func (p *convolution) fill(band []float32, l0 int) {
	n, top := l0/p.oh, l0%p.oh*p.Stride-p.PadTop
	left, line := p.PadLeft*p.cin, p.W*p.cin
	for i := 0; len(band) > 0; i, band = i+1, band[p.pitch:] {
		to := band[:p.pitch]
		h := top + i
		if h < 0 || h >= p.H {
			clear(to)
			continue
		}
		x := p.x[(n*p.H+h)*line:][:line]
		if p.spread {
			p.windows(to, x)
			continue
		}
		clear(to[:left])
		copy(to[left:], x)
		clear(to[left+line:])
	}
}

// windows copies the windows of an input line x, which share pixels, to places of their own, apart from one another.
func (p *convolution) windows(to, x []float32) {
	size := p.step - apart
	for at := -p.PadLeft * p.cin; len(to) > 0; at, to = at+p.Stride*p.cin, to[p.step:] {
		from, end := min(max(0, -at), size), max(0, min(size, len(x)-at))
		if from >= end {
			clear(to[:size])
			continue
		}
		clear(to[:from])
		copy(to[from:end], x[at+from:])
		clear(to[end:size])
	}
}
