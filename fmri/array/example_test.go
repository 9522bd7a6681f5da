package array_test

import (
	"fmt"
	"log"

	"percept/fmri/array"
)

// The arrays of a file, whatever its format, and one of them.
func Example() {
	path := "../nsd/testdata/nsd_root/nsddata/experiments/nsd/nsd_expdesign.mat"
	names, err := array.Names(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(names)
	a, err := array.Read(path, "masterordering")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Shape, a.Data[:6])
	// Output:
	// [masterordering basiccnt sharedix subjectim stimpattern]
	// [1 72] [3 2 3 13 17 20]
}
