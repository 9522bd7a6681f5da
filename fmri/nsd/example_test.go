package nsd_test

import (
	"fmt"
	"log"

	"percept/fmri/nsd"
)

// What a subject saw, and the stored betas of ventral voxels in the first session.
func Example() {
	data, err := nsd.Open("testdata/nsd_root")
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	trials, err := data.Trials("subj01")
	if err != nil {
		log.Fatal(err)
	}
	design, err := data.Design()
	if err != nil {
		log.Fatal(err)
	}
	shared := 0
	for _, id := range nsd.FirstSeen(trials) {
		if design.SharedSet()[id] {
			shared++
		}
	}
	fmt.Println(len(trials), "trials of", len(nsd.FirstSeen(trials)), "images, of which all subjects saw", shared)

	ventral, err := data.Region("subj01", nsd.DefaultSpace, "streams/ventral")
	if err != nil {
		log.Fatal(err)
	}
	session, err := nsd.OpenSession(data.Paths.SessionBetas("subj01", nsd.DefaultSpace, nsd.DefaultBetas, 1, "hdf5"))
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	betas := make([]float32, session.Trials*ventral.Mask.Len()) // [trials, voxels]
	if err := session.Read(betas, ventral.Mask); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d trials of %d voxels; the first beta is %g, %.2f %% signal change\n",
		session.Trials, ventral.Mask.Len(), betas[0], betas[0]/session.Scale)
	// Output:
	// 72 trials of 24 images, of which all subjects saw 5
	// 24 trials of 22 voxels; the first beta is 2821, 9.40 % signal change
}
