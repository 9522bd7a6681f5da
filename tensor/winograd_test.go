package tensor

import (
	"math"
	"slices"
	"testing"
)

// Errors of a Winograd form as multiples of the output's root mean square: about three times the largest seen.
var winogradTolerance = map[Form]float64{Winograd2: 1e-5, Winograd4: 5e-5}

var winogradCases = []struct {
	cout, cin int
	g         ConvGeometry
}{
	{16, 16, ConvGeometry{N: 1, H: 8, W: 8, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
	{48, 32, ConvGeometry{N: 2, H: 7, W: 9, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
	{32, 400, ConvGeometry{N: 1, H: 5, W: 6, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
	{16, 512, ConvGeometry{N: 1, H: 6, W: 5, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
	{80, 16, ConvGeometry{N: 3, H: 1, W: 1, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}},
	{16, 16, ConvGeometry{N: 1, H: 6, W: 3, Stride: 1}},                             // no border: 4×1
	{16, 32, ConvGeometry{N: 1, H: 2, W: 9, Stride: 1, PadTop: 3, PadRight: 6}},     // a border wider than the kernel
	{16, 16, ConvGeometry{N: 1, H: 21, W: 50, Stride: 1, PadLeft: 2, PadBottom: 1}}, // several blocks of tiles
}

func TestWinograd(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, c := range winogradCases {
			g := c.g
			x, w, b := random(r, g.N*g.H*g.W*c.cin), random(r, c.cout*c.cin*9), random(r, c.cout)
			for _, form := range []Form{Winograd2, Winograd4} {
				for _, bias := range [][]float32{nil, b} {
					conv := NewConv2dForm(form, w, bias, c.cout, c.cin, 3, 3)
					oh, ow := conv.OutSize(g)
					y := make([]float32, g.N*oh*ow*c.cout)
					conv.Forward(y, x, make([]float32, conv.Scratch(g)), g)
					want := refConv(x, w, bias, c.cout, c.cin, 3, 3, g, oh, ow)
					tol := winogradTolerance[form] * math.Sqrt(9*float64(c.cin))
					for i, v := range want {
						if d := math.Abs(float64(y[i]) - v); !(d <= tol) {
							t.Fatalf("%v %+v: [%d] = %v, want %v (off by %.3g, allowed %.3g)", form, c, i, y[i], v, d, tol)
						}
					}
				}
			}
		}
	})
}

// Neither the number of threads nor the parts into which the tiles are cut change a bit.
func TestWinogradSameBits(t *testing.T) {
	r := newRand()
	const cin, cout = 400, 96
	g := ConvGeometry{N: 2, H: 40, W: 41, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
	x, w := random(r, g.N*g.H*g.W*cin), random(r, cout*cin*9)
	for _, form := range []Form{Winograd2, Winograd4} {
		conv := NewConv2dForm(form, w, nil, cout, cin, 3, 3)
		scratch := make([]float32, conv.Scratch(g))
		want := make([]float32, g.N*g.H*g.W*cout)
		for _, threads := range []int{1, 2, 5} {
			back := SetThreads(threads)
			y := make([]float32, len(want))
			conv.Forward(y, x, scratch, g)
			back()
			if threads == 1 {
				copy(want, y)
				one := g
				one.N = 1
				conv.Forward(y[len(y)/2:], x[len(x)/2:], scratch, one)
			}
			if !slices.Equal(y, want) {
				t.Errorf("%v: other bits with %d threads or one image at a time", form, threads)
			}
		}
	}
}

func TestForm(t *testing.T) {
	for f := Implicit; f <= Winograd4; f++ {
		if got, err := ParseForm(f.String()); got != f || err != nil {
			t.Errorf("ParseForm(%q) = %v, %v", f.String(), got, err)
		}
	}
	if _, err := ParseForm("fft"); err == nil {
		t.Error("ParseForm takes fft")
	}
	for _, c := range []struct {
		cout, cin, k int
		want         bool
	}{{320, 320, 3, true}, {320, 4, 3, false}, {4, 320, 3, false}, {320, 320, 1, false}} {
		if got := Winograd4.Fits(c.cout, c.cin, c.k, c.k); got != c.want {
			t.Errorf("Winograd4 fits %+v: %v", c, got)
		}
	}
	func() {
		defer func() {
			if r := recover(); r == nil {
				t.Error("a form that does not fit was taken")
			} else if _, ok := r.(string); !ok {
				panic(r)
			}
		}()
		NewConv2dForm(Winograd2, make([]float32, 4*16*9), nil, 4, 16, 3, 3)
	}()
}

func TestWinogradEpilogue(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		r := newRand()
		for _, c := range winogradCases {
			g := c.g
			x, w, b := random(r, g.N*g.H*g.W*c.cin), random(r, c.cout*c.cin*9), random(r, c.cout)
			for _, form := range []Form{Winograd2, Winograd4} {
				conv := NewConv2dForm(form, w, b, c.cout, c.cin, 3, 3)
				oh, ow := conv.OutSize(g)
				scratch := make([]float32, conv.Scratch(g))
				checkEpilogues(t, form.String(), g.N, oh*ow, c.cout,
					func(y []float32, e Epilogue) { conv.ForwardWith(y, x, scratch, g, e) })
			}
		}
	})
}

// Filters that were transformed with one kernel set serve every other.
func TestWinogradRepack(t *testing.T) {
	r := newRand()
	const cin, cout = 400, 80
	g := ConvGeometry{N: 1, H: 6, W: 6, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
	x, w, b := random(r, g.H*g.W*cin), random(r, cout*cin*9), random(r, cout)
	want := refConv(x, w, b, cout, cin, 3, 3, g, g.H, g.W)
	for _, first := range KernelSets() {
		back, err := UseKernels(first)
		if err != nil {
			t.Fatal(err)
		}
		conv := NewConv2dForm(Winograd4, w, b, cout, cin, 3, 3)
		eachSet(t, func(t *testing.T) {
			y := make([]float32, len(want))
			conv.Forward(y, x, make([]float32, conv.Scratch(g)), g)
			near(t, first, y, want, winogradTolerance[Winograd4]*math.Sqrt(9*cin))
		})
		back()
	}
}

func TestForms(t *testing.T) {
	const text = "# a comment\navx2 320 320 64 winograd4\n\navx2 1280 1280 8 winograd2 # another\navx2 32 32 8 implicit\n"
	table, err := ParseForms("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set             string
		cin, cout, side int
		want            Form
	}{
		{"avx2", 320, 320, 64, Winograd4},
		{"avx2", 640, 320, 50, Winograd4},
		{"avx2", 2560, 1280, 8, Winograd2},
		{"avx2", 16, 48, 8, Implicit},
		{"avx2", 320, 320, 0, Implicit},
		{"avx2", 320, 4, 64, Implicit},
		{"avx512", 320, 320, 64, Implicit},
	} {
		if got := table.Choose(c.set, c.cout, c.cin, 3, 3, c.side); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for text, want := range map[string]string{
		"avx2 320 320 64 fft":               `t, line 1: form "fft", expected one of implicit, winograd2, winograd4`,
		"\navx2 320 320 implicit":           `t, line 2: "avx2 320 320 implicit", expected kernel set, channels in, channels out, side and form`,
		"avx2 320 320 64 implicit implicit": `t, line 1: "avx2 320 320 64 implicit implicit", expected kernel set, channels in, channels out, side and form`,
		"avx2 0 320 64 implicit":            "t, line 1: 0 channels to 320 at side 64, expected numbers from 1 on",
	} {
		if _, err := ParseForms("t", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if len(Forms().Hash()) != 64 || Forms().Name() != "built in" {
		t.Errorf("the program's own table is called %q and has the sum %q", Forms().Name(), Forms().Hash())
	}
	defer UseForms(table)()
	if Forms() != table {
		t.Error("UseForms had no effect")
	}
}
