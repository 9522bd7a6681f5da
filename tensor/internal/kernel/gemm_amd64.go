package kernel

// Rows of the largest product kernels.
const (
	rowsAVX2   = 6
	rowsAVX512 = 12
)

func panelAVX2(c []float32, ldc int, a Left, b []float32, n int, bias []float32, add bool) {
	vecs, last := (n+7)/8, (n-1)%8+1
	biasAt := checkPanel(c, ldc, &a, b, n, bias, 8*vecs)
	tiles := (a.M + rowsAVX2 - 1) / rowsAVX2
	for t := range tiles {
		i, end := a.M*t/tiles, a.M*(t+1)/tiles
		gemm_avx2(end-i, vecs, a.Run, &a.X[i*a.Stride], a.Stride, &b[0], &c[i*ldc], ldc, biasAt, flags(add, a.Fold), last, a.Runs,
			a.Jump-a.Run, ahead(&a, len(b), t))
	}
}

func panelAVX512(c []float32, ldc int, a Left, b []float32, n int, bias []float32, add bool) {
	vecs, mask := (n+15)/16, 1<<((n-1)%16+1)-1
	biasAt := checkPanel(c, ldc, &a, b, n, bias, 16*vecs)
	tiles := (a.M + rowsAVX512 - 1) / rowsAVX512
	for t := range tiles {
		i, end := a.M*t/tiles, a.M*(t+1)/tiles
		gemm_avx512(end-i, vecs, a.Run, &a.X[i*a.Stride], a.Stride, &b[0], &c[i*ldc], ldc, biasAt, flags(add, a.Fold), mask, a.Runs,
			a.Jump-a.Run, ahead(&a, len(b), t))
	}
}

// checkPanel panics unless the slices hold all that a product of these sizes touches. It returns the bias's address.
func checkPanel(c []float32, ldc int, a *Left, b []float32, n int, bias []float32, w int) *float32 {
	_, _, _ = c[(a.M-1)*ldc+n-1], a.X[a.extent()-1], b[a.K()*w-1]
	if bias == nil {
		return nil
	}
	_ = bias[w-1]
	return &bias[0]
}

// ahead returns where row tile t finds what it is to ask the cache for, in bytes from the beginning of the panel: its
// part of the panel behind it.
func ahead(a *Left, size, t int) int {
	if !a.Ahead {
		return 0
	}
	return 4 * (size + t*8*a.K()%size)
}

// flags are those of the product kernels: 1 to add to C, 2 to fold.
func flags(add, fold bool) int { return flag(add) | flag(fold)<<1 }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
