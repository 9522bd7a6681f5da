package nsd_test

import (
	"context"
	"fmt"
	"log"

	"percept/fmri/nsd"
)

// The responses of ventral voxels, averaged over repeats, split by the images that all subjects saw.
func Example() {
	data, err := nsd.Open("testdata/nsd_root")
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	ventral, err := data.Region("subj01", nsd.DefaultSpace, "streams/ventral")
	if err != nil {
		log.Fatal(err)
	}
	betas, err := data.Betas(context.Background(), "subj01", ventral.Mask, nsd.BetaOptions{ZScore: true, Average: true})
	if err != nil {
		log.Fatal(err)
	}
	design, err := data.Design()
	if err != nil {
		log.Fatal(err)
	}
	split := betas.SplitBy(design.SharedSet())
	fmt.Println(betas.Rows(), "images,", betas.Voxels, "voxels")
	fmt.Println(len(split.Train), "to train,", len(split.Test), "to test, of", betas.Count(0), "trials each")
	// Output:
	// 24 images, 22 voxels
	// 19 to train, 5 to test, of 3 trials each
}
