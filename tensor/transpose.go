package tensor

// ToChannelsLast reorders x [n, c, h, w] to y [n, h, w, c]. y must not overlap x.
func ToChannelsLast(y, x []float32, n, c, h, w int) {
	need("ToChannelsLast", "y", len(y), n*c*h*w)
	need("ToChannelsLast", "x", len(x), n*c*h*w)
	transpose(y, x, n, c, h*w)
}

// ToChannelsFirst reorders x [n, h, w, c] to y [n, c, h, w]. y must not overlap x.
func ToChannelsFirst(y, x []float32, n, c, h, w int) {
	need("ToChannelsFirst", "y", len(y), n*c*h*w)
	need("ToChannelsFirst", "x", len(x), n*c*h*w)
	transpose(y, x, n, h*w, c)
}

// transposing is the job y [n, cols, rows] = x [n, rows, cols], a band of columns at a time.
type transposing struct {
	y, x              []float32
	rows, cols, bands int
}

var transposings freeList[transposing]

// band is how many columns of the input a tile has: the lines of the cache that it writes are then whole.
const band = 16

func transpose(y, x []float32, n, rows, cols int) {
	t := transposings.get()
	*t = transposing{y: y, x: x, rows: rows, cols: cols, bands: (cols + band - 1) / band}
	run(t, n*t.bands, len(x))
	transposings.put(t)
}

func (t *transposing) tile(i int) {
	n, b := i/t.bands, i%t.bands
	x, y := t.x[n*t.rows*t.cols:][:t.rows*t.cols], t.y[n*t.rows*t.cols:][:t.rows*t.cols]
	from, to := b*band, min((b+1)*band, t.cols)
	for r0 := 0; r0 < t.rows; r0 += band {
		r1 := min(r0+band, t.rows)
		for c := from; c < to; c++ {
			for r := r0; r < r1; r++ {
				y[c*t.rows+r] = x[r*t.cols+c]
			}
		}
	}
}
