package metrics_test

import (
	"fmt"
	"log"

	"percept/fmri/metrics"
)

// Features of three pictures and of what was decoded of each: how often a decoded one is more like its own picture than like
// another, and how often a picture is more like its own decoded one.
func Example() {
	seen := [][]float32{{1, 0, 2, 1}, {0, 3, 1, 0}, {4, 1, 0, 2}}
	decoded := [][]float32{{0.9, 0.2, 1.8, 1}, {1, 2, 1.5, 0}, {0.8, 2.2, 0.9, 0.3}}
	similarity, err := metrics.Correlations(seen, decoded)
	if err != nil {
		log.Fatal(err)
	}
	for i := range similarity.N {
		fmt.Printf("picture %d: %5.2f %5.2f %5.2f\n", i, similarity.At(i, 0), similarity.At(i, 1), similarity.At(i, 2))
	}
	for _, direction := range []metrics.Direction{metrics.FixOriginal, metrics.FixGenerated} {
		id := similarity.Identify(direction)
		fmt.Printf("%s: %.2f, of each image %.1f\n", direction, id.Accuracy(), id.PerImage())
	}
	// Output:
	// picture 0:  1.00 -0.24 -0.65
	// picture 1: -0.54  0.83  0.96
	// picture 2: -0.31 -0.43 -0.33
	// fix-original: 0.67, of each image [1.0 0.5 0.5]
	// fix-generated: 0.83, of each image [1.0 1.0 0.5]
}
