package gemm

// A micro kernel computes one tile of a product: tile [mr, nr] = Σ over k of the outer
// product of a[k·mr : k·mr+mr] and b[k·nr : k·nr+nr].
type micro struct {
	mr, nr int
	run    func(tile, a, b *float64, k int)
}
