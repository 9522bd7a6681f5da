package tensor

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// sameBits fails unless got and want are equal bit for bit.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: [%d] = %v, want the bits of %v", what, i, got[i], want[i])
		}
	}
}

var activations = map[Activation]func(y, x []float32){ActSiLU: SiLU, ActGELU: GELU, ActQuickGELU: QuickGELU}

// epilogues calls f with every combination of parts for a result [n, hw, c], and what has to be done afterwards in
// place of it.
func epilogues(n, hw, c int, f func(name string, e Epilogue, after func(y []float32))) {
	r := newRand()
	channels, residual := random(r, n*c), random(r, n*hw*c)
	for act := NoActivation; act <= ActQuickGELU; act++ {
		for i := range 4 {
			e := Epilogue{Act: act}
			if i&1 != 0 {
				e.Channels = channels
			}
			if i&2 != 0 {
				e.Residual = residual
			}
			f(fmt.Sprintf("[%d %d %d] channels %t, activation %d, residual %t", n, hw, c, i&1 != 0, act, i&2 != 0), e, func(y []float32) {
				if e.Channels != nil {
					AddChannels(y, y, channels, n, hw, c)
				}
				if g := activations[act]; g != nil {
					g(y, y)
				}
				if e.Residual != nil {
					Add(y, y, residual)
				}
			})
		}
	}
}

// checkEpilogues holds forward, a layer with a result [n, hw, c], to the same operations one after another, bit for
// bit, also where the residual is the result's own memory.
func checkEpilogues(t *testing.T, what string, n, hw, c int, forward func(y []float32, e Epilogue)) {
	product := make([]float32, n*hw*c)
	forward(product, Epilogue{})
	epilogues(n, hw, c, func(name string, e Epilogue, after func(y []float32)) {
		want := slices.Clone(product)
		after(want)
		for _, threads := range []int{1, 3} {
			restore := SetThreads(threads)
			y := make([]float32, len(want))
			forward(y, e)
			sameBits(t, what+" "+name, y, want)
			if e.Residual != nil {
				copy(y, e.Residual)
				own := e
				own.Residual = y
				forward(y, own)
				sameBits(t, what+" "+name+" in place", y, want)
			}
			restore()
		}
	})
}

func TestLinearEpilogue(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range [][4]int{{1, 1, 1, 1}, {2, 3, 7, 5}, {3, 77, 96, 400}, {2, 130, 70, 33}, {1, 500, 40, 9}} {
			n, hw, c, in := s[0], s[1], s[2], s[3]
			x, l := random(r, n*hw*in), NewLinear(random(r, c*in), random(r, c), c, in)
			checkEpilogues(t, "Linear", n, hw, c, func(y []float32, e Epilogue) { l.ForwardWith(y, x, n*hw, e) })
		}
	})
}

func TestLinearGEGLU(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range [][3]int{{1, 1, 1}, {7, 5, 3}, {250, 70, 33}, {300, 320, 500}, {5, 1280, 40}, {90, 33, 800}} {
			rows, half, in := s[0], s[1], s[2]
			x, l := random(r, rows*in), NewLinear(random(r, 2*half*in), random(r, 2*half), 2*half, in)
			wide, want, y := make([]float32, rows*2*half), make([]float32, rows*half), make([]float32, rows*half)
			l.Forward(wide, x, rows)
			GEGLU(want, wide, rows, half)
			for _, threads := range []int{1, 3} {
				restore := SetThreads(threads)
				l.ForwardGEGLU(y, x, rows)
				sameBits(t, fmt.Sprint(s), y, want)
				restore()
			}
		}
	})
}

func TestConv2dEpilogue(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range []struct{ cin, cout, kernel, stride, n, h, w int }{
			{3, 5, 3, 1, 2, 6, 5}, {4, 7, 1, 1, 2, 3, 4}, {64, 40, 3, 1, 2, 17, 19}, {16, 33, 3, 2, 3, 8, 8}, {150, 48, 3, 1, 1, 40, 9},
		} {
			pad := s.kernel / 2
			g := ConvGeometry{N: s.n, H: s.h, W: s.w, Stride: s.stride, PadTop: pad, PadLeft: pad, PadBottom: pad, PadRight: pad}
			l := NewConv2d(random(r, s.cout*s.cin*s.kernel*s.kernel), random(r, s.cout), s.cout, s.cin, s.kernel, s.kernel)
			x := random(r, s.n*s.h*s.w*s.cin)
			oh, ow := l.OutSize(g)
			scratch := make([]float32, l.Scratch(g))
			checkEpilogues(t, fmt.Sprintf("Conv2d %+v", s), s.n, oh*ow, s.cout,
				func(y []float32, e Epilogue) { l.ForwardWith(y, x, scratch, g, e) })
		}
	})
}

func TestEpilogueRejects(t *testing.T) {
	l := NewLinear(make([]float32, 6), nil, 2, 3)
	for _, c := range []struct {
		e    Epilogue
		want string
	}{
		{Epilogue{Channels: make([]float32, 3)}, "tensor: Linear: Epilogue.Channels has 3 elements, expected 2 for each item of 4 rows"},
		{Epilogue{Channels: make([]float32, 6)}, "tensor: Linear: Epilogue.Channels has 6 elements, expected 2 for each item of 4 rows"},
		{Epilogue{Channels: []float32{}}, "tensor: Linear: Epilogue.Channels has 0 elements, expected 2 for each item of 4 rows"},
		{Epilogue{Residual: make([]float32, 7)}, "tensor: Linear: Epilogue.Residual has 7 elements, expected 8"},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("panic %q, want %q", got, c.want)
				}
			}()
			l.ForwardWith(make([]float32, 8), make([]float32, 12), 4, c.e)
		}()
	}
}
