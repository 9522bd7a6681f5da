package linalg_test

import (
	"fmt"

	"percept/tensor/linalg"
)

// Ridge regression of two features on one target: (XᵀX + αI)·w = Xᵀy.
func Example() {
	x := linalg.Of([]float64{
		1, 2,
		3, 4,
		5, 7,
	}, 3, 2)
	y := linalg.Of([]float64{5, 11, 19}, 3, 1) // x[0] + 2·x[1]
	g, w := linalg.New[float64](2, 2), linalg.New[float64](2, 1)
	linalg.Gram(g, 1, x.T(), 0)
	linalg.Mul(w, 1, x.T(), y, 0)
	for i := range g.Rows {
		g.Set(i, i, g.At(i, i)+1e-9)
	}
	if err := linalg.Cholesky(g); err != nil {
		fmt.Println(err)
		return
	}
	linalg.SolveCholesky(g, w)
	fmt.Printf("%.4f\n", w.Data)
	// Output: [1.0000 2.0000]
}
