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

// packRows fills panel j of the block at k0 from b [k, ld].
func (l *layout) packRows(data, b []float32, ld, k0, j int) {
	p, w := l.panel(data, k0, j)
	n := min(w, l.n-j*l.nr)
	for k := range len(p) / w {
		row := p[k*w : k*w+w]
		copy(row, b[(k0+k)*ld+j*l.nr:][:n])
		clear(row[n:])
	}
}

// packTaps fills p, a panel w wide of the block at k0, from b, a convolution's weights [n, cin, taps] in torch's order:
// row k of B is tap k/cin of input channel k%cin. The first column is col; columns past n are zero.
func (l *layout) packTaps(p, b []float32, cin, taps, k0, col, w int) {
	n := min(w, l.n-col)
	if n < w {
		clear(p)
	}
	for k := k0; k < k0+len(p)/w; {
		tap, in := k/cin, k%cin
		run := min(cin-in, k0+len(p)/w-k) // rows of one tap
		to, from := p[(k-k0)*w:][:run*w], in*taps+tap
		c := 0
		for ; c+4 <= n; c += 4 {
			at := (col+c)*l.k + from
			x0, x1, x2, x3 := b[at:], b[at+l.k:], b[at+2*l.k:], b[at+3*l.k:]
			for i, x := c, 0; i < len(to); i, x = i+w, x+taps {
				t := to[i : i+4 : i+4]
				t[0], t[1], t[2], t[3] = x0[x], x1[x], x2[x], x3[x]
			}
		}
		for ; c < n; c++ {
			x := b[(col+c)*l.k+from:]
			for i := range run {
				to[i*w+c] = x[i*taps]
			}
		}
		k += run
	}
}
