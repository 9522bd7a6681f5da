package fit_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"percept/fmri"
	"percept/fmri/diagnose"
	"percept/fmri/fit"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// A study of one's own, without a command: responses of 40 voxels to 160 images and a feature of 5 values of each are in
// slices. The feature is decoded from 120 images and scored on the other 40.
func Example() {
	ctx, images := context.Background(), make([]fmri.ImageID, 160)
	feature, brain := linalg.New[float32](160, 5), linalg.New[float32](160, 40)
	measure(images, feature, brain)
	x, err := table.New("responses", brain, table.Rows{Images: images}, table.Columns{Voxels: &table.Voxels{}})
	check(err)
	y, err := table.New("feature", feature, table.Rows{Images: images}, table.Columns{})
	check(err)

	train, err := x.ByImage(images[:120])
	check(err)
	test, err := x.ByImage(images[120:])
	check(err)
	decoder, err := fit.Fit(ctx, train, y, fit.Options{}) // rows meet by their images
	check(err)
	decoded, err := decoder.Predict(ctx, test)
	check(err)
	truth, err := y.ByImage(images[120:])
	check(err)

	d, err := diagnose.Compare(ctx, truth, decoded, diagnose.Options{})
	check(err)
	fmt.Printf("r %.2f over images, R² %.2f\n", d.Target.Mean, d.R2.Mean)
	fmt.Printf("identified %.0f %%, by chance at most %.0f %%\n", 100*d.FixTrue.Accuracy, 100*d.FixTrue.ChanceHigh)
	// Output:
	// r 0.87 over images, R² 0.73
	// identified 93 %, by chance at most 59 %
}

// measure stands for the experiment: each voxel answers to a mixture of the feature's values, and to much else.
func measure(images []fmri.ImageID, feature, brain linalg.Matrix[float32]) {
	r := rand.New(rand.NewPCG(1, 2))
	mixture := linalg.New[float32](5, 40)
	for _, values := range [][]float32{feature.Data, mixture.Data, brain.Data} {
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
	}
	for i := range images {
		images[i] = fmri.ImageID(3 * i)
		for j := range 40 {
			brain.Row(i)[j] *= 3
			for k, v := range feature.Row(i) {
				brain.Row(i)[j] += v * mixture.At(k, j)
			}
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
