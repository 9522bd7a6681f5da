package prepare_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"percept/fmri/nsd/prepare"
	"percept/fmri/sim"
)

// The responses of early and of ventral voxels in a simulated tree, z-scored by session and averaged over repeats; images
// that all subjects see are the test set.
func Example() {
	dir, err := os.MkdirTemp("", "prepare")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	root, ctx := filepath.Join(dir, "tree"), context.Background()
	err = sim.Write(ctx, root, sim.Options{Seed: 1, Subjects: 1, SharedImages: 5, OwnImages: 15, Sessions: 3, ImageSize: 24,
		Shape: [3]int{10, 12, 9}, EarlyVoxels: 40, MidVoxels: 9, HigherVoxels: 20}, nil)
	if err != nil {
		log.Fatal(err)
	}
	folder, err := prepare.Run(ctx, root, filepath.Join(dir, "subj01"), "1.0", prepare.Options{Subject: "subj01",
		ROIs: []string{"streams/early", "streams/ventral"}, ZScore: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, roi := range folder.Manifest.Regions {
		fmt.Println(roi.Name, "has", roi.Voxels, "voxels")
	}
	for _, part := range []string{"train", "test"} {
		t, err := folder.Table(part, "streams/early")
		if err != nil {
			log.Fatal(err)
		}
		x, err := t.Matrix(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %d×%d, %s; the first row is image %d, the mean of %d trials\n", part, x.Rows, x.Cols, t.Cols.Voxels.Scale,
			t.Rows.Images[0], t.Rows.Counts[0])
	}
	// Output:
	// streams/early has 40 voxels
	// streams/ventral has 12 voxels
	// train: 15×40, z-scored within sessions; the first row is image 19, the mean of 2 trials
	// test: 5×40, z-scored within sessions; the first row is image 14, the mean of 3 trials
}
