package weights

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"percept/weights/safetensors"
)

// Tensors with any shape and strides come out as one element after the other would.
func TestGatherIsElementByElement(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	dtypes := []safetensors.DType{safetensors.U8, safetensors.F16, safetensors.F32, safetensors.F64}
	shapes := []int{1, 2, 3, 5, 63, 64, 65, 130}
	for range 2000 {
		dims := r.IntN(5)
		shape, strides := make([]int, dims), make([]int, dims)
		n, last := 1, 0
		for i := range shape {
			shape[i] = shapes[r.IntN(len(shapes)-dims/2*2)]
			if r.IntN(40) == 0 {
				shape[i] = 0
			}
			n *= shape[i]
		}
		step := 1
		for _, i := range r.Perm(dims) { // a permutation of a dense tensor, with gaps, overlaps and repetition now and then
			strides[i] = step
			switch r.IntN(8) {
			case 0:
				strides[i] = 0
			case 1:
				strides[i] = step + r.IntN(3)
			case 2:
				strides[i] = 1 + r.IntN(4)
			}
			step = max(strides[i]*shape[i], 1)
		}
		for i, d := range shape {
			last += max(d-1, 0) * strides[i]
		}
		if n > 1<<20 || last > 1<<21 {
			continue
		}
		x := tensorInfo{Tensor: safetensors.Tensor{DType: dtypes[r.IntN(4)], Shape: shape}}
		size := x.DType.Size()
		swap := size > 1 && r.IntN(4) == 0
		if n > 0 {
			x.Data = make([]byte, (last+1)*size)
		}
		for i := range x.Data {
			x.Data[i] = byte(r.Uint32())
		}
		x.layout = newLayout(n, shape, strides, swap)
		got, err := x.dense()
		if err != nil {
			t.Fatal(err)
		}
		if want := oneByOne(x.Data, shape, strides, size, swap); !bytes.Equal(got.Data, want) {
			t.Fatalf("%s %v, strides %v, swap %t: other bytes", x.DType, shape, strides, swap)
		}
		if got.Len() != n {
			t.Fatalf("%s %v: not dense", x.DType, shape)
		}
	}
}

func oneByOne(data []byte, shape, strides []int, size int, swap bool) []byte {
	out := []byte{}
	if slices.Contains(shape, 0) {
		return out
	}
	for at := make([]int, len(shape)); ; {
		p := 0
		for i, k := range at {
			p += k * strides[i]
		}
		e := slices.Clone(data[p*size : (p+1)*size])
		if swap {
			slices.Reverse(e)
		}
		out = append(out, e...)
		i := len(at) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < shape[i] {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			return out
		}
	}
}

// What lies in order has no layout, so that it is lent and not copied.
func TestLayoutOfWhatLiesInOrder(t *testing.T) {
	tests := []struct {
		shape, strides []int
		inOrder        bool
	}{
		{nil, nil, true},
		{[]int{6}, []int{1}, true},
		{[]int{2, 3}, []int{3, 1}, true},
		{[]int{1, 3}, []int{99, 1}, true}, // the stride of a dimension of length 1 is never used
		{[]int{3, 1}, []int{1, 7}, true},
		{[]int{0, 3}, []int{5, 5}, true},
		{[]int{2, 3}, []int{1, 2}, false},
		{[]int{2, 3}, []int{4, 1}, false},
		{[]int{2}, []int{2}, false},
		{[]int{2}, []int{0}, false},
	}
	for _, tt := range tests {
		n, err := safetensors.Elements(tt.shape)
		if err != nil {
			t.Fatal(err)
		}
		if l := newLayout(n, tt.shape, tt.strides, false); (l == nil) != tt.inOrder {
			t.Errorf("%v %v: in order %t, want %t", tt.shape, tt.strides, l == nil, tt.inOrder)
		}
	}
}

// A matrix of the text model's size that was saved transposed.
func BenchmarkGatherTransposed(b *testing.B) {
	const rows, cols = 768, 49408
	x := tensorInfo{Tensor: safetensors.Tensor{DType: safetensors.F16, Data: make([]byte, 2*rows*cols)}}
	x.layout = newLayout(rows*cols, []int{rows, cols}, []int{1, rows}, false)
	b.SetBytes(2 * rows * cols)
	for b.Loop() {
		if _, err := x.dense(); err != nil {
			b.Fatal(err)
		}
	}
}
