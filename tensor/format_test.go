package tensor

import (
	"fmt"
	"testing"
)

// formatted is the source of weights that are stored in a format.
func formatted(w, bias []float32, f Format) Source {
	src := held(w, bias)
	src.Format = f
	return src
}

// A layer with 16-bit storage gives the bits of a float32 layer with the rounded weights, whatever its shape and form,
// also after the kernel set has changed.
func TestFormats(t *testing.T) {
	for _, f := range []Format{Float16, BFloat16} {
		for _, first := range KernelSets() {
			back, err := UseKernels(first)
			if err != nil {
				t.Fatal(err)
			}
			r := newRand()
			var layers []func(t *testing.T)
			for _, c := range [][4]int{{1, 1, 1, 1}, {5, 3, 3, 3}, {46, 400, 1, 1}, {34, 150, 3, 3}, {64, 64, 3, 3}, {130, 770, 1, 1}} {
				out, in, kh, kw := c[0], c[1], c[2], c[3]
				w, b := random(r, out*in*kh*kw), random(r, out)
				w[0] = 1e-7 // subnormal as float16
				g := ConvGeometry{N: 2, H: 7, W: 6, Stride: 1, PadTop: kh / 2, PadLeft: kw / 2, PadBottom: kh / 2, PadRight: kw / 2}
				x := random(r, g.N*g.H*g.W*in)
				forward := func(l *Conv2d) []float32 {
					oh, ow := l.OutSize(g)
					y := make([]float32, g.N*oh*ow*out)
					l.Forward(y, x, make([]float32, l.Scratch(g)), g)
					return y
				}
				for _, form := range []Form{Implicit, Winograd2, Winograd4} {
					if !form.Fits(out, in, kh, kw) {
						continue
					}
					short, full := NewConv2dFrom(formatted(w, b, f), form, out, in, kh, kw), NewConv2dForm(form, f.rounded(w), b, out,
						in, kh, kw)
					layers = append(layers, func(t *testing.T) {
						sameBits(t, fmt.Sprint(f, form, c), forward(short), forward(full))
					})
				}
				if kh > 1 || out%2 > 0 {
					continue
				}
				gated, want := NewLinearFrom(formatted(w, b, f), out, in), NewLinear(f.rounded(w), b, out, in)
				layers = append(layers, func(t *testing.T) {
					rows := len(x) / in
					y, z := make([]float32, rows*out/2), make([]float32, rows*out/2)
					gated.ForwardGEGLU(y, x, rows)
					want.ForwardGEGLU(z, x, rows)
					sameBits(t, fmt.Sprint("GEGLU ", f, c), y, z)
				})
			}
			back()
			eachSet(t, func(t *testing.T) {
				for _, l := range layers {
					l(t)
				}
			})
		}
	}
}

func TestParseFormat(t *testing.T) {
	for f := range Format(3) {
		if got, err := ParseFormat(f.String()); err != nil || got != f {
			t.Errorf("%v is read as %v, %v", f, got, err)
		}
	}
	if _, err := ParseFormat("int8"); err == nil || err.Error() != `format "int8", expected float32, float16 or bfloat16` {
		t.Errorf("int8: %v", err)
	}
}
