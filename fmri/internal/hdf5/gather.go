package hdf5

import (
	"cmp"
	"slices"
)

// selection is a box of a dataset as far as it lies in one stored block (a chunk, or all of a contiguous dataset).
type selection struct {
	block, shape []int // the block's first element and its shape
	start, count []int // the box
	stride       []int // how far apart neighbours along each axis are in the destination
	to           int   // where the box's first element goes
}

// run is elements that follow on one another in the file.
type run struct {
	off    uint64 // elements from the start of the block; in gatherBytes, an address
	n      int    // elements
	to     int    // place of the first one in the destination
	stride int
}

// runs appends the selection's runs, offsets in elements from the start of the block.
func (s *selection) runs(out []run) []run {
	src := strides(s.shape)
	from, to := 0, s.to
	type axis struct{ n, src, dst int }
	axes := make([]axis, 0, len(s.shape))
	for i := range s.shape {
		lo := max(s.start[i], s.block[i])
		n := min(s.start[i]+s.count[i], s.block[i]+s.shape[i]) - lo
		if n <= 0 {
			return out
		}
		from += (lo - s.block[i]) * src[i]
		to += (lo - s.start[i]) * s.stride[i]
		a := axis{n, src[i], s.stride[i]}
		if n == 1 {
			continue
		}
		// An axis that continues the one before it in both places is the same axis.
		if k := len(axes) - 1; k >= 0 && axes[k].src == n*a.src && axes[k].dst == n*a.dst {
			axes[k] = axis{axes[k].n * n, a.src, a.dst}
			continue
		}
		axes = append(axes, a)
	}
	inner := axis{1, 1, 1}
	if k := len(axes) - 1; k >= 0 && axes[k].src == 1 {
		inner, axes = axes[k], axes[:k]
	}
	at := make([]int, len(axes))
	for {
		off, dst := from, to
		for i, a := range axes {
			off += at[i] * a.src
			dst += at[i] * a.dst
		}
		out = append(out, run{uint64(off), inner.n, dst, inner.dst})
		i := len(at) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < axes[i].n {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return out
		}
	}
}

// reader fills one destination from one dataset.
type reader[T Number] struct {
	d      *Dataset
	dst    []T
	unit   int // values of dst that an element takes: 1, or the bytes of one that is not converted
	decode decoder[T]
	fill   []T // an element that was never written
	buf    []byte
}

func newReader[T Number](d *Dataset, dst []T) (*reader[T], error) {
	if err := d.Readable(); err != nil {
		return nil, err
	}
	decode, err := newDecoder[T](d.elem)
	if err != nil {
		return nil, d.errorf("%v", err)
	}
	if err := d.assemble(); err != nil {
		return nil, err
	}
	fill, err := d.fillBytes()
	if err != nil {
		return nil, err
	}
	r := &reader[T]{d: d, dst: dst, unit: 1, decode: decode, fill: make([]T, 1)}
	if fill != nil {
		decode(r.fill, 1, fill, 1)
	}
	return r, nil
}

// newRawReader reads elements of any type as they are stored.
func newRawReader(d *Dataset, dst []byte) (*reader[byte], error) {
	if err := d.checkStored(); err != nil {
		return nil, err
	}
	if err := d.assemble(); err != nil {
		return nil, err
	}
	fill, err := d.fillBytes()
	if err != nil {
		return nil, err
	}
	r := &reader[byte]{d: d, dst: dst, unit: d.elem.Size, decode: copyElements(d.elem.Size), fill: make([]byte, d.elem.Size)}
	copy(r.fill, fill)
	return r, nil
}

func (r *reader[T]) put(v run, src []byte) {
	r.decode(r.dst[v.to*r.unit:], v.stride*r.unit, src, v.n)
}

func (r *reader[T]) putFill(v run) {
	for i, k := 0, v.to*r.unit; i < v.n; i, k = i+1, k+v.stride*r.unit {
		copy(r.dst[k:], r.fill)
	}
}

