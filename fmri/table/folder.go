package table

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri/internal/npy"
	"percept/internal/cause"
)

// Folder is a finished folder of responses, as percept nsd prepare leaves it: .npy files and a manifest. Package nsd/prepare
// describes them.
type Folder struct {
	Dir      string
	Manifest Manifest

	origin origin
}

// OpenFolder reads the manifest of a prepared folder and checks that its arrays are there, of the right type and shape.
func OpenFolder(dir string) (*Folder, error) {
	path := filepath.Join(dir, manifestName)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, expected the manifest of percept nsd prepare", path, cause.Of(err))
	}
	f := &Folder{Dir: dir}
	m := &f.Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err = d.Decode(m); err == nil && m.Options != nil {
		err = json.Unmarshal(m.Options, &f.origin)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w, expected the manifest of percept nsd prepare", path, cause.OfJSON(err))
	}
	if m.Format < 1 || m.Format > FolderFormat {
		return nil, fmt.Errorf("%s: format %d, expected 1 to %d", path, m.Format, FolderFormat)
	}
	if err := m.checkOwn(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	shapes := make(map[string][]int)
	for _, a := range m.Arrays {
		if _, err := f.open(a); err != nil {
			return nil, err
		}
		shapes[a.File] = a.Shape
	}
	if !slices.Equal(shapes["voxels.npy"], []int{m.Voxels, 3}) ||
		len(m.Regions) > 0 && !slices.Equal(shapes["rois.npy"], []int{m.Voxels, len(m.Regions)}) {
		return nil, fmt.Errorf("%s: voxels.npy of shape %v and rois.npy of %v, expected them of %d voxels and %d regions", path,
			shapes["voxels.npy"], shapes["rois.npy"], m.Voxels, len(m.Regions))
	}
	return f, nil
}

// open reads the header of an array and compares it with what the manifest says.
func (f *Folder) open(a ArrayFile) (*npy.File, error) {
	if a.File != filepath.Base(a.File) || len(a.Shape) == 0 {
		return nil, fmt.Errorf("%s: array %q of shape %v in it, expected a file of the folder and one dimension or more",
			filepath.Join(f.Dir, manifestName), a.File, a.Shape)
	}
	path := filepath.Join(f.Dir, a.File)
	file, err := npy.Open(path)
	switch {
	case err != nil:
		return nil, err
	case file.DType != a.DType || file.Fortran || !slices.Equal(file.Shape, a.Shape):
		return nil, fmt.Errorf("%s: %s %v, expected the array of %s %v that the manifest names", path, file.DType, file.Shape, a.DType,
			a.Shape)
	case file.Trailing != 0:
		return nil, fmt.Errorf("%s: %d bytes behind the values, expected none", path, file.Trailing)
	}
	return file, nil
}

// Has says whether the folder has an array, "X_train.npy".
func (f *Folder) Has(file string) bool {
	return slices.ContainsFunc(f.Manifest.Arrays, func(a ArrayFile) bool { return a.File == file })
}

// Array reads a small array, "ncsnr.npy", all of it, as float64 in C order. One that the folder does not have is an error.
func (f *Folder) Array(name string) (x []float64, shape []int, err error) {
	file, err := f.find(name)
	if err != nil {
		return nil, nil, err
	}
	x = make([]float64, file.Len())
	return x, file.Shape, npy.ReadRows(file, x, 0)
}

func (f *Folder) find(name string) (*npy.File, error) {
	i := slices.IndexFunc(f.Manifest.Arrays, func(a ArrayFile) bool { return a.File == name })
	if i < 0 {
		var options bytes.Buffer
		_ = json.Compact(&options, f.Manifest.Options) // which was decoded
		return nil, fmt.Errorf("%s: no %s in it, expected one of its arrays; it was made with options %s", f.Dir, name, &options)
	}
	file, err := f.open(f.Manifest.Arrays[i])
	if err != nil {
		return nil, err
	}
	return file, f.verify(f.Manifest.Arrays[i])
}

// parts is what Folder.Table may be asked for.
var parts = []string{"train", "test", "train_trials", "test_trials"}

