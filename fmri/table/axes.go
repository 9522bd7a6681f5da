package table

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"percept/fmri/array"
	"percept/internal/cause"
	"percept/internal/filesum"
	"percept/tensor/linalg"
)

// Formats of brain images have an order of axes of their own, in which rows do not come first: the volumes of a NIfTI or MGH
// file are its last axis, those of a GIFTI file are separate arrays.

// openRows reads FILE or FILE:ARRAY as rows of values. Frames of NIfTI and MGH are rows, a single volume is one; the columns
// are the voxels with z fastest, numpy's X.reshape(-1, frames).T. Arrays of a GIFTI file of a number for each vertex are rows,
// all of them where none is named. Of other files the first axis counts the rows.
func openRows(text string) (*Table, error) {
	path, name := splitName(text)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%s: %w, expected a file of an array", path, cause.Of(err))
	}
	kind, err := array.Format(path)
	if err != nil {
		return nil, err
	}
	if kind == "GIFTI" && name == "" {
		return openMaps(path)
	}
	a, sum, err := openArray(text)
	if err != nil {
		return nil, err
	}
	t := &Table{Path: text, Sum: sum, affine: a.Affine}
	switch kind {
	case "NIfTI", "MGH":
		info, err := array.Inspect(path)
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(info.Format, "CIFTI") {
			return t, t.fromVolumes(a, info.Arrays[0].Axes)
		}
	case "GIFTI", "curv", "surface", "patch", "annot", "label":
		if len(a.Shape) != 1 {
			return nil, fmt.Errorf("%s: shape %v, expected a number for each vertex", text, a.Shape)
		}
		return t, t.fromMaps(a.Shape[0], a.Data)
	}
	if len(a.Shape) < 2 || len(a.Data) == 0 {
		return nil, fmt.Errorf("%s: shape %v, expected rows first and at least two dimensions", text, a.Shape)
	}
	m := linalg.New[float32](a.Shape[0], len(a.Data)/a.Shape[0])
	for i, v := range a.Data {
		m.Data[i] = single(v)
		if !(math.Abs(v) <= math.MaxFloat32) && t.flaw == nil {
			t.flaw = fmt.Errorf("%s: row %d, column %d is %v, expected a finite number", t, i/m.Cols, i%m.Cols, v)
		}
	}
	t.Rows.N, t.Cols.Shape, t.source = m.Rows, a.Shape[1:], memory{m}
	return t, nil
}

// single is v as a float32. What a float32 cannot hold becomes infinite, which whoever reads the table is told.
func single(v float64) float32 {
	if math.Abs(v) > math.MaxFloat32 {
		return float32(math.Inf(int(math.Copysign(1, v))))
	}
	return float32(v)
}

// fromVolumes takes the frames of an image for rows.
func (t *Table) fromVolumes(a *array.Array, axes []string) error {
	frames, further := 1, -1
	for i, d := range a.Shape[min(3, len(a.Shape)):] {
		if d > 1 && further >= 0 {
			return fmt.Errorf("%s: shape %v (%s), expected one axis of frames after x, y, z", t, a.Shape, strings.Join(axes, ", "))
		}
		if d > 1 {
			further = 3 + i
		}
		frames *= d
	}
	volume := [3]int{1, 1, 1}
	copy(volume[:], a.Shape)
	voxels := volume[0] * volume[1] * volume[2]
	if voxels*frames == 0 || len(a.Data) != voxels*frames {
		return fmt.Errorf("%s: shape %v (%s), expected voxels and frames", t, a.Shape, strings.Join(axes, ", "))
	}
	m := linalg.New[float32](frames, voxels)
	for v := range voxels {
		for f := range frames {
			m.Data[f*voxels+v] = single(a.Data[v*frames+f])
		}
	}
	t.Rows.N, t.Cols.Shape, t.source = frames, volume[:], memory{m}
	t.Note = fmt.Sprintf("%s: one volume of %s, %d voxels in one row", t, sides(volume[:]), voxels)
	if further >= 0 {
		t.Note = fmt.Sprintf("%s: %s, of which axis %d, the frames, are the %d rows; %d voxels are the columns, z fastest", t,
			sides(a.Shape), further+1, frames, voxels)
	}
	return nil
}

// sides writes a shape as 4×3×2.
func sides(shape []int) string { return Columns{Shape: shape}.String() }

