package main

import (
	"fmt"
	"image"
	"os"

	"percept/cmd/percept/internal/recipe"
	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/internal/picture"
)

// writable says before long work whether a file can be written at its end, by the name that it will have while it is written.
func writable(path string) error { return try(path, atomicfile.Create) }

// writableIn is writable for a file whose folder may be missing, which is made. A file that is there may be up to date, and then
// need not be written.
func writableIn(path string) error {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return nil
	}
	return try(path, atomicfile.CreateAll)
}

func try(path string, create func(path string) (*atomicfile.File, error)) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: is a folder, expected a file to write", path)
	}
	f, err := create(path)
	if err == nil {
		f.Abort()
	}
	return err
}

// writePicture writes a PNG with its recipes by way of a temporary file in the same folder.
func writePicture(path string, m image.Image, recipes ...recipe.Recipe) error {
	text, err := recipe.Text(recipes...)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := picture.EncodePNG(f, m, text); err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	return f.Commit()
}
