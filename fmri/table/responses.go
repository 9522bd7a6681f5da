package table

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
