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
)

func pictureName(id fmri.ImageID) string { return fmt.Sprintf("%05d.png", id) }

// savePicture writes a picture, which appears whole or not at all.
func savePicture(dir string, id fmri.ImageID, m image.Image) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	path := filepath.Join(dir, pictureName(id))
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

func loadPicture(dir string, id fmri.ImageID) (image.Image, error) {
	path := filepath.Join(dir, pictureName(id))
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func loadPictures(dir string, ids []fmri.ImageID) ([]image.Image, error) {
	out := make([]image.Image, len(ids))
	for i, id := range ids {
		var err error
		if out[i], err = loadPicture(dir, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}
