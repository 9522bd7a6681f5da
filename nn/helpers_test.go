package nn

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"percept/internal/golden"
)

// random returns n numbers of about unit variance that depend on the name alone.
func random(name string, n int) []float32 {
	h := fnv.New64a()
	h.Write([]byte(name))
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// randomParams gives every tensor that is asked for.
type randomParams struct{}

func (randomParams) Float32(name string, shape ...int) ([]float32, error) {
	w := random(name, size(shape))
	if len(shape) > 1 {
		scale := float32(1 / math.Sqrt(float64(size(shape[1:]))))
		for i := range w {
			w[i] *= scale
		}
	}
	return w, nil
}

func scope(path string) *Scope { return NewScope(randomParams{}).Sub(path) }

// must compiles a graph made by f.
func must(t testing.TB, f func(g *Graph)) *Program {
	t.Helper()
	g, err := Build(f)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// setRandom fills all inputs that have no value yet.
func setRandom(t testing.TB, p *Program) {
	t.Helper()
	for _, n := range p.nodes {
		if n.op == nil && !n.set {
			if err := p.Set(n.name, random(n.name, size(n.shape))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func run(t testing.TB, p *Program) {
	t.Helper()
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// near wants max |got - want| ≤ tol · rms(want).
func near[T float32 | float64](t *testing.T, what string, got []float32, want []T, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, want %d", what, len(got), len(want))
		return
	}
	var worst, sum float64
	at := 0
	for i, w := range want {
		sum += float64(w) * float64(w)
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= worst) {
			worst, at = d, i
		}
	}
	if rms := math.Sqrt(sum / float64(len(want))); !(worst <= tol*rms) {
		t.Errorf("%s: off by %.3g at %d (%v, want %v), allowed %.3g of rms %.3g", what, worst, at, got[at], want[at], tol*rms, rms)
	}
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d is %v, want the bits of %v", what, i, got[i], want[i])
		}
	}
}

// reference holds the tensors of a file; it is Params as well.
type reference map[string][]float32

func openReference(t *testing.T, path string) reference {
	t.Helper()
	s, r := golden.Open(t, path), reference{}
	for _, name := range s.Names() {
		r[name] = golden.Values[float32](s, name)
	}
	return r
}

func (r reference) Float32(name string, shape ...int) ([]float32, error) {
	if x, ok := r[name]; ok && len(x) == size(shape) {
		return x, nil
	}
	return nil, &NameError{Name: name}
}

// ok fails the test where a program could not do what the test rests on: a hook that is not there never fails.
func ok(t testing.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}
