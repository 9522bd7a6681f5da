package hdf5

import (
	"math/bits"
)

func (d *Dataset) readSingle() error {
	ref := chunkRef{addr: d.addr, size: d.chunkBytes()}
	if d.index.filtered {
		ref.size, ref.mask = d.index.singleBytes, d.index.singleMask
	}
	d.add(make([]uint64, len(d.shape)), ref)
	return nil
}

// maxGrid is the number of chunks along each axis of the largest shape, 0 where that has no end; array indexes count
// with it.
func (d *Dataset) maxGrid() []uint64 {
	g := make([]uint64, len(d.shape))
	for i, m := range d.maxShape {
		if m != undefined {
			g[i] = (m + uint64(d.chunk[i]) - 1) / uint64(d.chunk[i])
		}
	}
	return g
}

// arrayPosition turns the number of an array element into grid coordinates: C order of the largest grid, with the
// axis that may grow without end moved to the front.
func (d *Dataset) arrayPosition(grid []uint64, i uint64, at []uint64) {
	grow := -1
	for a, g := range grid {
		if g == 0 {
			grow = a
		}
	}
	for a := len(grid) - 1; a >= 0; a-- {
		if a == grow {
			continue
		}
		at[a] = i % grid[a]
		i /= grid[a]
	}
	if grow >= 0 {
		at[grow] = i
	} else if i > 0 {
		at[0] = undefined // beyond the grid
	}
}

// readImplicit places the chunks of an index that is only a rule: one after the other.
func (d *Dataset) readImplicit() error {
	f, grid := d.f, d.maxGrid()
	n, whole := uint64(1), d.chunkBytes()
	for _, g := range grid {
		hi, lo := bits.Mul64(n, g)
		if hi != 0 {
			return f.errorf(d.addr, "%s: too many chunks", d.name)
		}
		n = lo
	}
	hi, total := bits.Mul64(n, whole)
	if hi != 0 {
		return f.errorf(d.addr, "%s: too many chunks", d.name)
	}
	if err := f.inside(d.addr, total, d.name+": chunks"); err != nil {
		return err
	}
	at := make([]uint64, len(grid))
	for i := range n {
		d.arrayPosition(grid, i, at)
		d.add(at, chunkRef{addr: d.addr + i*whole, size: whole})
	}
	return nil
}

func (d *Dataset) readBTree2() error {
	kind := uint8(10)
	if len(d.filters) > 0 {
		kind = 11
	}
	at := make([]uint64, len(d.shape))
	return d.f.walkBTree2(d.addr, kind, func(c *cursor, size int) error {
		ref := chunkRef{addr: c.offset(), size: d.chunkBytes()}
		if kind == 11 {
			n := size - d.f.offsetSize - 4 - 8*d.rank
			if n < 1 || n > 8 {
				c.failf("chunk record of %d bytes", size)
			}
			ref.size, ref.mask = c.uint(min(max(n, 0), 8)), c.u32()
		} else if size != d.f.offsetSize+8*d.rank {
			c.failf("chunk record of %d bytes", size)
		}
		for i := range d.rank {
			at[i] = c.u64()
		}
		if c.err != nil {
			return c.err
		}
		if ref.addr != undefined {
			d.add(at, ref)
		}
		return nil
	})
}
