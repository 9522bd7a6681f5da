// Command fullsize writes a data tree whose betas have the size and layout of the Natural Scenes Dataset's own, on which
// percept nsd check and prepare are measured. It takes 1.2 GB of disk.
//
//	go run ./tools/fullsize DIR
//	/usr/bin/time -v percept nsd prepare --data DIR --subject subj01 --roi streams:early --sessions 37 --out early
package main

import (
	"context"
	"fmt"
	"os"

	"percept/fmri/sim"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "fullsize: expected one argument, a folder to make")
		os.Exit(2)
	}
	if err := sim.WriteFullSize(context.Background(), os.Args[1], 1); err != nil {
		fmt.Fprintln(os.Stderr, "fullsize:", err)
		os.Exit(1)
	}
}
