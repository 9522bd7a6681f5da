package study

import (
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"percept/fmri"
	"percept/internal/atomicfile"
	"percept/internal/picture"
)

func pictureName(id fmri.ImageID) string { return fmt.Sprintf("%05d.png", id) }

// savePicture writes a picture, which appears whole or not at all, and its folder.
func savePicture(path string, m image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := png.Encode(f, m); err != nil {
		return err
	}
	return f.Commit()
}

// sweep removes the files that a killed process was writing.
func sweep(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(filepath.Base(path), atomicfile.Prefix) {
			return os.Remove(path)
		}
		return err
	})
}

// loadPictures reads the pictures of some images in a folder.
func loadPictures(dir string, ids []fmri.ImageID) ([]image.Image, error) {
	out := make([]image.Image, len(ids))
	for i, id := range ids {
		m, err := picture.Read(filepath.Join(dir, pictureName(id)))
		if err != nil {
			return nil, err
		}
		out[i] = m
	}
	return out, nil
}
