package sim_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"percept/fmri/nsd"
	"percept/fmri/sim"
)

// A simulated subject is read as one of the Natural Scenes Dataset.
func Example() {
	dir, err := os.MkdirTemp("", "sim")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "tree")
	err = sim.Write(context.Background(), root, sim.Options{Seed: 1, Subjects: 1, SharedImages: 5, OwnImages: 15, Sessions: 3,
		ImageSize: 24, Shape: [3]int{10, 12, 9}, EarlyVoxels: 40, MidVoxels: 9, HigherVoxels: 20}, nil)
	if err != nil {
		log.Fatal(err)
	}
	data, err := nsd.Open(root)
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	trials, err := data.Trials("subj01")
	if err != nil {
		log.Fatal(err)
	}
	early, err := data.Region("subj01", nsd.DefaultSpace, "streams/early")
	if err != nil {
		log.Fatal(err)
	}
	captions, err := data.Captions(context.Background(), trials[0].Image)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(trials), "trials of", len(nsd.FirstSeen(trials)), "images;", early.Mask.Len(), "early voxels")
	fmt.Printf("the first shows %q\n", captions[trials[0].Image][0])
	// Output:
	// 45 trials of 20 images; 40 early voxels
	// the first shows "a big white sailboat"
}
