package tensor

import (
	"fmt"
	"slices"

	"percept/internal/half"
	"percept/tensor/internal/kernel"
)

// Format is the element type in which a layer keeps its matrices. Whatever it is, the layer computes in float32: of
// 16-bit elements it widens one block of a panel after the other just before it multiplies with it, so that the result
// has the bits of a float32 layer with the rounded weights.
type Format uint8

// The formats.
const (
	Float32  Format = iota
	Float16         // IEEE 754 binary16: 11 bits of precision, up to 65504
	BFloat16        // the upper half of a float32: 8 bits of precision, float32's range
)

var formatNames = []string{"float32", "float16", "bfloat16"}

func (f Format) String() string { return formatNames[f] }

// ParseFormat is the inverse of Format.String.
func ParseFormat(name string) (Format, error) {
	i := slices.Index(formatNames, name)
	if i < 0 {
		return 0, fmt.Errorf("format %q, expected float32, float16 or bfloat16", name)
	}
	return Format(i), nil
}

// size is the bytes of an element.
func (f Format) size() int {
	if f == Float32 {
		return 4
	}
	return 2
}

// narrow rounds x to 16-bit elements.
func (f Format) narrow(y []uint16, x []float32) {
	y = y[:len(x)]
	if f == Float16 {
		for i, v := range x {
			y[i] = half.ToF16(v)
		}
		return
	}
	for i, v := range x {
		y[i] = half.ToBF16(v)
	}
}

// rounded returns x rounded to the format, as float32.
func (f Format) rounded(x []float32) []float32 {
	if f == Float32 {
		return x
	}
	y := make([]float32, len(x))
	for i, v := range x {
		if f == Float16 {
			y[i] = half.FromF16(half.ToF16(v))
		} else {
			y[i] = half.FromBF16(half.ToBF16(v))
		}
	}
	return y
}

// widened is what one tile has of a packed matrix of 16-bit elements: a block of a panel as float32.
type widened struct {
	wide  []float32
	k0, j int  // which it is; k0 is -1 at first
	mine  bool // the tile's own
}

var openings freeList[packed]

// open returns b for use by one tile, until close: b itself, or where b has 16-bit elements a copy that can widen them.
func (b *packed) open() *packed {
	if b.format == Float32 {
		return b
	}
	o := openings.get()
	wide := o.wide
	*o = *b
	o.widened = widened{wide: wide, k0: -1, mine: true}
	return o
}

// close ends what open began.
func (b *packed) close() {
	if b.mine {
		*b = packed{widened: widened{wide: b.wide}}
		openings.keep(b)
	}
}

// block32 returns panel j of the block at row k0 as float32, valid until the next call. b is opened.
func (b *packed) block32(set *kernel.Set, k0, j int) []float32 {
	from, to, _ := b.span(k0, j)
	if b.format == Float32 {
		return b.data[from:to]
	}
	if !b.mine {
		panic("tensor: packed matrix of 16-bit elements is not opened")
	}
	if b.k0 == k0 && b.j == j {
		return b.wide[:to-from]
	}
	if cap(b.wide) < to-from {
		b.wide = make([]float32, max(to-from, maxKC*b.nr))
	}
	wide := b.wide[:to-from]
	if b.format == Float16 {
		set.WidenF16(wide, b.half[from:to])
	} else {
		set.WidenBF16(wide, b.half[from:to])
	}
	b.k0, b.j = k0, j
	return wide
}
