package table

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"percept/internal/cause"
)

// openArrayOfResponses opens an array FILE or FILE:ARRAY of rows of voxels. images names an array with the 0-based image of
// each row, or is empty.
func openArrayOfResponses(path string, images string) (*Table, error) {
	t, err := readArray(path, "responses")
	if err != nil {
		return nil, err
	}
	t.Cols = Columns{Shape: []int{t.Width()}, Voxels: &Voxels{N: t.Width()}}
	if images != "" {
		t.Rows.Images, err = readImages(images, t.Len())
	}
	return t, err
}

// fileSum is the sha256 of a file.
func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