// Table is the responses "train" or "test", means over each image's trials, or "train_trials" or "test_trials", [rows,
// voxels]: of the voxels in any of the given regions, by the names of the manifest ("streams/early"), or without any of all.
// Rows know their image, those of means the number of trials behind them, single trials their session; columns know their
// voxels. The table's sum is of those of the arrays that it consists of. A part or a region that the folder does
// not have is an error, as are regions without a voxel.
func (f *Folder) Table(part string, rois ...string) (*Table, error) {
	file := "X_" + part + ".npy"
	if !f.Has(file) {
		var have []string
		for _, p := range parts {
			if f.Has("X_" + p + ".npy") {
				have = append(have, "X_"+p+".npy")
			}
		}
		return nil, fmt.Errorf("%s: no %s in it, expected one of %s; percept nsd prepare --trials writes single trials, --average means",
			f.Dir, file, strings.Join(have, ", "))
	}
	x, err := f.find(file)
	if err != nil {
		return nil, err
	}
	t := &Table{Name: part, Path: f.Dir, hint: " in " + file + "; percept nsd prepare --usable leaves such voxels out"}
	if t.Rows, err = f.rows(part); err != nil {
		return nil, err
	}
	if !slices.Equal(x.Shape, []int{t.Rows.N, f.Manifest.Voxels}) {
		return nil, fmt.Errorf("%s: %s has shape %v, expected %d images of %d voxels", f.Dir, file, x.Shape, t.Rows.N, f.Manifest.Voxels)
	}
	v, err := f.voxels()
	if err != nil {
		return nil, err
	}
	columns, err := v.In(rois...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Dir, err)
	}
	v = v.pick(columns)
	v.Chosen = slices.Clone(rois)
	t.Cols, t.source = Columns{Shape: []int{v.N}, Voxels: &v}, folderSource{f, file, columns}
	t.Sum = f.sumOfArrays(file, "images_"+part+".npy", "counts_"+part+".npy", "sessions_"+part+".npy", "voxels.npy", "rois.npy")
	return t, nil
}

// rows says what the rows of a part are.
func (f *Folder) rows(part string) (Rows, error) {
	images, err := f.numbers("images_" + part + ".npy")
	if err != nil {
		return Rows{}, err
	}
	r := Rows{N: len(images), Images: imageIDs(images)}
	if strings.HasSuffix(part, "_trials") {
		r.Sessions, err = f.numbers("sessions_" + part + ".npy")
	} else {
		r.Counts, err = f.numbers("counts_" + part + ".npy")
	}
	if err == nil {
		err = r.check()
	}
	if err != nil {
		return r, fmt.Errorf("%s: X_%s.npy: %w", f.Dir, part, err)
	}
	return r, nil
}

// numbers reads an array of whole numbers.
func (f *Folder) numbers(name string) ([]int, error) {
	x, _, err := f.Array(name)
	if err != nil {
		return nil, err
	}
	n, err := integers(x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(f.Dir, name), err)
	}
	return n, nil
}

// voxels is all voxels of the folder.
func (f *Folder) voxels() (Voxels, error) {
	m, o := f.Manifest, f.origin
	v := Voxels{N: m.Voxels, Subject: o.Subject, Space: o.Space, Betas: o.Betas, Scale: PercentSignal, Volume: m.Shape}
	if o.Takagi {
		v.Scale = StoredNumbers
	} else if o.ZScore {
		v.Scale = SessionScores
	}
	xyz, err := f.numbers("voxels.npy")
	if err != nil {
		return v, err
	}
	v.XYZ = make([]int32, len(xyz))
	for i, x := range xyz {
		v.XYZ[i] = int32(x)
	}
	if err := v.distinct(); err != nil {
		return v, fmt.Errorf("%s: voxels.npy: %w", f.Dir, err)
	}
	if len(m.Regions) == 0 {
		return v, nil
	}
	member, err := f.numbers("rois.npy")
	v.Member = make([]uint8, len(member))
	for i, x := range member {
		if v.Member[i] = uint8(x); x != 0 && x != 1 {
			return v, fmt.Errorf("%s: rois.npy: voxel %d has %d, expected 0 or 1: the file is damaged", f.Dir, i/len(m.Regions), x)
		}
	}
	for _, r := range m.Regions {
		v.Regions = append(v.Regions, r.Name)
	}
	return v, err
}

// folderSource is some columns of an array of a folder.
type folderSource struct {
	folder  *Folder
	file    string
	columns []int
}

func (s folderSource) open() (reader, error) {
	f, err := s.folder.find(s.file)
	if err != nil {
		return nil, err
	}
	r, err := f.OpenRows()
	return &folderReader{r, s.columns}, err
}

func (s folderSource) held() int64 { return 0 }

type folderReader struct {
	*npy.RowReader
	columns []int
}

func (r *folderReader) read(dst []float32, i, lo, hi int) error {
	return r.Read(dst, i, r.columns[lo:hi])
}