const (
	maxGap  = 32 << 10 // bytes that are cheaper read and dropped than sought over
	maxRead = 4 << 20
)

// gather reads runs whose offsets count elements from an address. They are read in file order, near ones together.
func (r *reader[T]) gather(addr uint64, runs []run) error {
	d := r.d
	switch {
	case d.class == layoutCompact, d.class == layoutVirtual:
		for _, v := range runs {
			r.put(v, d.compact[v.off*uint64(d.elem.Size):])
		}
		return nil
	case addr == undefined: // never written
		for _, v := range runs {
			r.putFill(v)
		}
		return nil
	}
	size := uint64(d.elem.Size)
	bytes := make([]run, len(runs))
	for i, v := range runs {
		v.off = addr + v.off*size
		bytes[i] = v
	}
	return r.gatherBytes(bytes)
}

// gatherBytes reads runs whose offsets are addresses.
func (r *reader[T]) gatherBytes(runs []run) error {
	if !slices.IsSortedFunc(runs, byOffset) {
		slices.SortFunc(runs, byOffset)
	}
	size := uint64(r.d.elem.Size)
	for len(runs) > 0 {
		first := runs[0]
		if first.n > 1 && uint64(first.n)*size > maxRead { // a long run comes in pieces
			n := max(1, int(maxRead/size))
			if err := r.readSpan(first.off, first.off+uint64(n)*size, []run{{first.off, n, first.to, first.stride}}); err != nil {
				return err
			}
			runs[0] = run{first.off + uint64(n)*size, first.n - n, first.to + n*first.stride, first.stride}
			continue
		}
		end, k := first.off+uint64(first.n)*size, 1
		for ; k < len(runs); k++ {
			stop := max(end, runs[k].off+uint64(runs[k].n)*size)
			if runs[k].off > end+maxGap || stop-first.off > maxRead {
				break
			}
			end = stop
		}
		if err := r.readSpan(first.off, end, runs[:k]); err != nil {
			return err
		}
		runs = runs[k:]
	}
	return nil
}

func byOffset(a, b run) int { return cmp.Compare(a.off, b.off) }

func (r *reader[T]) readSpan(from, to uint64, runs []run) error {
	if err := r.d.f.inside(from, to-from, r.d.name); err != nil {
		return err
	}
	if uint64(cap(r.buf)) < to-from {
		r.buf = make([]byte, to-from)
	}
	buf := r.buf[:to-from]
	if err := r.d.f.readAt(buf, from, r.d.name); err != nil {
		return err
	}
	for _, v := range runs {
		r.put(v, buf[v.off-from:])
	}
	return nil
}

// chunks reads what is wanted of some chunks.
func (r *reader[T]) chunks(index []chunkRef, wanted []job) error {
	d := r.d
	size := uint64(d.elem.Size)
	var plain []run
	type filtered struct {
		ref  chunkRef
		runs []run
	}
	var packed []filtered
	for _, j := range wanted {
		var runs []run
		for _, s := range j.sel {
			runs = s.runs(runs)
		}
		ref, ok := findChunk(index, j.pos)
		switch {
		case !ok:
			for _, v := range runs {
				r.putFill(v)
			}
		case len(d.filters) == 0:
			for _, v := range runs {
				v.off = ref.addr + v.off*size
				plain = append(plain, v)
			}
		default:
			packed = append(packed, filtered{ref, runs})
		}
	}
	if err := r.gatherBytes(plain); err != nil {
		return err
	}
	slices.SortFunc(packed, func(a, b filtered) int { return cmp.Compare(a.ref.addr, b.ref.addr) })
	for _, p := range packed {
		b, err := d.readChunk(p.ref)
		if err != nil {
			return err
		}
		for _, v := range p.runs {
			r.put(v, b[v.off*size:])
		}
	}
	return nil
}
