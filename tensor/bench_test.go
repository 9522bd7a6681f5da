//go:build unix

package tensor

import (
	"fmt"
	"syscall"
	"testing"
)

// Shapes of the Stable Diffusion U-Net at 64×64, 32×32, 16×16 and 8×8 latents: rows, columns, depth.
var productShapes = [][3]int{
	{4096, 320, 320}, {4096, 2560, 320}, {4096, 320, 2880}, {1024, 640, 5760}, {256, 1280, 11520}, {64, 1280, 11520},
}

// benchmarkThreads times f with one and two threads. GFLOP/s is by the clock on the wall; GFLOP/cpu-s is by the
// processor time of the process, and says what a kernel does on a machine that others use as well.
func benchmarkThreads(b *testing.B, flops float64, f func()) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			defer SetThreads(threads)()
			f()
			b.ReportAllocs()
			before := processorSeconds()
			for b.Loop() {
				f()
			}
			b.ReportMetric(flops*float64(b.N)/(processorSeconds()-before)/1e9, "GFLOP/cpu-s")
			b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func BenchmarkLinear(b *testing.B) {
	r := newRand()
	for _, s := range productShapes {
		b.Run(fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]), func(b *testing.B) {
			m, n, k := s[0], s[1], s[2]
			x, y := random(r, m*k), make([]float32, m*n)
			l := NewLinear(make([]float32, n*k), make([]float32, n), n, k)
			benchmarkThreads(b, 2*float64(m)*float64(n)*float64(k), func() { l.Forward(y, x, m) })
		})
	}
}

func BenchmarkConv2d(b *testing.B) {
	r := newRand()
	for _, s := range [][4]int{
		{1, 64, 320, 320}, {1, 32, 640, 640}, {1, 16, 1280, 1280}, {1, 8, 1280, 1280}, {1, 12, 192, 192}, {1, 12, 96, 96},
		{1, 96, 16, 16}, {1, 96, 32, 32}, {16, 12, 64, 64}, {16, 6, 128, 128}, {16, 3, 128, 128}, {1, 6, 128, 128}, {1, 3, 128, 128},
	} {
		n, size, cin, cout := s[0], s[1], s[2], s[3]
		b.Run(fmt.Sprintf("%dx%dx%dx%dx%d", n, size, size, cin, cout), func(b *testing.B) {
			g := ConvGeometry{N: n, H: size, W: size, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
			c := NewConv2d(make([]float32, cout*cin*9), make([]float32, cout), cout, cin, 3, 3)
			x, y := random(r, n*size*size*cin), make([]float32, n*size*size*cout)
			benchmarkThreads(b, 2*float64(len(y))*float64(cin*9), func() { c.Forward(y, x, nil, g) })
		})
	}
}

// The forms of 3×3 convolutions, counted by the direct form.
func BenchmarkConvForms(b *testing.B) {
	r := newRand()
	for _, s := range [][4]int{
		{1, 64, 320, 320}, {1, 32, 640, 640}, {1, 16, 1280, 1280}, {1, 8, 1280, 1280}, {2, 8, 1280, 1280}, {1, 40, 320, 320}, {1, 20,
			640, 640}, {1, 10, 1280, 1280}, {1, 5, 1280, 1280},
		{1, 256, 256, 256}, {1, 512, 128, 128},
	} {
		n, size, cin, cout := s[0], s[1], s[2], s[3]
		for form := Implicit; form <= Winograd4; form++ {
			b.Run(fmt.Sprintf("%dx%dx%dx%dx%d/%v", n, size, size, cin, cout, form), func(b *testing.B) {
				g := ConvGeometry{N: n, H: size, W: size, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
				c := NewConv2dForm(form, make([]float32, cout*cin*9), make([]float32, cout), cout, cin, 3, 3)
				x, y := random(r, n*size*size*cin), make([]float32, n*size*size*cout)
				scratch := make([]float32, c.Scratch(g))
				benchmarkThreads(b, 2*float64(len(y))*float64(cin*9), func() { c.Forward(y, x, scratch, g) })
			})
		}
	}
}

func BenchmarkAttention(b *testing.B) {
	r := newRand()
	for _, s := range []AttentionShape{
		{1, 4096, 4096, 2, 40, false}, {1, 1024, 1024, 8, 80, false}, {1, 256, 256, 8, 160, false}, // Stable Diffusion's U-Net
		{1, 4096, 77, 8, 40, false}, {1, 1024, 77, 8, 80, false}, {1, 256, 77, 8, 160, false}, {1, 64, 77, 8, 160, false},
		{1, 4096, 4096, 1, 512, false}, {4, 77, 77, 12, 64, true}, // its VAE and text encoder
		{2, 144, 144, 4, 24, false}, {2, 144, 24, 8, 16, false}, {2, 36, 36, 8, 16, false}, {2, 9, 9, 8, 16, false}, // small models
		{2, 9, 24, 8, 16, false}, {2, 24, 24, 4, 32, true}, {16, 9, 9, 8, 4, false},
	} {
		b.Run(fmt.Sprintf("%dx%dx%dx%dx%d", s.N, s.Tq, s.Tk, s.Heads, s.HeadDim), func(b *testing.B) {
			c := s.Heads * s.HeadDim
			q, k, v := random(r, s.N*s.Tq*c), random(r, s.N*s.Tk*c), random(r, s.N*s.Tk*c)
			y, scratch := make([]float32, len(q)), make([]float32, AttentionScratch(s))
			benchmarkThreads(b, 4*float64(s.N*s.Heads*s.Tq*s.Tk*s.HeadDim), func() { Attention(y, q, k, v, scratch, s) })
		})
	}
}

func BenchmarkPointwise(b *testing.B) {
	r := newRand()
	const n, hw, c = 1, 4096, 320
	x, e := random(r, n*hw*c), random(r, c)
	y, z := make([]float32, len(x)), make([]float32, 2*len(x))
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Add", func() { Add(y, x, x) }},
		{"SiLU", func() { SiLU(y, x) }},
		{"GELU", func() { GELU(y, x) }},
		{"GEGLU", func() { GEGLU(y, z, hw, c) }},
		{"GroupNorm", func() { GroupNorm(y, x, e, e, n, hw, c, 32, 1e-5) }},
		{"LayerNorm", func() { LayerNorm(y, x, e, e, hw, c, 1e-5) }},
		{"Upsample2x", func() { Upsample2x(y, x[:len(x)/4], 1, 32, 32, c) }},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkThreads(b, float64(len(x)), c.f) })
	}
}

