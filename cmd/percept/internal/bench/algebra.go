package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"percept/tensor/linalg"
)

// An Operation is one call of linear algebra that is timed.
type Operation struct {
	Name string
	FLOP float64 // of its definition; half a product for what is symmetric
	run  func() error
}

// Algebra is what ridge regression is made of, at a fraction size of a subject of NSD: 8859 trials, 5000 features, 6400
// targets, a fifth of the trials left out. Names end in the element type.
//
//	gram            XᵀX
//	product         XᵀY
//	cholesky        G = L·Lᵀ
//	solve-held      L·Z = B for as many right-hand sides as trials are left out
//	solve-targets   the same for as many as there are targets
type Algebra struct {
	Size float64
}

var algebraNames = []string{"gram", "product", "cholesky", "solve-held", "solve-targets"}

// Names returns the names of all operations.
func (a Algebra) Names() []string {
	var names []string
	for _, e := range []string{"float32", "float64"} {
		for _, n := range algebraNames {
			names = append(names, n+"-"+e)
		}
	}
	return names
}

// Operation prepares the operation of that name; Size is from 0 to 4.
func (a Algebra) Operation(name string) (Operation, error) {
	if kind, ok := strings.CutSuffix(name, "-float32"); ok && slices.Contains(algebraNames, kind) {
		return algebra[float32](name, kind, a.Size), nil
	}
	if kind, ok := strings.CutSuffix(name, "-float64"); ok && slices.Contains(algebraNames, kind) {
		return algebra[float64](name, kind, a.Size), nil
	}
	return Operation{}, fmt.Errorf("%s: expected one of %s", name, strings.Join(a.Names(), ", "))
}

func algebra[E linalg.Float](name, kind string, size float64) Operation {
	r := rand.New(rand.NewPCG(1, 2))
	scaled := func(n float64) int { return max(1, int(n*size)) }
	n, p, targets, held := scaled(8859), scaled(5000), scaled(6400), scaled(1772)
	fn, fp := float64(n), float64(p)
	o := Operation{Name: name}
	switch kind {
	case "gram":
		x, g := randomMatrix[E](r, n, p), linalg.New[E](p, p)
		o.FLOP, o.run = fn*fp*fp, func() error { linalg.Gram(g, 1, x.T(), 0); return nil }
	case "product":
		x, y, w := randomMatrix[E](r, n, p), randomMatrix[E](r, n, targets), linalg.New[E](p, targets)
		o.FLOP, o.run = 2*fn*fp*float64(targets), func() error { linalg.Mul(w, 1, x.T(), y, 0); return nil }
	case "cholesky":
		g, l := definite[E](r, p), linalg.New[E](p, p)
		o.FLOP, o.run = fp*fp*fp/3, func() error { copy(l.Data, g.Data); return linalg.Cholesky(l) }
	default:
		rhs := held
		if kind == "solve-targets" {
			rhs = targets
		}
		l, b, z := definite[E](r, p), randomMatrix[E](r, p, rhs), linalg.New[E](p, rhs)
		o.FLOP = fp * fp * float64(rhs)
		o.run = func() error { copy(z.Data, b.Data); linalg.SolveLower(l, z); return nil }
	}
	return o
}

func randomMatrix[E linalg.Float](r *rand.Rand, rows, cols int) linalg.Matrix[E] {
	m := linalg.New[E](rows, cols)
	for i := range m.Data {
		m.Data[i] = E(r.NormFloat64())
	}
	return m
}

// definite is a well conditioned matrix: numbers of a few hundredths, and 2 on the diagonal.
func definite[E linalg.Float](r *rand.Rand, n int) linalg.Matrix[E] {
	x, g := randomMatrix[E](r, n, 64), linalg.New[E](n, n)
	linalg.Gram(g, 1/E(64*n), x, 0)
	for i := range n {
		g.Set(i, i, g.At(i, i)+2)
	}
	return g
}

// Time measures the operation: one run that is not counted, then runs.
func (op Operation) Time(ctx context.Context, o Options) (Result, error) {
	r := Result{Name: op.Name, FLOP: int64(op.FLOP)}
	if err := op.run(); err != nil {
		return r, fmt.Errorf("%s: %w", op.Name, err)
	}
	return r, r.measure(ctx, o, 1, func(context.Context) error { return op.run() })
}

// Serve answers the commands of bench.Serve for the operations: load, run, memory and quit.
func (a Algebra) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var op Operation
	return serve(ctx, in, out, func(words []string) (string, error) {
		switch {
		case len(words) == 2 && words[0] == "load":
			start := time.Now()
			op = Operation{} // its memory is free for the next
			var err error
			if op, err = a.Operation(words[1]); err != nil {
				return "", err
			}
			return fmt.Sprintf("ok %.3f", time.Since(start).Seconds()), op.run()
		case len(words) >= 1 && words[0] == "run" && op.run != nil:
			count := 1
			if len(words) > 1 {
				count, _ = strconv.Atoi(words[1])
			}
			r, err := op.Time(ctx, Options{Runs: max(count, 1)})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("ms %.4f %.4f", 1000*r.Median, 1000*r.CPU), nil
		case len(words) == 1 && words[0] == "memory":
			return fmt.Sprintf("mib %.0f", float64(maxRSS())/(1<<20)), nil
		}
		return "", fmt.Errorf("%q: expected load CASE, run [N], memory or quit", strings.Join(words, " "))
	})
}
