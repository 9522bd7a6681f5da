package kernel

// widenBy is Set.WidenF16 or Set.WidenBF16 with a kernel for whole vectors of some lanes; plain Go does the rest.
func widenBy(lanes int, k func(n int, y *float32, x *uint16), rest func(y []float32, x []uint16), y []float32, x []uint16) {
	n := same(len(y), len(x)) &^ (lanes - 1)
	if n > 0 {
		k(n, &y[0], &x[0])
	}
	rest(y[n:], x[n:])
}