// openMaps takes all arrays of a GIFTI file for rows.
func openMaps(path string) (*Table, error) {
	names, err := array.Names(path)
	if err != nil {
		return nil, err
	}
	var values []float64
	vertices := 0
	for i, name := range names {
		a, err := array.Read(path, name)
		if err != nil {
			return nil, err
		}
		if i == 0 && len(a.Shape) == 1 {
			vertices = a.Shape[0]
		}
		if len(a.Shape) != 1 || a.Shape[0] != vertices {
			return nil, fmt.Errorf("%s: %s is of shape %v beside %s, expected in each array a number for each vertex, or %s:NAME with one of %s",
				path, name, a.Shape, names[0], path, strings.Join(names, ", "))
		}
		values = append(values, a.Data...)
	}
	t := &Table{Path: path}
	if t.Sum, err = filesum.Hex(path); err != nil {
		return nil, err
	}
	return t, t.fromMaps(vertices, values)
}

// fromMaps takes maps of a number for each vertex, one after the other, for rows.
func (t *Table) fromMaps(vertices int, values []float64) error {
	if len(values) == 0 {
		return fmt.Errorf("%s: no values, expected a number for each vertex", t)
	}
	m := linalg.New[float32](len(values)/vertices, vertices)
	for i, v := range values {
		m.Data[i] = single(v)
	}
	t.Rows.N, t.Cols.Shape, t.source = m.Rows, []int{vertices}, memory{m}
	t.Note = fmt.Sprintf("%s: its %d arrays are the rows, %d vertices the columns", t, m.Rows, vertices)
	if m.Rows == 1 {
		t.Note = fmt.Sprintf("%s: one map, %d vertices in one row", t, vertices)
	}
	return nil
}

// asVoxels says of a table of an array that its columns are voxels, with coordinates where the file's axes give them.
func (t *Table) asVoxels() {
	v := &Voxels{N: t.Width(), Affine: t.affine}
	t.hint = "; --usable leaves such voxels out, --mask chooses voxels"
	if t.Note != "" {
		copy(v.Volume[:], append(slices.Clone(t.Cols.Shape), 1, 1))
		v.XYZ = coordinates(v.Volume)
	}
	t.Cols = Columns{Shape: []int{v.N}, Voxels: v}
}

// coordinates lists the places of a volume, z fastest.
func coordinates(volume [3]int) []int32 {
	var xyz []int32
	for x := range volume[0] {
		for y := range volume[1] {
			for z := range volume[2] {
				xyz = append(xyz, int32(x), int32(y), int32(z))
			}
		}
	}
	return xyz
}

// Masked is the table's columns where the mask, an array FILE or FILE:ARRAY of one volume of the same size, is not 0.
// Columns keep their coordinates. A mask of another size or, where both are known, another affine is an error.
func (t *Table) Masked(mask string) (*Table, error) {
	if t.Cols.Voxels == nil {
		return nil, fmt.Errorf("%s: is no table of voxels, expected no mask", t)
	}
	a, _, err := openArray(mask)
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(a.Shape)
	for len(shape) > 1 && shape[len(shape)-1] == 1 {
		shape = shape[:len(shape)-1]
	}
	if volume := t.Cols.Voxels.Volume; t.Cols.Voxels.XYZ != nil {
		of := volume[:]
		for len(of) > 1 && of[len(of)-1] == 1 {
			of = of[:len(of)-1]
		}
		if !slices.Equal(shape, of) {
			return nil, fmt.Errorf("%s: a mask of %s, expected %s as of %s", mask, sides(a.Shape), sides(volume[:]), t)
		}
	}
	if len(a.Data) != t.Width() {
		return nil, fmt.Errorf("%s: a mask of %s, expected one of %d columns as of %s", mask, sides(a.Shape), t.Width(), t)
	}
	if far := apart(a.Affine, t.affine); far > sameAffine {
		return nil, fmt.Errorf("%s: its affine differs from that of %s by up to %.3g mm, expected the same: the mask is of another place", mask, t, far)
	}
	var columns []int
	for i, v := range a.Data {
		if v != 0 && v == v {
			columns = append(columns, i)
		}
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("%s: 0 everywhere, expected a mask of some voxels", mask)
	}
	return t.withPlaces().Select(columns)
}

// sameAffine is how far apart, in millimetres, affines of one grid may be by rounding.
const sameAffine = 1e-3

// apart is the largest difference of two affines, 0 where one is not known.
func apart(a, b *[4][4]float64) float64 {
	far := 0.0
	if a == nil || b == nil {
		return far
	}
	for i := range a {
		for j := range a[i] {
			far = max(far, math.Abs(a[i][j]-b[i][j]))
		}
	}
	return far
}

// withPlaces is t with its columns' numbers for coordinates where they have none, so that those of a selection are known.
func (t *Table) withPlaces() *Table {
	if t.Cols.Voxels.XYZ != nil {
		return t
	}
	placed, v := *t, *t.Cols.Voxels
	v.Volume = [3]int{v.N, 1, 1}
	v.XYZ = coordinates(v.Volume)
	placed.Cols.Voxels = &v
	return &placed
}
