package prepare

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri"
	"percept/internal/cause"
)

// Folder is a finished folder of responses.
type Folder struct {
	Dir      string
	Manifest Manifest
}

// Open reads the manifest of a folder that Run made and checks that its arrays are there, of the right type and shape.
func Open(dir string) (*Folder, error) {
	path := filepath.Join(dir, manifestName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, expected the manifest of percept nsd prepare", path, cause.Of(err))
	}
	f := &Folder{Dir: dir}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w, expected the manifest of percept nsd prepare", path, err)
	}
	if f.Manifest.Format != formatVersion {
		return nil, fmt.Errorf("%s: format %d, expected %d", path, f.Manifest.Format, formatVersion)
	}
	shapes := make(map[string][]int)
	for _, a := range f.Manifest.Arrays {
		file, err := f.open(a)
		if err != nil {
			return nil, err
		}
		file.Close()
		shapes[a.File] = a.Shape
	}
	m := f.Manifest
	if !slices.Equal(shapes["voxels.npy"], []int{m.Voxels, 3}) || len(m.Regions) > 0 && !slices.Equal(shapes["rois.npy"], []int{m.Voxels, len(m.Regions)}) {
		return nil, fmt.Errorf("%s: %d voxels and %d regions, but voxels.npy of shape %v and rois.npy of %v", path, m.Voxels, len(m.Regions),
			shapes["voxels.npy"], shapes["rois.npy"])
	}
	return f, nil
}

