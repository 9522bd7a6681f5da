package ridge_test

import (
	"context"
	"fmt"

	"percept/fmri/ridge"
	"percept/tensor/linalg"
)

func ExampleFitCV() {
	// Twelve responses of two voxels; the target is 3·first − second + 1.
	x, y := linalg.New[float32](12, 2), linalg.New[float32](12, 1)
	for i := range 12 {
		a, b := float32(i%4), float32(i%3)
		copy(x.Row(i), []float32{a, b})
		y.Row(i)[0] = 3*a - b + 1
	}
	m, err := ridge.FitCV(context.Background(), x, y, ridge.Options{Folds: 3, Alphas: ridge.LogSpace(-6, 2, 9), Score: ridge.R2})
	if err != nil {
		fmt.Println(err)
		return
	}
	predicted, err := m.Predict(linalg.Of([]float32{2, 0}, 1, 2))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f, cross-validated R² %.3f\n", predicted.Data[0], m.CVScores[0])
	// Output: 7.000, cross-validated R² 1.000
}
