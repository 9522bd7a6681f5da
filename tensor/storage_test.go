package tensor

import (
	"fmt"
	"math"
	"testing"
	"unsafe"
)

// shelf keeps packed weights by key, as a file does.
type shelf struct {
	rooms  map[string][]byte
	loads  int
	closed int
}

func (s *shelf) source(w, bias []float32) Source {
	src := held(w, bias)
	load := src.Load
	src.Load = func() ([]float32, []float32) { s.loads++; return load() }
	src.Room = func(key string, size int) Room {
		if b, ok := s.rooms[key]; ok {
			return Room{Bytes: b, Filled: true}
		}
		b := alignedBytes(size)
		s.rooms[key] = b
		return Room{Bytes: b, Done: func() { s.closed++ }, Owner: s}
	}
	return src
}

func alignedBytes(n int) []byte {
	b := make([]byte, n+roomAlign)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (roomAlign - 1)
	return b[skip:][:n:n]
}

// Weights in memory that is given give the bits of those on the heap, packed anew or found packed, and are read once.
func TestRoom(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		s := &shelf{rooms: map[string][]byte{}}
		made := 0
		for _, c := range []struct {
			out, in, kh, kw int
			form            Form
		}{
			{1, 1, 1, 1, Implicit}, {5, 3, 3, 3, Implicit}, {45, 400, 1, 1, Implicit}, {33, 150, 3, 3, Implicit}, {64, 64, 1, 1, Implicit},
			{7, 9, 2, 3, Implicit}, {80, 16, 3, 3, Implicit}, {80, 16, 3, 3, Winograd2}, {80, 16, 3, 3, Winograd4},
		} {
			out, in, kh, kw, form := c.out, c.in, c.kh, c.kw, c.form
			w, b := random(r, out*in*kh*kw), random(r, out)
			g := ConvGeometry{N: 2, H: 5, W: 6, Stride: 1, PadTop: kh / 2, PadLeft: kw / 2, PadBottom: kh / 2, PadRight: kw / 2}
			x := random(r, g.N*g.H*g.W*in)
			for _, bias := range [][]float32{nil, b} {
				forward := func(l *Conv2d) []float32 {
					oh, ow := l.OutSize(g)
					y := make([]float32, g.N*oh*ow*out)
					l.Forward(y, x, make([]float32, l.Scratch(g)), g)
					return y
				}
				want := forward(NewConv2dForm(form, w, bias, out, in, kh, kw))
				made++
				for pass := range 2 {
					got := forward(NewConv2dFrom(s.source(w, bias), form, out, in, kh, kw))
					for i := range want {
						if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
							t.Fatalf("%v, pass %d: [%d] = %v, on the heap %v", c, pass, i, got[i], want[i])
						}
					}
				}
			}
		}
		if s.loads != made || s.closed != made || len(s.rooms) != made {
			t.Errorf("%d layers made twice: %d loads, %d rooms done, %d keys", made, s.loads, s.closed, len(s.rooms))
		}
	})
}

// A key names whatever changes the bytes.
func TestRoomKeys(t *testing.T) {
	seen := map[string]string{}
	eachSet(t, func(t *testing.T) {
		for _, c := range [][4]int{{8, 18, 1, 1}, {18, 8, 1, 1}, {8, 2, 3, 3}, {8, 6, 3, 1}, {8, 6, 1, 3}} {
			for _, bias := range []bool{false, true} {
				name := fmt.Sprint(KernelSet(), c, bias)
				src := Source{Bias: bias, Load: func() (w, b []float32) {
					if bias {
						b = make([]float32, c[0])
					}
					return make([]float32, c[0]*c[1]*c[2]*c[3]), b
				}}
				src.Room = func(key string, size int) Room {
					if other, ok := seen[key]; ok {
						t.Errorf("%s and %s have the key %q", name, other, key)
					}
					seen[key] = name
					return Room{Bytes: alignedBytes(size)}
				}
				NewConv2dFrom(src, Implicit, c[0], c[1], c[2], c[3])
			}
		}
	})
}

func TestWrongRoomPanics(t *testing.T) {
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{alignedBytes(64), "tensor: Room: Bytes has 64 elements, expected 128"},
		{alignedBytes(192)[32:][:128], "tensor: Room: Bytes begins at an address that is not a multiple of 64"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			}()
			restore, err := UseKernels("generic")
			if err != nil {
				t.Fatal(err)
			}
			defer restore()
			src := held(make([]float32, 32), nil)
			src.Room = func(string, int) Room { return Room{Bytes: c.b} }
			NewLinearFrom(src, 4, 8)
		}()
	}
}
