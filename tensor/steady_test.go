package tensor

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// operations are calls of every kind, large enough to be shared between threads, over the same inputs each time.
// Each returns what it wrote.
func operations() map[string]func() []float32 {
	r := newRand()
	const n, h, w, c = 2, 14, 14, 96
	const hw = h * w
	x, z, e := random(r, n*hw*c), random(r, n*hw*2*c), random(r, n*c)
	gamma, beta := random(r, c), random(r, c)
	lin := NewLinear(random(r, 200*c), random(r, 200), 200, c)
	short := NewLinearFrom(formatted(random(r, 200*c), nil, Float16), 200, c)
	wide := NewLinear(random(r, 1300*c), nil, 1300, c)
	geometry := func(stride int) ConvGeometry {
		return ConvGeometry{N: n, H: h, W: w, Stride: stride, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
	}
	conv := NewConv2d(random(r, 72*c*9), random(r, 72), 72, c, 3, 3)
	self := AttentionShape{N: n, Tq: hw, Tk: hw, Heads: 4, HeadDim: 24}
	causal := AttentionShape{N: n, Tq: 90, Tk: 90, Heads: 3, HeadDim: 32, Causal: true}
	scratch := make([]float32, max(AttentionScratch(self), AttentionScratch(causal)))
	out := make([]float32, 16*len(x))
	channels, residual := random(r, n*200), random(r, n*hw*200)
	set := func(n int, f func(y []float32)) func() []float32 {
		return func() []float32 { f(out[:n]); return out[:n] }
	}
	nc := n * hw * c
	return map[string]func() []float32{
		"Linear":         set(n*hw*200, func(y []float32) { lin.Forward(y, x, n*hw) }),
		"Linear float16": set(n*hw*200, func(y []float32) { short.Forward(y, x, n*hw) }),
		"Linear wide":    set(5*1300, func(y []float32) { wide.Forward(y, x[:5*c], 5) }),
		"Conv2d":         set(n*hw*72, func(y []float32) { conv.Forward(y, x, nil, geometry(1)) }),
		"Conv2d by 2":    set(n*hw*72/4, func(y []float32) { conv.Forward(y, x, nil, geometry(2)) }),
		"Linear with": set(n*hw*200, func(y []float32) {
			lin.ForwardWith(y, x, n*hw, Epilogue{Channels: channels, Act: ActSiLU, Residual: residual})
		}),
		"Linear GEGLU": set(n*hw*100, func(y []float32) { lin.ForwardGEGLU(y, x, n*hw) }),
		"Conv2d with": set(n*hw*72, func(y []float32) {
			conv.ForwardWith(y, x, nil, geometry(1), Epilogue{Channels: channels[:n*72], Act: ActGELU, Residual: residual[:n*hw*72]})
		}),
		"Attention": set(nc, func(y []float32) { Attention(y, x, z[:nc], z[nc:2*nc], scratch, self) }),
		"causal":    set(n*90*c, func(y []float32) { Attention(y, x[:n*90*c], z[:n*90*c], z[nc:][:n*90*c], scratch, causal) }),
		"AttentionProbs": set(n*3*90*90, func(y []float32) {
			AttentionProbs(y, x[:n*90*c], z[:n*90*c], causal)
		}),
		"GroupNorm":       set(nc, func(y []float32) { GroupNorm(y, x, gamma, beta, n, hw, c, 32, 1e-5) }),
		"GroupNormWith":   set(nc, func(y []float32) { GroupNormWith(y, x, gamma, beta, n, hw, c, 32, 1e-5, ActSiLU) }),
		"LayerNorm":       set(nc, func(y []float32) { LayerNorm(y, x, gamma, beta, n*hw, c, 1e-5) }),
		"SiLU":            set(nc, func(y []float32) { SiLU(y, x) }),
		"GELU":            set(nc, func(y []float32) { GELU(y, x) }),
		"QuickGELU":       set(nc, func(y []float32) { QuickGELU(y, x) }),
		"GEGLU":           set(nc, func(y []float32) { GEGLU(y, z, n*hw, c) }),
		"Add":             set(nc, func(y []float32) { Add(y, x, z[:nc]) }),
		"AddChannels":     set(nc, func(y []float32) { AddChannels(y, x, e, n, hw, c) }),
		"Concat":          set(2*nc, func(y []float32) { Concat(y, x, z[:nc], n*hw, c, c) }),
		"Upsample2x":      set(4*nc, func(y []float32) { Upsample2x(y, x, n, h, w, c) }),
		"MeanPool":        set(n*c, func(y []float32) { MeanPool(y, x, n, hw, c) }),
		"GridPool":        set(n*9*c, func(y []float32) { GridPool(y, x, n, h, w, c, 3) }),
		"MaxPool":         set(n*c, func(y []float32) { MaxPool(y, x, n, hw, c) }),
		"FirstChannels":   set(n*hw*5, func(y []float32) { FirstChannels(y, x, n*hw, c, 5) }),
		"ToChannelsLast":  set(nc, func(y []float32) { ToChannelsLast(y, x, n, c, h, w) }),
		"ToChannelsFirst": set(nc, func(y []float32) { ToChannelsFirst(y, x, n, h, w, c) }),
	}
}

func TestSameBitsAtAnyThreadCount(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for name, op := range operations() {
			restore := SetThreads(1)
			want := append([]float32(nil), op()...)
			restore()
			for _, threads := range []int{2, 5} {
				restore := SetThreads(threads)
				for range 2 {
					for i, v := range op() {
						if math.Float32bits(v) != math.Float32bits(want[i]) {
							t.Fatalf("%s, %d threads: [%d] = %v, with one thread %v", name, threads, i, v, want[i])
						}
					}
				}
				restore()
			}
		}
	})
}

