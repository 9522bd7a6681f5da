package tensor

import (
	"fmt"
	"math"
	"testing"
)

// sumTolerance bounds the error of a float32 sum of k products of standard normal numbers: partial sums grow with √k
// up to the length of a block, and so does the accumulated rounding of each.
func sumTolerance(k int) float64 {
	b := float64(min(k, maxKC))
	return epsilon * (8 + b + 4*math.Sqrt(float64(k)))
}

func TestLinear(t *testing.T) {
	shapes := [][3]int{{1, 1, 1}, {1, 5, 3}, {2, 4, 1280}, {3, 33, 7}, {5, 8, 385}, {13, 17, 9}, {77, 48, 192}, {11, 31, 768},
		{130, 70, 65}}
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, s := range shapes {
			rows, out, in := s[0], s[1], s[2]
			x, w, b := random(r, rows*in), random(r, out*in), random(r, out)
			for _, bias := range [][]float32{nil, b} {
				y := make([]float32, rows*out)
				NewLinear(w, bias, out, in).Forward(y, x, rows)
				near(t, fmt.Sprint(s), y, refLinear(x, w, bias, rows, out, in), sumTolerance(in))
			}
		}
	})
}

// Rows that are copied apart give the bits of those that are read where they lie.
func TestRowsThatAlias(t *testing.T) {
	const rows, out, in = fewRows + 12, fewColumns + 5, 1024
	if !aliases(in) {
		t.Fatalf("rows of %d floats do not alias", in)
	}
	eachSet(t, func(t *testing.T) {
		r := newRand()
		x, w, b := random(r, rows*in), random(r, out*in), random(r, out)
		l := NewLinear(w, b, out, in)
		y, one := make([]float32, rows*out), make([]float32, out)
		l.Forward(y, x, rows)
		for i := range rows {
			l.Forward(one, x[i*in:(i+1)*in], 1)
			sameBits(t, fmt.Sprintf("row %d", i), y[i*out:(i+1)*out], one)
		}
	})
}

func TestConv2d(t *testing.T) {
	type c struct {
		cout, cin, kh, kw int
		g                 ConvGeometry
	}
	cases := []c{
		{5, 3, 3, 3, ConvGeometry{N: 1, H: 6, W: 5, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
		{7, 4, 1, 1, ConvGeometry{N: 2, H: 3, W: 4, Stride: 1}},
		{6, 5, 1, 1, ConvGeometry{N: 1, H: 5, W: 4, Stride: 2}},
		{40, 64, 3, 3, ConvGeometry{N: 2, H: 7, W: 9, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
		{33, 16, 3, 3, ConvGeometry{N: 1, H: 8, W: 8, Stride: 2, PadBottom: 1, PadRight: 1}},
		{8, 48, 3, 3, ConvGeometry{N: 2, H: 9, W: 6, Stride: 2, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
		{4, 3, 5, 2, ConvGeometry{N: 1, H: 7, W: 3, Stride: 1, PadTop: 4, PadLeft: 3, PadRight: 2}},
		{3, 2, 3, 3, ConvGeometry{N: 1, H: 1, W: 1, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
		{12, 3, 4, 4, ConvGeometry{N: 1, H: 12, W: 8, Stride: 4}},
		// Narrow images, in blocks of one row of taps, of a part of one, of all.
		{35, 128, 3, 3, ConvGeometry{N: 5, H: 3, W: 3, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
		{9, 150, 3, 3, ConvGeometry{N: 3, H: 6, W: 7, Stride: 2, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
		{17, 10, 2, 3, ConvGeometry{N: 17, H: 4, W: 3, Stride: 1, PadTop: 2, PadLeft: 4, PadBottom: 1, PadRight: 3}},
		{5, 30, 3, 2, ConvGeometry{N: 3, H: 5, W: 1, Stride: 1, PadLeft: 1}},
		{6, 400, 1, 1, ConvGeometry{N: 4, H: 3, W: 5, Stride: 2}},
	}
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, c := range cases {
			g := c.g
			x, w, b := random(r, g.N*g.H*g.W*c.cin), random(r, c.cout*c.cin*c.kh*c.kw), random(r, c.cout)
			conv := NewConv2d(w, b, c.cout, c.cin, c.kh, c.kw)
			oh, ow := conv.OutSize(g)
			y := make([]float32, g.N*oh*ow*c.cout)
			conv.Forward(y, x, make([]float32, conv.Scratch(g)), g)
			tol := sumTolerance(c.cin * c.kh * c.kw)
			near(t, fmt.Sprintf("%+v", c), y, refConv(x, w, b, c.cout, c.cin, c.kh, c.kw, g, oh, ow), tol)
		}
	})
}

// Windows of stride 2 that alias are copied apart. They are every other one of stride 1, which do not, and have their
// bits.
func TestConv2dSpreadBits(t *testing.T) {
	const cin, cout, k = 512, 24, 3
	r := newRand()
	eachSet(t, func(t *testing.T) {
		conv := NewConv2d(random(r, cout*cin*k*k), random(r, cout), cout, cin, k, k)
		for _, g := range []ConvGeometry{
			{N: 2, H: 6, W: 8, PadBottom: 1, PadRight: 1},
			{N: 1, H: 5, W: 7, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1},
			{N: 1, H: 2, W: 1, PadTop: 2, PadLeft: 5, PadBottom: 1, PadRight: 4},
		} {
			x := random(r, g.N*g.H*g.W*cin)
			forward := func(stride int) (y []float32, h, w int) {
				g.Stride = stride
				h, w = conv.OutSize(g)
				y = make([]float32, g.N*h*w*cout)
				conv.Forward(y, x, nil, g)
				return y, h, w
			}
			every, h, w := forward(1)
			got, oh, ow := forward(2)
			want := make([]float32, 0, len(got))
			for n := range g.N {
				for i := range oh {
					for j := range ow {
						want = append(want, every[((n*h+2*i)*w+2*j)*cout:][:cout]...)
					}
				}
			}
			sameBits(t, fmt.Sprintf("%+v", g), got, want)
		}
	})
}

// A layer made with one kernel set must work with every other, however often they change.
func TestRepack(t *testing.T) {
	r := newRand()
	const rows, out, in = 9, 45, 400
	x, w, b := random(r, rows*in), random(r, out*in), random(r, out)
	want := refLinear(x, w, b, rows, out, in)
	for _, first := range KernelSets() {
		back, err := UseKernels(first)
		if err != nil {
			t.Fatal(err)
		}
		l := NewLinear(w, b, out, in)
		eachSet(t, func(t *testing.T) {
			y := make([]float32, rows*out)
			l.Forward(y, x, rows)
			near(t, first, y, want, sumTolerance(in))
		})
		back()
	}
}
