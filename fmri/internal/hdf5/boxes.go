package hdf5

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// boxes is the elements of a selection: boxes of one shape at regular distances along each axis, or some that are listed.
type boxes struct {
	all                         bool // every element
	start, stride, count, block []uint64
	list                        []boxes // each of one box
}

// selection reads a selection as the library stores it; the error is of one that is not followed.
func (c *cursor) selection() (s boxes, err error) {
	const hyperslab, all = 2, 3
	kind, version := c.u32(), c.u32()
	switch {
	case kind == all:
		c.skip(8)
		return boxes{all: true}, nil
	case kind != hyperslab || version < 1 || version > 3:
		return s, fmt.Errorf("virtual layout with a selection of type %d, version %d, is not followed", kind, version)
	}
	regular, width := false, 4
	switch version {
	case 1:
		c.skip(8)
	case 2:
		regular, width = c.u8()&1 != 0, 8
		c.skip(4)
	case 3:
		regular, width = c.u8()&1 != 0, int(c.u8())
	}
	rank := int(c.u32())
	if rank < 1 || rank > 32 || width != 2 && width != 4 && width != 8 {
		c.failf("selection of rank %d in numbers of %d bytes", rank, width)
	}
	if c.err != nil {
		return s, c.err
	}
	if !regular {
		return c.boxList(rank, width), nil
	}
	for range rank {
		s.start, s.stride = append(s.start, c.uint(width)), append(s.stride, c.uint(width))
		count, block := c.uint(width), c.uint(width)
		if most := uint64(undefined) >> (64 - 8*width); count == most || block == most {
			err = errUnlimited
		}
		s.count, s.block = append(s.count, count), append(s.block, block)
	}
	return s, err
}

// boxList reads boxes, each by its first and last element.
func (c *cursor) boxList(rank, width int) (s boxes) {
	for n := c.uint(width); n > 0 && c.err == nil; n-- {
		var b boxes
		for range rank {
			b.start, b.stride, b.count = append(b.start, c.uint(width)), append(b.stride, 1), append(b.count, 1)
		}
		for i := range rank {
			end := c.uint(width)
			if c.err == nil && end < b.start[i] {
				c.failf("a box from %d to %d", b.start[i], end)
			}
			b.block = append(b.block, end-b.start[i]+1)
		}
		s.list = append(s.list, b)
	}
	return s
}

// span is elements that follow on one another.
type span struct{ at, n int }

// len is the number of the selection's elements, at most undefined.
func (s boxes) len(shape []int) uint64 {
	if s.all {
		n, _ := product(shape)
		return uint64(n)
	}
	if s.list != nil {
		n := uint64(0)
		for _, b := range s.list {
			k := b.len(shape)
			if n > undefined-k {
				return undefined
			}
			n += k
		}
		return n
	}
	n := uint64(1)
	for i := range s.count {
		for _, k := range []uint64{s.count[i], s.block[i]} {
			hi, lo := bits.Mul64(n, k)
			if hi != 0 {
				return undefined
			}
			n = lo
		}
	}
	return n
}

// spans lists the selection's elements of an array of a shape, in C order.
func (s boxes) spans(shape []int) ([]span, error) {
	total, _ := product(shape)
	if s.all {
		return []span{{0, total}}, nil
	}
	if s.list != nil {
		var spans []span
		for _, b := range s.list {
			more, err := b.spans(shape)
			if err != nil {
				return nil, err
			}
			spans = append(spans, more...)
		}
		slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.at, b.at) })
		return spans, nil
	}
	if len(s.start) != len(shape) {
		return nil, fmt.Errorf("a selection of rank %d for shape %v", len(s.start), shape)
	}
	spans := []span{{0, 1}}
	for axis, size := range shape {
		start, stride, count, block := s.start[axis], s.stride[axis], s.count[axis], s.block[axis]
		n := uint64(size)
		if count == 0 || block == 0 || start > n || block > n-start || count > 1 && (stride < block || count-1 > (n-start-block)/stride) {
			return nil, fmt.Errorf("a selection of %d blocks of %d at %d, each %d from the other, of axis %d of shape %v", count, block, start,
				stride, axis, shape)
		}
		// The spans so far are of the leading axes; each of their elements is a row of this one.
		var next []span
		for _, v := range spans {
			for k := range v.n {
				row := (v.at + k) * size
				for b := range int(count) {
					at := row + int(start) + b*int(stride)
					if e := len(next) - 1; e >= 0 && next[e].at+next[e].n == at {
						next[e].n += int(block)
					} else {
						next = append(next, span{at, int(block)})
					}
				}
			}
		}
		spans = next
	}
	return spans, nil
}