func TestNoAllocation(t *testing.T) {
	eachSet(t, func(t *testing.T) {
		for name, op := range operations() {
			for _, threads := range []int{1, 2} {
				restore := SetThreads(threads)
				op()
				if n := testing.AllocsPerRun(3, func() { op() }); n > 0 {
					t.Errorf("%s, %d threads: %v allocations a call", name, threads, n)
				}
				restore()
			}
		}
	})
}

// Layers are shared between goroutines; the pool serves one and leaves the others to themselves.
func TestConcurrentUse(t *testing.T) {
	defer SetThreads(3)()
	r := newRand()
	const rows, out, in = 300, 130, 100
	l, x := NewLinear(random(r, out*in), random(r, out), out, in), random(r, rows*in)
	want := make([]float32, rows*out)
	l.Forward(want, x, rows)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			y := make([]float32, rows*out)
			for range 5 {
				clear(y)
				l.Forward(y, x, rows)
				for i := range y {
					if y[i] != want[i] {
						t.Errorf("[%d] = %v, want %v", i, y[i], want[i])
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

type failing struct{ done [64]bool }

func (f *failing) tile(i int) {
	if i == 40 {
		panic("tile 40")
	}
	f.done[i] = true
}

// A panic in a tile reaches the caller, whichever goroutine ran it, and leaves the pool working.
func TestPanicReachesCaller(t *testing.T) {
	defer SetThreads(4)()
	for range 20 {
		f := &failing{}
		func() {
			defer func() {
				if r := recover(); fmt.Sprint(r) != "tile 40" {
					t.Errorf("recovered %v", r)
				}
			}()
			run(f, len(f.done), serialWork)
		}()
		for i, d := range f.done {
			if !d && i != 40 {
				t.Fatalf("tile %d was not run", i)
			}
		}
	}
}

func TestWrongLengthPanics(t *testing.T) {
	l := NewLinear(make([]float32, 6), nil, 2, 3)
	defer func() {
		if want := "tensor: Linear: x has 5 elements, expected 6"; fmt.Sprint(recover()) != want {
			t.Errorf("want %q", want)
		}
	}()
	l.Forward(make([]float32, 4), make([]float32, 5), 2)
}

// A bad environment is reported, and does not stop the program from starting.
func TestEnvironment(t *testing.T) {
	cases := []struct{ name, value, want string }{
		{"PERCEPT_KERNELS", "sse9", "PERCEPT_KERNELS=sse9: unknown kernel set, expected one of generic, avx2, avx512"},
		{"PERCEPT_THREADS", "many", "PERCEPT_THREADS=many, expected a whole number from 1 to 1024"},
		{"PERCEPT_THREADS", "0", "PERCEPT_THREADS=0, expected a whole number from 1 to 1024"},
		{"PERCEPT_THREADS", "9223372036854775807", "PERCEPT_THREADS=9223372036854775807, expected a whole number from 1 to 1024"},
		{"PERCEPT_THREADS", "3", "<nil>"},
		{"PERCEPT_KERNELS", "generic", "<nil>"},
	}
	for _, c := range cases {
		cmd := exec.Command(os.Args[0], "-test.run=TestPrintEnvironment")
		cmd.Env = append(os.Environ(), c.name+"="+c.value, "PRINT_ENVIRONMENT=1")
		out, err := cmd.Output()
		if got, _, _ := strings.Cut(string(out), "\n"); err != nil || got != c.want {
			t.Errorf("%s=%s: %q, %v; want %q", c.name, c.value, got, err, c.want)
		}
	}
}

// TestPrintEnvironment is the process that TestEnvironment starts.
func TestPrintEnvironment(*testing.T) {
	if os.Getenv("PRINT_ENVIRONMENT") != "" {
		fmt.Println(KernelError())
	}
}

func TestUseKernelsRejects(t *testing.T) {
	before := KernelSet()
	if _, err := UseKernels("sse9"); err == nil {
		t.Error("an unknown set is accepted")
	}
	if KernelSet() != before {
		t.Error("a refused set changes the one in use")
	}
}
