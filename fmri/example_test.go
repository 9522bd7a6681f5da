package fmri_test

import (
	"fmt"
	"log"

	"percept/fmri"
)

// The voxels of two regions of a volume, and where they stand in the file of the volume.
func Example() {
	shape := [3]int{2, 3, 2} // x, y, z
	left := fmri.NewMask(shape, func(x, y, z int) bool { return x == 0 && y > 0 })
	low := fmri.NewMask(shape, func(x, y, z int) bool { return z == 0 })
	both, err := fmri.Or(left, low)
	if err != nil {
		log.Fatal(err)
	}
	common, err := left.And(low)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(left.Len(), "and", low.Len(), "voxels, together", both.Len(), "and in common", common.Len())
	for v, place := range common.FileIndex() {
		fmt.Println("voxel", v, "lies at", common.XYZ(v), "and is number", place, "of the file")
	}
	// Output:
	// 4 and 6 voxels, together 8 and in common 2
	// voxel 0 lies at [0 1 0] and is number 2 of the file
	// voxel 1 lies at [0 2 0] and is number 4 of the file
}
