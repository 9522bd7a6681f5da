// Command haxby analyses one slice of real fMRI with Percept's own packages: eight categories are decoded with ridge, and
// every voxel is predicted from the categories. docs/haxby.md has what comes out and what it means.
//
//	go run ./tools/haxby --data FOLDER --out FOLDER
//
// The data folder holds bold.nii.gz, mask.nii.gz and attributes_literal.txt of Haxby et al. 2001, as shipped with PyMVPA.
// Written are results.json, voxels.tsv, permutations.json (what check.py compares with other libraries), confusion.png and
// encoding.png. The same seed gives the same files.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "haxby:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("haxby", flag.ContinueOnError)
	flags.SetOutput(stderr)
	folder := flags.String("data", "", "`folder` with bold.nii.gz, mask.nii.gz and attributes_literal.txt")
	out := flags.String("out", "", "`folder` to write to")
	c := published
	flags.IntVar(&c.Permutations, "permutations", c.Permutations, "permutations of each test (of single volumes at most 1000)")
	flags.Uint64Var(&c.Seed, "seed", c.Seed, "of permutations and bootstraps")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if *folder == "" || *out == "" || flags.NArg() > 0 || c.Permutations < 1 {
		fmt.Fprintln(stderr, "haxby: expected --data FOLDER, --out FOLDER and at least one permutation")
		flags.Usage()
		return errUsage
	}
	d, err := read(*folder)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o777); err != nil {
		return err
	}
	c.progress = func(what string) { fmt.Fprintln(stderr, what) }
	r, err := analyse(ctx, d, c)
	if err != nil {
		return err
	}
	if err := r.write(*out); err != nil {
		return err
	}
	for name, picture := range map[string]image.Image{"confusion.png": drawConfusion(r), "encoding.png": drawSlice(d, r)} {
		err := writeFile(filepath.Join(*out, name), func(w io.Writer) error {
			return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, picture)
		})
		if err != nil {
			return err
		}
	}
	return r.print(stdout)
}

// writeFile writes a file under another name and renames it when it is whole.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".haxby-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