// BenchmarkBlock runs a residual block and a transformer block of a small U-Net: batch 2, 12×12 pixels, 128 channels.
func BenchmarkBlock(b *testing.B) {
	r := newRand()
	const n, size, c, tk = 2, 12, 128, 24
	const hw = size * size
	g := ConvGeometry{N: n, H: size, W: size, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
	conv := NewConv2d(random(r, c*c*9), random(r, c), c, c, 3, 3)
	lin, up, down := NewLinear(random(r, c*c), random(r, c), c, c), NewLinear(random(r, 8*c*c), random(r, 8*c), 8*c,
		c), NewLinear(random(r, 4*c*c), random(r, c), c, 4*c)
	gamma := random(r, c)
	x, y, z, q, k, v := random(r, n*hw*c), random(r, n*hw*c), random(r, n*hw*c), random(r, n*hw*c), random(r, n*hw*c), random(r, n*hw*c)
	wide, gated := make([]float32, n*hw*8*c), make([]float32, n*hw*4*c)
	ctx, ck, cv := random(r, n*tk*c), random(r, n*tk*c), random(r, n*tk*c)
	self := AttentionShape{N: n, Tq: hw, Tk: hw, Heads: 8, HeadDim: c / 8}
	cross := AttentionShape{N: n, Tq: hw, Tk: tk, Heads: 8, HeadDim: c / 8}
	scratch := make([]float32, AttentionScratch(self)+AttentionScratch(cross))
	flops := float64(2*n*hw*c*(2*9*c+4*c+2*c+12*c) + 2*2*n*tk*c*c + 4*n*hw*(hw+tk)*c)
	benchmarkThreads(b, flops, func() {
		for range 2 {
			GroupNorm(y, x, gamma, gamma, n, hw, c, 32, 1e-5)
			SiLU(y, y)
			conv.Forward(z, y, nil, g)
			AddChannels(z, z, ctx[:n*c], n, hw, c)
		}
		Add(y, x, z)
		LayerNorm(z, y, gamma, gamma, n*hw, c, 1e-5)
		lin.Forward(q, z, n*hw)
		lin.Forward(k, z, n*hw)
		lin.Forward(v, z, n*hw)
		Attention(z, q, k, v, scratch, self)
		lin.Forward(q, z, n*hw)
		Add(y, y, q)
		LayerNorm(z, y, gamma, gamma, n*hw, c, 1e-5)
		lin.Forward(q, z, n*hw)
		lin.Forward(ck, ctx, n*tk)
		lin.Forward(cv, ctx, n*tk)
		Attention(z, q, ck, cv, scratch, cross)
		lin.Forward(q, z, n*hw)
		Add(y, y, q)
		LayerNorm(z, y, gamma, gamma, n*hw, c, 1e-5)
		up.Forward(wide, z, n*hw)
		GEGLU(gated, wide, n*hw, 4*c)
		down.Forward(q, gated, n*hw)
		Add(y, y, q)
	})
}
