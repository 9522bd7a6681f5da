package tensor

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestActivations(t *testing.T) {
	var x []float32
	for v := float32(-100); v <= 100; v += 0.0371 {
		x = append(x, v, v/16)
	}
	x = append(x, 0, 1e-30, -1e-30, 1e30, -1e30)
	cases := []struct {
		name string
		f    func(y, x []float32)
		want func(x float64) float64
	}{
		{"SiLU", SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		{"QuickGELU", QuickGELU, func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) }},
		{"GELU", GELU, func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }},
	}
	eachSet(t, func(t *testing.T) {
		for _, c := range cases {
			want := make([]float64, len(x))
			for i, v := range x {
				want[i] = c.want(float64(v))
			}
			y := make([]float32, len(x))
			c.f(y, x)
			near(t, c.name, y, want, 2e-7)
		}
	})
}

func TestPointwise(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		const n, hw, c = 2, 700, 37
		a, b, e := random(r, n*hw*c), random(r, n*hw*c), random(r, n*c)
		y := make([]float32, len(a))

		Add(y, a, b)
		for i := range y {
			if y[i] != a[i]+b[i] {
				t.Fatalf("Add: [%d] = %v", i, y[i])
			}
		}
		AddChannels(y, a, e, n, hw, c)
		for i := range y {
			if want := a[i] + e[i/(hw*c)*c+i%c]; y[i] != want {
				t.Fatalf("AddChannels: [%d] = %v, want %v", i, y[i], want)
			}
		}
		z := make([]float32, n*hw*(c+c))
		Concat(z, a, b, n*hw, c, c)
		for i := range z {
			want := a
			if i%(2*c) >= c {
				want = b
			}
			if z[i] != want[i/(2*c)*c+i%c] {
				t.Fatalf("Concat: [%d] = %v", i, z[i])
			}
		}
		g, want := make([]float32, n*hw*c), make([]float64, n*hw*c)
		GEGLU(g, z, n*hw, c)
		for i := range want {
			v := float64(b[i])
			want[i] = float64(a[i]) * 0.5 * v * math.Erfc(-v/math.Sqrt2)
		}
		near(t, "GEGLU", g, want, 1e-6)
	})
}

func TestUpsample2x(t *testing.T) {
	const n, h, w, c = 2, 3, 4, 5
	x := random(newRand(), n*h*w*c)
	y := make([]float32, 4*len(x))
	Upsample2x(y, x, n, h, w, c)
	for i := range n {
		for r := range 2 * h {
			for s := range 2 * w {
				for k := range c {
					got, want := y[((i*2*h+r)*2*w+s)*c+k], x[((i*h+r/2)*w+s/2)*c+k]
					if got != want {
						t.Fatalf("[%d %d %d %d] = %v, want %v", i, r, s, k, got, want)
					}
				}
			}
		}
	}
}

func TestTranspose(t *testing.T) {
	const n, c, h, w = 2, 19, 5, 7
	x := random(newRand(), n*c*h*w)
	y, z := make([]float32, len(x)), make([]float32, len(x))
	ToChannelsLast(y, x, n, c, h, w)
	for i := range n {
		for k := range c {
			for p := range h * w {
				if y[(i*h*w+p)*c+k] != x[(i*c+k)*h*w+p] {
					t.Fatalf("ToChannelsLast: [%d %d %d]", i, p, k)
				}
			}
		}
	}
	ToChannelsFirst(z, y, n, c, h, w)
	for i := range z {
		if z[i] != x[i] {
			t.Fatalf("there and back: [%d]", i)
		}
	}
}

func TestMeanPool(t *testing.T) {
	y := make([]float32, 4)
	MeanPool(y, []float32{1, 2, 3, 4, 5, 6, 10, 20}, 2, 2, 2)
	near(t, "MeanPool", y, []float64{2, 3, 7.5, 13}, 0)
}

func TestMaxPool(t *testing.T) {
	y, nan := make([]float32, 6), float32(math.NaN())
	MaxPool(y, []float32{1, -4, 3, 5, -2, nan, 2, -9, 0, -1, -1, -1, -5, -3, -6, -2, -7, -6}, 2, 3, 3)
	if !slices.Equal(y[:2], []float32{5, -2}) || y[2] == y[2] || !slices.Equal(y[3:], []float32{-1, -1, -1}) {
		t.Errorf("MaxPool: %v", y)
	}
}

// Cells of grids that divide the image and that do not, by the definition of torch's adaptive_avg_pool2d, of
// arange(15) as [1, 1, 3, 5].
func TestGridPool(t *testing.T) {
	x := make([]float32, 15)
	for i := range x {
		x[i] = float32(i)
	}
	for side, want := range map[int][]float64{
		1: {7},
		2: {3.5, 5.5, 8.5, 10.5},
		3: {0.5, 2, 3.5, 5.5, 7, 8.5, 10.5, 12, 13.5},
		5: {0, 1, 2, 3, 4, 2.5, 3.5, 4.5, 5.5, 6.5, 5, 6, 7, 8, 9, 7.5, 8.5, 9.5, 10.5, 11.5, 10, 11, 12, 13, 14},
	} {
		y := make([]float32, side*side)
		GridPool(y, x, 1, 3, 5, 1, side)
		near(t, fmt.Sprint("grid ", side), y, want, 0)
	}
}

func TestFirstChannels(t *testing.T) {
	y := make([]float32, 4)
	FirstChannels(y, []float32{1, 2, 3, 4, 5, 6}, 2, 3, 2)
	near(t, "FirstChannels", y, []float64{1, 2, 4, 5}, 0)
}

func TestTimestepEmbedding(t *testing.T) {
	y := make([]float32, 5)
	TimestepEmbedding(y, []float32{2}, 1, 5)
	// By hand: frequencies 1 and 1/100; an odd size ends in a zero.
	near(t, "dim 5", y, []float64{math.Cos(2), math.Cos(0.02), math.Sin(2), math.Sin(0.02), 0}, 2*epsilon)
}

// Values of diffusers' Timesteps(320) on float32, torch 2.15, MKL. Channels 2, 55, 162 and 215 hang on the last bit of
// their frequency.
func TestTimestepEmbeddingOfTorch(t *testing.T) {
	channels := []int{0, 2, 55, 100, 160, 162, 215, 316}
	want := map[float32][]float64{
		981: {0.6799572110176086, 0.5780641436576843, -0.8639541268348694, -0.9992239475250244,
			0.7332518100738525, 0.8159912824630737, -0.503570556640625, 0.12318690866231918},
		501: {-0.0839293971657753, 0.9168947339057922, -0.649285614490509, -0.013503899797797203,
			-0.9964717030525208, 0.39912912249565125, 0.7605446577072144, 0.06303036957979202},
	}
	for step, values := range want {
		y, got := make([]float32, 320), []float32(nil)
		TimestepEmbedding(y, []float32{step}, 1, 320)
		for _, c := range channels {
			got = append(got, y[c])
		}
		near(t, "t", got, values, 2*epsilon)
	}
}

func TestEmbedding(t *testing.T) {
	y := make([]float32, 4)
	Embedding(y, []float32{1, 2, 3, 4, 5, 6}, []int32{2, 0}, 2)
	near(t, "Embedding", y, []float64{5, 6, 1, 2}, 0)
}
