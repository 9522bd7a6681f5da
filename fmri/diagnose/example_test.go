package diagnose_test

import (
	"context"
	"fmt"
	"log"

	"percept/fmri"
	"percept/fmri/diagnose"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// Three features of four images, as they are and as a decoder predicted them: close for all images but the last.
func ExampleCompare() {
	rows := table.Rows{Images: []fmri.ImageID{3, 8, 21, 40}}
	truth, err := table.New("feature", linalg.Of([]float32{
		1, 0, 2,
		0, 3, 1,
		4, 1, 0,
		2, 2, 5,
	}, 4, 3), rows, table.Columns{})
	if err != nil {
		log.Fatal(err)
	}
	predicted, err := table.New("predicted", linalg.Of([]float32{
		0.8, 0.2, 1.5,
		0.3, 2.1, 0.9,
		2.9, 0.8, 0.4,
		2.2, 1.9, 1.2,
	}, 4, 3), rows, table.Columns{})
	if err != nil {
		log.Fatal(err)
	}
	d, err := diagnose.Compare(context.Background(), truth, predicted, diagnose.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, image := range d.PerImage {
		fmt.Printf("image %d: pattern correlation %.2f\n", image.Image, image.Pattern)
	}
	fmt.Printf("targets: r %.2f, R² %.2f, variance kept %.2f\n", d.Target.Mean, d.R2.Mean, d.Variance.Total)
	fmt.Printf("identified %.0f %%, chance 50 %%\n", 100*d.FixTrue.Accuracy)
	// Output:
	// image 3: pattern correlation 1.00
	// image 8: pattern correlation 1.00
	// image 21: pattern correlation 1.00
	// image 40: pattern correlation -0.96
	// targets: r 0.85, R² 0.53, variance kept 0.27
	// identified 75 %, chance 50 %
}
