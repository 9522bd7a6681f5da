// Package tensor computes: the worker pool and every operation that the models are made of, on plain float32
// slices.
//
// Images are channels-last, [N, H, W, C]; tokens are [N, T, C]; both row-major, so that [N, H, W, C] and
// [N, H·W, C] are the same memory. Weights come in torch's layouts and are packed once, by NewLinear and NewConv2d.
//
//	NewLinear, NewConv2d ──► packed panels ─┐
//	                                        ├─► product (gemm.go) ─► tiles ─► pool ─► tensor/internal/kernel
//	Forward(y, x, …) ───────────────────────┘                          └ epilogue: bias, activation, residual
//
// Operations write into the caller's slices and allocate nothing once warm. Elementwise operations and norms may
// write over their first input. A slice of the wrong length is the caller's bug and panics.
//
// The same inputs give the same bits at any number of threads, for one kernel set: work is cut into tiles whose
// results do not depend on who computes them, and sums are taken over blocks whose bounds depend on shapes alone.
package tensor
