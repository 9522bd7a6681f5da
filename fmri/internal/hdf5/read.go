package hdf5

import (
	"slices"
	"sort"
)

// Read reads the whole dataset in C order. It fails if T cannot hold every value of the stored type exactly.
func Read[T Number](d *Dataset) ([]T, error) {
	if err := d.plausible(); err != nil {
		return nil, err
	}
	dst := make([]T, d.Len())
	return dst, ReadSlab(d, dst, make([]int, len(d.shape)), d.shape)
}

// plausible refuses shapes far beyond what the file holds before memory is taken for them. Datasets may be larger than
// their file, since what was never written takes no room, but not without end.
func (d *Dataset) plausible() error {
	if err := d.checkStored(); err != nil {
		return err
	}
	const sparse = 16 << 20
	if d.class == layoutVirtual { // held against its sources
		return d.assemble()
	}
	n := uint64(d.Len()) * uint64(d.elem.Size)
	if n <= sparse+16*uint64(d.f.size) {
		return nil
	}
	held := d.size // of a contiguous dataset, which was compared with the file when it was opened
	switch {
	case d.class == layoutContiguous && d.addr == undefined:
		held = 0
	case d.class == layoutChunked:
		chunks, err := d.loadChunks()
		if err != nil {
			return err
		}
		held = 0
		for _, c := range chunks {
			held += min(d.chunkBytes(), d.mostBytes(c.size))
		}
	}
	if n/16 > held {
		return d.errorf("shape %v of %s has %d bytes, of which the file holds %d at most; read a part of it", d.shape, d.elem, n, held)
	}
	return nil
}

// ReadSlab reads the block of the given size that begins at start into dst, in C order; dst holds the product of
// count. Only the parts of the file that the block needs are read.
func ReadSlab[T Number](d *Dataset, dst []T, start, count []int) error {
	r, err := newReader(d, dst)
	if err != nil {
		return err
	}
	return r.slab(start, count)
}

func (r *reader[T]) slab(start, count []int) error {
	d := r.d
	if len(start) != len(d.shape) || len(count) != len(d.shape) {
		return d.errorf("slab at %v of %v for shape %v", start, count, d.shape)
	}
	for i := range start {
		if start[i] < 0 || count[i] < 0 || start[i] > d.shape[i] || count[i] > d.shape[i]-start[i] {
			return d.errorf("slab at %v of %v for shape %v", start, count, d.shape)
		}
	}
	n, _ := product(count)
	if len(r.dst) != n*r.unit {
		return d.errorf("slab of %v into %d values", count, len(r.dst)/max(1, r.unit))
	}
	if len(r.dst) == 0 {
		return nil
	}
	if err := d.checkUnwritten(); err != nil {
		return err
	}
	if d.class != layoutChunked {
		s := selection{block: make([]int, len(start)), shape: d.shape, start: start, count: count, stride: strides(count)}
		return r.gather(d.addr, s.runs(nil))
	}
	chunks, err := d.loadChunks()
	if err != nil {
		return err
	}
	// Visit the chunks that the block touches.
	lo, hi := make([]int, len(start)), make([]int, len(start))
	for i := range lo {
		lo[i], hi[i] = start[i]/d.chunk[i], (start[i]+count[i]-1)/d.chunk[i]
	}
	stride := strides(count)
	var wanted []job
	at := slices.Clone(lo)
	for {
		s := selection{block: make([]int, len(at)), shape: d.chunk, start: start, count: count, stride: stride}
		pos := uint64(0)
		for i, g := range d.cells {
			s.block[i] = at[i] * d.chunk[i]
			pos = pos*uint64(g) + uint64(at[i])
		}
		wanted = append(wanted, job{pos: pos, sel: []selection{s}})
		if len(wanted) == 1<<14 {
			if err := r.chunks(chunks, wanted); err != nil {
				return err
			}
			wanted = wanted[:0]
		}
		if !advance(at, lo, hi) {
			return r.chunks(chunks, wanted)
		}
	}
}

// advance steps at through the box lo..hi, last axis fastest, and says whether there was a next place.
func advance(at, lo, hi []int) bool {
	for i := len(at) - 1; i >= 0; i-- {
		if at[i]++; at[i] <= hi[i] {
			return true
		}
		at[i] = lo[i]
	}
	return false
}

// columns is ReadColumns for values of the reader's type.
func (r *reader[T]) columns(columns []int) (err error) {
	d := r.d
	if len(d.shape) == 0 {
		return d.errorf("a scalar has no columns")
	}
	n, width := d.shape[0], 1
	for _, s := range d.shape[1:] {
		width *= s
	}
	for _, c := range columns {
		if c < 0 || c >= width {
			return d.errorf("column %d of shape %v", c, d.shape)
		}
	}
	if len(r.dst) != n*len(columns)*r.unit {
		return d.errorf("%d rows of %d columns into %d values", n, len(columns), len(r.dst)/max(1, r.unit))
	}
	if len(r.dst) == 0 {
		return nil
	}
	if err := d.checkUnwritten(); err != nil {
		return err
	}
	// stored is the block that holds everything, a chunk or the whole dataset, and step how many rows are read at a time.
	stored, step := d.shape, max(1, (1<<18)/len(columns))
	if d.class == layoutChunked {
		stored, step = d.chunk, d.chunk[0]
	}
	var chunks []chunkRef
	if d.class == layoutChunked {
		if chunks, err = d.loadChunks(); err != nil {
			return err
		}
	}
	order := make([]int, len(columns)) // by column, so that the parts of one chunk come together
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return columns[order[i]] < columns[order[j]] })
	for row := 0; row < n; row += step {
		rows := min(step, n-row)
		jobs := make(map[uint64]int) // position to place in wanted
		var wanted []job
		for _, v := range order {
			s := column(d.shape, stored, columns[v], row, rows, len(columns), v)
			pos := uint64(0)
			if d.class == layoutChunked {
				for i, g := range d.cells {
					pos = pos*uint64(g) + uint64(s.block[i]/d.chunk[i])
				}
			} else {
				s.block = make([]int, len(s.block))
			}
			k, ok := jobs[pos]
			if !ok {
				k = len(wanted)
				jobs[pos] = k
				wanted = append(wanted, job{pos: pos})
			}
			wanted[k].sel = append(wanted[k].sel, s)
		}
		if d.class == layoutChunked {
			err = r.chunks(chunks, wanted)
		} else {
			var runs []run
			for _, s := range wanted[0].sel {
				runs = s.runs(runs)
			}
			err = r.gather(d.addr, runs)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// column is the selection of rows [row, row+rows) of one column, which goes to column v of a matrix of the given width.
func column(shape, stored []int, col, row, rows, width, v int) selection {
	rank := len(shape)
	s := selection{block: make([]int, rank), shape: stored, start: make([]int, rank), count: make([]int, rank),
		stride: make([]int, rank), to: row*width + v}
	s.start[0], s.count[0], s.stride[0] = row, rows, width
	for i := rank - 1; i > 0; i-- {
		s.start[i], s.count[i] = col%shape[i], 1
		col /= shape[i]
	}
	for i := range s.block {
		s.block[i] = s.start[i] / stored[i] * stored[i]
	}
	return s
}

// strides is how far apart neighbours along each axis are in C order.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= shape[i]
	}
	return s
}

// job is a chunk and what is wanted of it.
type job struct {
	pos uint64
	sel []selection
}
