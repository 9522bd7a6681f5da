package table

import (
	"fmt"

	"percept/internal/cause"
	"percept/internal/filesum"
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

// fileSum is the sha256 of a file, with its name in an error.
func fileSum(path string) (string, error) {
	sum, err := filesum.Hex(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	return sum, nil
}
