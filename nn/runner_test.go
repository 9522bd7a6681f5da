package nn

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestRunnerKeeps(t *testing.T) {
	compiled := 0
	var fails error
	r := NewRunner("model", Options{}, func(int) (*Graph, error) {
		compiled++
		if fails != nil {
			return nil, fails
		}
		return Build(func(g *Graph) { g.Output("y", SiLU(g.Input("x", 1, 2, 3))) })
	})
	get := func(key int, lend bool, taps ...Tap) *Program {
		t.Helper()
		p, err := r.get(key, taps, lend)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	lent := get(0, true)
	made := map[int]*Program{}
	for key := 1; key <= keptPrograms; key++ {
		made[key] = get(key, false)
	}
	for key := keptPrograms; key >= 1; key-- { // 1 is the last used
		if get(key, false) != made[key] {
			t.Errorf("%d is made twice", key)
		}
	}
	get(100, false)
	if want := keptPrograms + 2; compiled != want || len(r.kept) != keptPrograms+1 {
		t.Errorf("%d programs made, %d kept; expected %d, %d", compiled, len(r.kept), want, keptPrograms+1)
	}
	if get(1, false) != made[1] {
		t.Error("one that was used lately is forgotten")
	}
	if get(keptPrograms, false) == made[keptPrograms] {
		t.Error("the one not used for longest is kept")
	}
	for key := range 3 * keptPrograms {
		get(1000+key, false)
	}
	if p, err := r.Program(0); p != lent || err != nil {
		t.Errorf("a lent program is forgotten: %v", err)
	}
	if len(r.kept) != keptPrograms+1 {
		t.Errorf("%d programs kept, expected %d", len(r.kept), keptPrograms+1)
	}

	mean, largest := Tap{"x", []Reduction{Mean}}, Tap{"x", []Reduction{Max}}
	tapped := get(0, false, mean, largest)
	if tapped == lent || tapped == get(0, false, mean) || tapped != get(0, false, largest, mean) || get(0, false) != lent {
		t.Error("programs are not told apart by their taps")
	}

	fails = errors.New("no")
	if _, err := r.Program(-1); !errors.Is(err, fails) {
		t.Errorf("error %v, expected no", err)
	}
	fails = nil
	if get(-1, false) == nil {
		t.Error("a failure is kept")
	}
}

// Runs of several goroutines follow one another, each with its own inputs and size.
func TestRunnerRuns(t *testing.T) {
	r := NewRunner("doubler", Options{}, func(n int) (*Graph, error) {
		return Build(func(g *Graph) {
			x := g.Input("x", n)
			g.Output("y", Add(x, x))
		})
	})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			x, y := slices.Repeat([]float32{float32(i)}, i%3+1), make([]float32, i%3+1)
			if err := r.Run(t.Context(), len(x), nil, []Array{{"x", x}}, Array{"y", y}); err != nil {
				t.Error(err)
			}
			for _, v := range y {
				if v != float32(2*i) {
					t.Errorf("%v, expected %d", y, 2*i)
				}
			}
		})
	}
	wg.Wait()

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		key  int
		in   []Array
		out  Array
		want string
	}{
		{t.Context(), 2, []Array{{"z", make([]float32, 2)}}, Array{"y", make([]float32, 2)}, `doubler: nn: no node "z"`},
		{t.Context(), 2, []Array{{"x", make([]float32, 3)}}, Array{"y", make([]float32, 2)}, "doubler: nn: input x: 3 numbers"},
		{t.Context(), 2, []Array{{"x", make([]float32, 2)}}, Array{"y", make([]float32, 3)},
			"doubler: room for 3 values of y, expected 2: [2]"},
		{t.Context(), 2, []Array{{"x", make([]float32, 2)}}, Array{"z", nil}, `doubler: there is no output "z"`},
		{t.Context(), 0, nil, Array{}, "nn: x"},
		{cancelled, 2, []Array{{"x", make([]float32, 2)}}, Array{"y", make([]float32, 2)}, "doubler: nn: stopped before"},
	} {
		if err := r.Run(c.ctx, c.key, nil, c.in, c.out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, expected one with %q", err, c.want)
		}
	}
}