// open opens an array at its first element. Length and header are checked.
func (f *Folder) open(a Array) (*os.File, error) {
	path := filepath.Join(f.Dir, a.File)
	size, ok := dtypeSize[a.DType]
	if !ok || a.File != filepath.Base(a.File) || len(a.Shape) == 0 {
		return nil, fmt.Errorf("%s: array %q of type %q and shape %v in it", filepath.Join(f.Dir, manifestName), a.File, a.DType, a.Shape)
	}
	n := int64(size)
	for _, d := range a.Shape {
		if d < 0 || d > 0 && n > math.MaxInt64/int64(d) {
			return nil, fmt.Errorf("%s: array %s of shape %v in it", filepath.Join(f.Dir, manifestName), a.File, a.Shape)
		}
		n *= int64(d)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	header := npyHeader(a.DType, a.Shape)
	have := make([]byte, len(header))
	if _, err := io.ReadFull(file, have); err != nil || !bytes.Equal(have, header) {
		file.Close()
		return nil, fmt.Errorf("%s: not the array of %s %v that the manifest names", path, a.DType, a.Shape)
	}
	if st, err := file.Stat(); err != nil || st.Size() != int64(len(header))+n {
		file.Close()
		return nil, fmt.Errorf("%s: %d bytes, expected %d", path, st.Size(), int64(len(header))+n)
	}
	return file, nil
}

var dtypeSize = map[string]int{"|u1": 1, "<i2": 2, "<i4": 4, "<f4": 4, "<f8": 8}

// Has says whether the folder has an array, "X_train.npy".
func (f *Folder) Has(file string) bool {
	return slices.ContainsFunc(f.Manifest.Arrays, func(a Array) bool { return a.File == file })
}

// Array reads a small array as float64 in C order.
func (f *Folder) Array(name string) (x []float64, shape []int, err error) {
	err = f.rows(name, func(a Array, _ int, row []float64) error {
		x, shape = append(x, row...), a.Shape
		return nil
	})
	return x, shape, err
}

// rows hands out an array row by row; the slice is good until the next.
func (f *Folder) rows(name string, take func(a Array, i int, row []float64) error) error {
	i := slices.IndexFunc(f.Manifest.Arrays, func(a Array) bool { return a.File == name })
	if i < 0 {
		return fmt.Errorf("%s: no %s in it; it was made with options %s", f.Dir, name, f.options())
	}
	a := f.Manifest.Arrays[i]
	file, err := f.open(a)
	if err != nil {
		return err
	}
	defer file.Close()
	width := 1
	for _, n := range a.Shape[1:] {
		width *= n
	}
	if width == 0 || a.Shape[0] == 0 {
		return nil
	}
	size := dtypeSize[a.DType]
	buf, row := make([]byte, size*width), make([]float64, width)
	for i := range a.Shape[0] {
		if _, err := io.ReadFull(file, buf); err != nil {
			return fmt.Errorf("%s: row %d: %w", file.Name(), i, cause.Of(err))
		}
		decode(row, buf, a.DType)
		if err := take(a, i, row); err != nil {
			return err
		}
	}
	return nil
}

func decode(dst []float64, b []byte, dtype string) {
	le := binary.LittleEndian
	for i := range dst {
		switch dtype {
		case "|u1":
			dst[i] = float64(b[i])
		case "<i2":
			dst[i] = float64(int16(le.Uint16(b[2*i:])))
		case "<i4":
			dst[i] = float64(int32(le.Uint32(b[4*i:])))
		case "<f4":
			dst[i] = float64(math.Float32frombits(le.Uint32(b[4*i:])))
		default:
			dst[i] = math.Float64frombits(le.Uint64(b[8*i:]))
		}
	}
}

// options is what the folder was made with, for errors.
func (f *Folder) options() string {
	b, err := json.Marshal(f.Manifest.Options)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// Columns lists the voxels that are in any of the given regions, ascending; no regions mean all voxels.
func (f *Folder) Columns(rois ...string) ([]int, error) {
	if len(rois) == 0 {
		all := make([]int, f.Manifest.Voxels)
		for v := range all {
			all[v] = v
		}
		return all, nil
	}
	wanted := make([]bool, len(f.Manifest.Regions))
	for _, name := range rois {
		i := slices.IndexFunc(f.Manifest.Regions, func(r ROI) bool { return r.Name == name })
		if i < 0 {
			var have []string
			for _, r := range f.Manifest.Regions {
				have = append(have, r.Name)
			}
			return nil, fmt.Errorf("%s: no region %s in it; there is %s", f.Dir, name, strings.Join(have, ", "))
		}
		wanted[i] = true
	}
	var columns []int
	err := f.rows("rois.npy", func(_ Array, v int, row []float64) error {
		for r, in := range row {
			if in == 1 && wanted[r] {
				columns = append(columns, v)
				break
			}
		}
		return nil
	})
	return columns, err
}

// Load reads the responses "train", "test", "train_trials" or "test_trials", of the given regions or, without any, of all
// voxels. Means have Counts, single trials Sessions.
func (f *Folder) Load(part string, rois ...string) (*fmri.Responses, error) {
	columns, err := f.Columns(rois...)
	if err != nil {
		return nil, err
	}
	r := &fmri.Responses{Voxels: len(columns)}
	images, _, err := f.Array("images_" + part + ".npy")
	if err != nil {
		return nil, err
	}
	for _, id := range images {
		r.Images = append(r.Images, fmri.ImageID(id))
	}
	per, into := "counts_", &r.Counts
	if strings.HasSuffix(part, "_trials") {
		per, into = "sessions_", &r.Sessions
	}
	counts, _, err := f.Array(per + part + ".npy")
	if err != nil {
		return nil, err
	}
	for _, n := range counts {
		*into = append(*into, int(n))
	}
	if len(counts) != len(images) {
		return nil, fmt.Errorf("%s: %s%s.npy has %d rows, images_%s.npy %d", f.Dir, per, part, len(counts), part, len(images))
	}
	r.X = make([]float32, 0, len(images)*len(columns))
	err = f.rows("X_"+part+".npy", func(a Array, i int, row []float64) error {
		if len(row) != f.Manifest.Voxels || a.Shape[0] != len(images) {
			return fmt.Errorf("%s: %s has shape %v, expected %d images of %d voxels", f.Dir, a.File, a.Shape, len(images), f.Manifest.Voxels)
		}
		for _, v := range columns {
			r.X = append(r.X, float32(row[v]))
		}
		return nil
	})
	if err == nil && len(r.X) != len(images)*len(columns) {
		err = fmt.Errorf("%s: X_%s.npy has fewer rows than images_%s.npy", f.Dir, part, part)
	}
	return r, err
}
