package stats_test

import (
	"fmt"
	"log"

	"percept/fmri/stats"
)

// A score of each of ten images, its mean and how sure it is; the significance of four voxels' correlations over 1000 images,
// corrected for the number of voxels; and what noise leaves to be explained.
func Example() {
	scores := []float64{0.61, 0.72, 0.55, 0.80, 0.43, 0.66, 0.58, 0.71, 0.49, 0.68}
	interval, err := stats.BootstrapMean(scores, stats.Resampling{Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("mean %.3f, 95 %% interval %s, above chance: %v\n", stats.Mean(scores), interval, !interval.Contains(0.5))

	var p []float64
	for _, r := range []float64{0.12, 0.08, 0.055, 0.02} {
		p = append(p, stats.CorrelationP(r, 1000))
	}
	for voxel, q := range stats.BenjaminiHochberg(p) {
		fmt.Printf("voxel %d: p %.4f, q %.4f\n", voxel, p[voxel], q)
	}
	fmt.Printf("noise ceiling of three repeats at ncsnr 0.5: %.2f of the variance\n", stats.NoiseCeiling(0.5, 3))
	// Output:
	// mean 0.623, 95 % interval [0.558, 0.688], above chance: true
	// voxel 0: p 0.0001, q 0.0003
	// voxel 1: p 0.0057, q 0.0114
	// voxel 2: p 0.0411, q 0.0548
	// voxel 3: p 0.2638, q 0.2638
	// noise ceiling of three repeats at ncsnr 0.5: 0.43 of the variance
}
