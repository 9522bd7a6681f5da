package weights

import (
	"encoding/binary"
	"fmt"
	"slices"

	"percept/weights/safetensors"
)

var le = binary.LittleEndian

// layout says how the elements of a tensor lie in its data where that is not one behind the other in C order.
type layout struct {
	n       int   // elements
	dims    []int // dimensions that count: none of length 1, and those that lie end to end are one
	strides []int // in elements
	swap    bool  // the elements are in the order of a big-endian machine
}

// newLayout returns nil for what lies in C order already. shape and strides have been checked against the data.
func newLayout(n int, shape, strides []int, swap bool) *layout {
	l := &layout{n: n, swap: swap}
	for i, d := range shape {
		if d == 1 {
			continue
		}
		if k := len(l.dims) - 1; k >= 0 && l.strides[k] == d*strides[i] {
			l.dims[k], l.strides[k] = l.dims[k]*d, strides[i]
			continue
		}
		l.dims, l.strides = append(l.dims, d), append(l.strides, strides[i])
	}
	inOrder := len(l.dims) == 0 || len(l.dims) == 1 && l.strides[0] == 1
	if n == 0 || inOrder && !swap {
		return nil
	}
	return l
}

// tensorInfo is one tensor of a Store: where it lies and what it is.
type tensorInfo struct {
	safetensors.Tensor                        // of which the data are dense, unless load or layout says otherwise
	source             string                 // name in the file
	load               func() ([]byte, error) // what the data are, where that has to be looked for
	layout             *layout                // see dense
	aside              bool                   // no part of a model: the state of an optimiser and the like
	problem            string                 // why the values cannot be read
}

// unreadable says why the tensor has no values here; empty where it has.
func (t tensorInfo) unreadable() string {
	if t.problem == "" && !t.DType.Readable() {
		return fmt.Sprintf("type %.40q", string(t.DType))
	}
	return t.problem
}

// raw returns the bytes of the file that hold the tensor.
func (t tensorInfo) raw() ([]byte, error) {
	if t.load != nil {
		return t.load()
	}
	return t.Data, nil
}

// dense returns the tensor in C order and little-endian: as it lies in the file, or in new memory.
func (t tensorInfo) dense() (safetensors.Tensor, error) {
	if t.problem != "" {
		return t.Tensor, fmt.Errorf("its values cannot be read: %s", t.problem)
	}
	data, err := t.raw()
	if err != nil {
		return t.Tensor, err
	}
	if t.Data = data; t.layout == nil {
		return t.Tensor, nil
	}
	size := t.DType.Size()
	out := make([]byte, t.layout.n*size)
	t.layout.gather(out, t.Data, size)
	if t.layout.swap && size > 1 {
		for i := 0; i < len(out); i += size {
			slices.Reverse(out[i : i+size])
		}
	}
	t.Data = out
	return t.Tensor, nil
}

// gather writes the elements to dst in C order.
func (l *layout) gather(dst, src []byte, size int) {
	dims, strides := l.dims, l.strides
	if len(dims) < 2 {
		dims, strides = append([]int{1, 1}, dims...), append([]int{0, 0}, strides...)
	}
	k := len(dims) - 2
	// Where another dimension than the last is the one of near elements, that one and the last are walked through in
	// squares, so that a line of the cache is used as long as it is there.
	near := k
	for i := range k + 1 {
		if strides[i] > 0 && (strides[near] == 0 || strides[i] < strides[near]) {
			near = i
		}
	}
	outSteps := make([]int, len(dims)) // of dst, in elements
	step := 1
	for i := len(dims) - 1; i >= 0; i-- {
		outSteps[i] = step
		step *= dims[i]
	}
	var outer []int // all dimensions but the two
	for i := range k + 1 {
		if i != near {
			outer = append(outer, i)
		}
	}
	p := plane{
		rows: dims[near], rowIn: strides[near] * size, rowOut: outSteps[near] * size,
		cols: dims[k+1], colIn: strides[k+1] * size, size: size,
	}
	at := make([]int, len(outer))
	for in, out := 0, 0; ; {
		p.copy(dst[out:], src[in:])
		i := len(outer) - 1
		for ; i >= 0; i-- { // the next place in the outer dimensions
			d := outer[i]
			in, out = in+strides[d]*size, out+outSteps[d]*size
			if at[i]++; at[i] < dims[d] {
				break
			}
			in, out = in-dims[d]*strides[d]*size, out-dims[d]*outSteps[d]*size
			at[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// plane is two dimensions of a tensor: columns lie one behind the other in the result. Steps are in bytes.
type plane struct {
	rows, rowIn, rowOut int
	cols, colIn, size   int
}

func (p *plane) copy(dst, src []byte) {
	if p.colIn == p.size {
		n := p.cols * p.size
		for r := range p.rows {
			copy(dst[r*p.rowOut:][:n], src[r*p.rowIn:])
		}
		return
	}
	const tile = 64
	for r := 0; r < p.rows; r += tile {
		for c := 0; c < p.cols; c += tile {
			cols := min(tile, p.cols-c)
			for i := r; i < min(r+tile, p.rows); i++ {
				copyStep(dst[i*p.rowOut+c*p.size:], src[i*p.rowIn+c*p.colIn:], cols, p.colIn, p.size)
			}
		}
	}
}

// copyStep copies n elements that lie step bytes apart.
func copyStep(dst, src []byte, n, step, size int) {
	switch size {
	case 1:
		for i := range n {
			dst[i] = src[i*step]
		}
	case 2:
		for i := range n {
			le.PutUint16(dst[2*i:], le.Uint16(src[i*step:]))
		}
	case 4:
		for i := range n {
			le.PutUint32(dst[4*i:], le.Uint32(src[i*step:]))
		}
	default:
		for i := range n {
			le.PutUint64(dst[8*i:], le.Uint64(src[i*step:]))
		}
	}
}
