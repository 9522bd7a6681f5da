package decoding

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/table"
	"percept/internal/filesum"
	"percept/tensor/linalg"
)

// Responses are X with what is known of its rows and columns.
type Responses struct {
	X      linalg.Matrix[float32]
	Images []fmri.ImageID // of each row; nil where it is not known
	Voxels table.Voxels
	Sum    string // of what they were read from
	Path   string
}

// OpenResponses reads a part ("train", "test_trials") of a folder that percept nsd prepare has made, of some regions or all
// voxels, or else an array FILE or FILE:ARRAY of rows of voxels. images names an array with the image of each row of the
// latter, or is empty.
func OpenResponses(path, part string, rois []string, images string) (*Responses, error) {
	r := &Responses{Path: path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if images != "" {
			return nil, fmt.Errorf("%s: the folder knows the image of each row, expected no other list of them", path)
		}
		return r, r.fromFolder(path, part, rois)
	}
	if len(rois) > 0 {
		return nil, fmt.Errorf("%s: no regions are known of an array, expected a folder of percept nsd prepare", path)
	}
	var err error
	if r.X, _, err = readMatrix(path); err != nil {
		return nil, err
	}
	r.Voxels.N = r.X.Cols
	if images != "" {
		if r.Images, err = readImages(images, r.X.Rows); err != nil {
			return nil, err
		}
	}
	file, _ := splitName(path)
	r.Sum, err = filesum.Hex(file)
	return r, err
}

func (r *Responses) fromFolder(dir, part string, rois []string) error {
	f, err := table.OpenFolder(dir)
	if err != nil {
		return err
	}
	var names []string
	for _, roi := range rois {
		names = append(names, strings.Replace(roi, ":", "/", 1))
	}
	t, err := f.Table(part, names...)
	if err != nil {
		return err
	}
	x, err := t.Matrix(context.Background())
	r.X, r.Images, r.Voxels, r.Sum = x, t.Rows.Images, *t.Cols.Voxels, t.Sum
	return err
}

// At is the responses' voxels that a decoder was fitted on, in its order.
func (r *Responses) At(m *decode.Model) (linalg.Matrix[float32], error) {
	columns, err := r.Voxels.At(m.Voxels)
	if err != nil {
		return linalg.Matrix[float32]{}, fmt.Errorf("%s: %w", r.Path, err)
	}
	x := linalg.New[float32](r.X.Rows, len(columns))
	for i := range x.Rows {
		row, of := x.Row(i), r.X.Row(i)
		for j, c := range columns {
			row[j] = of[c]
		}
	}
	return x, nil
}

// Features are Y: a file that percept features has made, whose rows are found by their images and read as they are needed, or
// an array, whose rows are those of the responses.
type Features struct {
	Name  string
	Shape []int
	Meta  map[string]string // of a file of features
	Sum   string
	Path  string

	y      *linalg.Matrix[float32] // an array
	images map[fmri.ImageID]bool
}

// OpenFeatures opens the file of a feature, path or the file of that name in the folder path, or an array FILE or FILE:ARRAY.
func OpenFeatures(path, name string) (*Features, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if name == "" {
			return nil, fmt.Errorf("%s: is a folder, expected the name of a feature in it as well", path)
		}
		path = filepath.Join(path, table.FileName(name, table.Shard{}))
	}
	f := &Features{Path: path, Name: name}
	if filepath.Ext(path) != ".safetensors" {
		m, shape, err := readMatrix(path)
		if err != nil {
			return nil, err
		}
		if f.Name == "" {
			f.Name = "y"
		}
		f.y, f.Shape = &m, shape
		file, _ := splitName(path)
		f.Sum, err = filesum.Hex(file)
		return f, err
	}
	file, err := table.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Shard.N > 0 {
		return nil, fmt.Errorf("%s: is shard %s, expected a whole feature; percept features merge makes one", path, file.Shard)
	}
	if name != "" && file.Name != name {
		return nil, fmt.Errorf("%s: holds %s, expected %s", path, file.Name, name)
	}
	f.Name, f.Shape, f.Meta, f.Sum, f.images = file.Name, file.Shape, file.Meta(), file.Identity(), map[fmri.ImageID]bool{}
	for _, id := range file.Images {
		f.images[id] = true
	}
	return f, nil
}

// Width is the number of values of an image.
func (f *Features) Width() int {
	n := 1
	for _, d := range f.Shape {
		n *= d
	}
	return n
}

// Fits says why the features cannot be those of rows of responses.
func (f *Features) Fits(r *Responses) error {
	switch {
	case f.y != nil && f.y.Rows != r.X.Rows:
		return fmt.Errorf("%s: %d rows, expected %d as of %s", f.Path, f.y.Rows, r.X.Rows, r.Path)
	case f.y == nil && r.Images == nil:
		return fmt.Errorf("%s: has features by image, but the images of the rows of %s are not known, expected --images FILE", f.Path, r.Path)
	case f.y == nil:
		for _, id := range r.Images {
			if !f.images[id] {
				return fmt.Errorf("%s: image %d (0-based) of %s is not in it", f.Path, id, r.Path)
			}
		}
	}
	return nil
}

// Has says whether all of these images have features.
func (f *Features) Has(ids []fmri.ImageID) bool {
	for _, id := range ids {
		if !f.images[id] {
			return false
		}
	}
	return len(ids) > 0
}

// Columns reads columns lo to hi−1 for the rows of responses. The file is not kept open, since its pages would count as ours.
func (f *Features) Columns(ctx context.Context, images []fmri.ImageID, lo, hi int) (linalg.Matrix[float32], error) {
	if f.y != nil {
		return decode.TargetsOf(*f.y).Read(ctx, lo, hi)
	}
	file, err := table.OpenFile(f.Path)
	if err != nil {
		return linalg.Matrix[float32]{}, err
	}
	defer file.Close()
	return Columns(ctx, file, images, lo, hi)
}

// Columns reads columns lo to hi−1 of the features of images.
func Columns(ctx context.Context, file *table.File, images []fmri.ImageID, lo, hi int) (linalg.Matrix[float32], error) {
	m := linalg.New[float32](len(images), hi-lo)
	row := make([]float32, file.Width())
	for i, id := range images {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		to := row
		if len(row) == m.Cols {
			to = m.Row(i)
		}
		if err := file.Row(to, id); err != nil {
			return m, err
		}
		if len(row) != m.Cols {
			copy(m.Row(i), row[lo:hi])
		}
	}
	return m, nil
}
