package main

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"

	"percept/cmd/percept/internal/recipe"
	"percept/internal/picture"
)

// writable says before long work whether a file can be written at its end.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: is a folder, expected a file to write", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*")
	if err != nil {
		return fmt.Errorf("%s: the folder is not writable: %w", path, cause(err))
	}
	f.Close()
	return os.Remove(f.Name())
}

// writePicture writes a PNG with its recipes by way of a temporary file in the same folder.
func writePicture(path string, m image.Image, recipes ...recipe.Recipe) (err error) {
	text, err := recipe.Text(recipes...)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*.png")
	if err != nil {
		return fmt.Errorf("%s: the folder is not writable: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			f.Close() // a second Close is harmless
			os.Remove(f.Name())
			err = fmt.Errorf("%s: cannot be written: %w", path, cause(err))
		}
	}()
	if err := picture.EncodePNG(f, m, text); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// cause is what the system said, without the temporary file that it said it of.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
