package series_test

import (
	"fmt"
	"log"

	"percept/fmri/series"
)

// A voxel that drifts and answers to faces (label 0), two volumes late, in one run: detrended, scaled and averaged over each
// block; then what an encoding model takes in its place, the labels delayed.
func Example() {
	run := []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	label := []int{-1, 0, 0, 0, -1, -1, 1, 1, 1, -1} // -1: rest
	x := []float32{0, 1, 2, 13, 14, 15, 6, 7, 8, 9}  // [10 volumes, 1 voxel]
	if err := series.Detrend(x, 1, run, 1); err != nil {
		log.Fatal(err)
	}
	if err := series.ZScore(x, 1, run); err != nil {
		log.Fatal(err)
	}
	blocks, err := series.Blocks(run, label)
	if err != nil {
		log.Fatal(err)
	}
	var sets [][]int
	for _, b := range blocks {
		sets = append(sets, b.Volumes(run, 2))
	}
	mean, err := series.Average(x, 1, sets)
	if err != nil {
		log.Fatal(err)
	}
	for i, b := range blocks {
		fmt.Printf("label %d: volumes %v answer with %.2f\n", b.Label, sets[i], mean[i])
	}

	indicators, err := series.Indicators(label, 2)
	if err != nil {
		log.Fatal(err)
	}
	delayed, err := series.Delay(indicators, 2, run, []int{1, 2}) // [10, 2 delays × 2 labels]
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("volume 3:", delayed[3*4:4*4])
	// Output:
	// label 0: volumes [3 4 5] answer with 1.52
	// label 1: volumes [8 9] answer with -0.50
	// volume 3: [1 0 1 0]
}
