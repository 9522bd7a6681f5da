package main

import (
	"fmt"
	"image"
	"os"
	"path/filepath"

	"percept/cmd/percept/internal/recipe"
	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/internal/picture"
)

// writable says before long work whether a file can be written at its end.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: is a folder, expected a file to write", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return fmt.Errorf("%s: the folder is not writable: %w", path, cause.Of(err))
	}
	f.Close()
	return os.Remove(f.Name())
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
