package tensor

// maxKC bounds how many products are added in one float32 sum before it is added to the sum of the earlier ones. It
// keeps a block of panels in the cache and the rounding error of long sums small.
const maxKC = 384

// layout says how a matrix B [k, n] is packed for one kernel set: first by blocks of rows, in each by panels of nr
// columns, in each panel row by row. Blocks have kc rows, or what is left of line rows: no block goes across a multiple
// of line.
type layout struct {
	k, n, nr int
	line, kc int
	width    int // columns with the padding of the last panel
}

// newLayout lays out B [k, n] with k made of lines of line rows, which a convolution needs: a line is one row of taps.
// A matrix short enough to be one block is one whatever its lines.
func newLayout(k, line, n, nr int) layout {
	if k <= maxKC {
		line = k
	}
	blocks := max(1, (line+maxKC-1)/maxKC)
	last := n % nr
	width := n
	switch {
	case last > nr/2:
		width += nr - last
	case last > 0:
		width += nr/2 - last
	}
	return layout{k: k, n: n, nr: nr, line: line, kc: (line + blocks - 1) / blocks, width: width}
}

// depth returns how many rows the block at row k0 has.
func (l *layout) depth(k0 int) int { return min(l.kc, l.line-k0%l.line) }

// panels returns how many panels a block has.
func (l *layout) panels() int { return (l.n + l.nr - 1) / l.nr }

// size returns how many elements the packed matrix has.
func (l *layout) size() int { return l.k * l.width }

// span returns where panel j of the block that begins at row k0 lies in the packed matrix, and its width.
func (l *layout) span(k0, j int) (from, to, w int) {
	kc := l.depth(k0)
	w = min(l.nr, l.width-j*l.nr)
	from = k0*l.width + j*l.nr*kc
	return from, from + kc*w, w
}

// panel returns panel j of the block that begins at row k0, and its width.
func (l *layout) panel(data []float32, k0, j int) (p []float32, w int) {
	from, to, w := l.span(k0, j)
	return data[from:to], w
}

// packTransposed fills panel j of the block at k0 from b [n, ld], which holds B's columns as rows.
func (l *layout) packTransposed(data, b []float32, ld, k0, j int) {
	p, w := l.panel(data, k0, j)
	kc := len(p) / w
	for c := range w {
		col := j*l.nr + c
		if col >= l.n {
			for k := range kc {
				p[k*w+c] = 0
			}
			continue
		}
		for k, v := range b[col*ld+k0:][:kc] {
			p[k*w+c] = v
		}
	}
}

// block returns the first row of the block that row k is in.
func (l *layout) block(k int) int {
	line := k / l.line * l.line
	return line + (k-line)/l.kc*l.kc
}

// packTaps fills panel j of all blocks from b, a convolution's weights [n, cin, taps] in torch's order: row k of B is tap
// k/cin of input channel k%cin.
//
//	for blocks of channels      what is read and what is written stay in the second-level cache
//	  for taps, blocks of rows
//	    gather
func (p *packed) packTaps(b []float32, cin, taps, j int) {
	col := j * p.nr
	step := max(1, 256/taps)
	buf := buffers32.get()
	for in := 0; in < cin; in += step {
		for tap := range taps {
			for k, end := tap*cin+in, tap*cin+min(cin, in+step); k < end; {
				k0 := p.block(k)
				from, to, w := p.span(k0, j)
				rows := min(end, k0+(to-from)/w) - k
				from += (k - k0) * w
				n := min(w, p.n-col)
				var rowsOf []float32
				if p.format == Float32 {
					rowsOf = p.data[from:][:rows*w]
				} else {
					rowsOf = buf.resized(rows * w)
				}
				if n < w {
					clear(rowsOf)
				}
				gather(rowsOf, b[col*p.k+(k-tap*cin)*taps+tap:], w, n, p.k, taps)
				if p.format != Float32 {
					p.format.narrow(p.half[from:], rowsOf)
				}
				k += rows
			}
		}
	}
	buffers32.keep(buf)
}

// gather writes n columns of to [·, w] from rows of b that begin ld floats apart, of which it takes each step-th
// element.
func gather(to, b []float32, w, n, ld, step int) {
	c := 0
	for ; c+4 <= n; c += 4 {
		x0, x1, x2, x3 := b[c*ld:], b[(c+1)*ld:], b[(c+2)*ld:], b[(c+3)*ld:]
		for i, x := c, 0; i < len(to); i, x = i+w, x+step {
			t := to[i : i+4 : i+4]
			t[0], t[1], t[2], t[3] = x0[x], x1[x], x2[x], x3[x]
		}
	}
	for ; c < n; c++ {
		x := b[c*ld:]
		for i, at := c, 0; i < len(to); i, at = i+w, at+step {
			to[i] = x[at]
		}
	}
}
