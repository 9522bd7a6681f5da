package nn

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"
)

// keeper keeps what layers make of random weights.
type keeper struct {
	randomParams
	kept    map[string][]byte
	lent    []string
	done    int
	missing string // a tensor that is not there
	dtype   string
	broken  string // a tensor that is there and cannot be read
}

func (k *keeper) Have(name string, shape ...int) error {
	if name == k.missing {
		return errors.New("no tensor " + name)
	}
	return nil
}

func (k *keeper) Lend(name string, shape ...int) ([]float32, error) {
	if name == k.broken {
		return nil, errors.New("cannot read " + name)
	}
	k.lent = append(k.lent, name)
	return k.Float32(name, shape...)
}

func (k *keeper) Room(key string, size int) ([]byte, bool, any) {
	if b, ok := k.kept[key]; ok {
		return b, true, k
	}
	b := make([]byte, size+64)
	b = b[-int(uintptr(unsafe.Pointer(&b[0])))&63:][:size]
	k.kept[key] = b
	return b, false, k
}

func (k *keeper) Done(string) { k.done++ }
func (k *keeper) Low() bool   { return false }
func (k *keeper) DType() string {
	if k.dtype == "" {
		return "float32"
	}
	return k.dtype
}

// everyLayer is a graph with one layer of each kind that has weights.
func everyLayer(p Params) (func(g *Graph), error) {
	s := NewScope(p)
	embed, norm := NewEmbedding(s.Sub("embed"), 7, 12), NewLayerNorm(s.Sub("norm"), 12, 1e-5)
	a, b := NewLinear(s.Sub("a"), 12, 16), NewLinearNoBias(s.Sub("b"), 16, 8)
	group := NewGroupNorm(s.Sub("group"), 8, 2, 1e-5)
	conv, point := NewConv2d(s.Sub("conv"), 8, 6, 3), NewConv2d(s.Sub("point"), 6, 5, 1, ConvOption{NoBias: true})
	return func(g *Graph) {
		x := b.Forward(a.Forward(norm.Forward(embed.Forward(g.Input("ids", 2, 6)))))
		g.Output("y", point.Forward(conv.Forward(group.Forward(Image(x, 2, 3)))))
	}, s.Err()
}

// Layers on kept memory give the bits of others, the first time and when they find their weights packed; then no tensor
// is read.
func TestKeeper(t *testing.T) {
	output := func(p Params) []float32 {
		f, err := everyLayer(p)
		if err != nil {
			t.Fatal(err)
		}
		program := must(t, f)
		if err := program.Set("ids", []float32{0, 1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1}); err != nil {
			t.Fatal(err)
		}
		run(t, program)
		return program.Output("y")
	}
	want := output(randomParams{})
	k := &keeper{kept: map[string][]byte{}}
	same(t, "packed", output(k), want)
	const tensors, layers = 11, 9 // norms keep two tensors each
	if len(k.lent) != tensors || k.done != layers || len(k.kept) != layers {
		t.Errorf("%d tensors read, %d layers done, %d kept; want %d, %d, %d", len(k.lent), k.done, len(k.kept), tensors, layers, layers)
	}
	k.lent = nil
	same(t, "found", output(k), want)
	if len(k.lent) > 0 {
		t.Errorf("reads %v although all is packed", k.lent)
	}
}

// Tensors that are missing are errors whether the others are packed or not, and so are unreadable ones.
func TestKeeperErrors(t *testing.T) {
	k := &keeper{kept: map[string][]byte{}}
	if _, err := everyLayer(k); err != nil {
		t.Fatal(err)
	}
	k.missing = "a.weight"
	if _, err := everyLayer(k); err == nil || err.Error() != "no tensor a.weight" {
		t.Errorf("missing: %v", err)
	}
	k = &keeper{kept: map[string][]byte{}, broken: "conv.bias"}
	if _, err := everyLayer(k); err == nil || !strings.Contains(err.Error(), "cannot read conv.bias") {
		t.Errorf("unreadable: %v", err)
	}
	k = &keeper{kept: map[string][]byte{}, dtype: "int4"}
	if _, err := everyLayer(k); err == nil || !strings.Contains(err.Error(),
		`nn: a: format "int4", expected float32, float16 or bfloat16`) {
		t.Errorf("unknown dtype: %v", err)
	}
}

// handed remembers what it has given without keeping it.
type handed struct {
	randomParams
	given  []weak.Pointer[float32]
	closed bool
}

func (h *handed) Float32(name string, shape ...int) ([]float32, error) {
	if h.closed {
		return nil, fmt.Errorf("no tensor %s", name)
	}
	w, err := h.randomParams.Float32(name, shape...)
	h.given = append(h.given, weak.Make(&w[0]))
	return w, err
}

// Layers keep no copy of their weights, but can read them again as long as they are there.
func TestWeightsAreReadAgain(t *testing.T) {
	params := &handed{}
	s := NewScope(params)
	conv, bare := NewConv2d(s.Sub("conv"), 8, 6, 3), NewConv2d(s.Sub("bare"), 6, 5, 1, ConvOption{NoBias: true})
	linear, plain := NewLinear(s.Sub("linear"), 12, 16), NewLinearNoBias(s.Sub("plain"), 16, 8)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.GC()
	for i, p := range params.given {
		if p.Value() != nil {
			t.Errorf("tensor %d of %d is still in memory", i, len(params.given))
		}
	}
	kept := &keeper{kept: map[string][]byte{}}
	for _, c := range []struct {
		path  string
		layer interface {
			Weights() (weight, bias []float32, err error)
		}
		shape []int
		bias  bool
	}{
		{"conv", conv, []int{6, 8, 3, 3}, true},
		{"bare", bare, []int{5, 6, 1, 1}, false},
		{"linear", linear, []int{16, 12}, true},
		{"plain", plain, []int{8, 16}, false},
		{"packed", NewLinear(NewScope(kept).Sub("packed"), 4, 3), []int{3, 4}, true},
	} {
		w, b, err := c.layer.Weights()
		if err != nil {
			t.Fatal(err)
		}
		want, _ := randomParams{}.Float32(c.path+".weight", c.shape...)
		same(t, c.path+".weight", w, want)
		if want, _ = (randomParams{}).Float32(c.path+".bias", c.shape[0]); c.bias {
			same(t, c.path+".bias", b, want)
		} else if b != nil {
			t.Errorf("%s has a bias", c.path)
		}
	}
	if len(kept.lent) != 2 {
		t.Errorf("%v was lent, expected what packing takes alone", kept.lent)
	}
	params.closed = true
	if _, _, err := conv.Weights(); err == nil || !strings.Contains(err.Error(), "no tensor conv.weight") {
		t.Errorf("after the file is closed: error %v", err)
	}
	runtime.KeepAlive(s)
}
