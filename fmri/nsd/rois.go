package nsd

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"percept/fmri"
	"percept/fmri/internal/nifti"
)

// Streams are the values of the "streams" atlas, for trees whose label table is not there (NSD data manual).
var Streams = map[int]string{1: "early", 2: "midventral", 3: "midlateral", 4: "midparietal", 5: "ventral", 6: "lateral",
	7: "parietal"}

// ROIs reads all regions of an atlas ("streams", "prf-visualrois", "nsdgeneral", "lh.floc-faces", ...) in the order of
// their numbers. Values of 0 and below are no region. Names come from LabelNames;
// an atlas of one region without a table, like nsdgeneral, gives the region its own name. space "" means DefaultSpace.
func (d *Dataset) ROIs(s fmri.Subject, space, atlas string) ([]fmri.ROI, error) {
	if space == "" {
		space = DefaultSpace
	}
	path := d.Paths.ROI(s, space, atlas)
	shape, values, err := d.readROI(s, space, atlas)
	if err != nil {
		return nil, err
	}
	voxels := make(map[int][]int)
	fill := func(x, y, z int) bool {
		v := int(values[(z*shape[1]+y)*shape[0]+x])
		if v > 0 {
			voxels[v] = append(voxels[v], (x*shape[1]+y)*shape[2]+z)
		}
		return false
	}
	fmri.NewMask(shape, fill)
	var numbers []int
	for v := range voxels {
		numbers = append(numbers, v)
	}
	sort.Ints(numbers)
	names, err := d.labels(s, atlas, numbers)
	if err != nil {
		return nil, err
	}
	var rois []fmri.ROI
	for _, v := range numbers {
		name, ok := names[v]
		if !ok {
			return nil, fmt.Errorf("%s: label %d has no name in the label table of %s", path, v, atlas)
		}
		rois = append(rois, fmri.ROI{Name: name, Value: v, Mask: fmri.Mask{Shape: shape, Index: voxels[v]}})
	}
	return rois, nil
}

// Region reads one region: "nsdgeneral", or atlas and name as in "streams/early", "prf-visualrois/V1v". Several names,
// "streams/ventral+lateral", and the atlas alone mean their union. A region that the label table names and that has no voxel
// in this subject is listed in Empty; it is up to the caller whether a region without any voxel will do.
func (d *Dataset) Region(s fmri.Subject, space, name string) (fmri.ROI, error) {
	atlas, want, some := strings.Cut(name, "/")
	rois, err := d.ROIs(s, space, atlas)
	if err != nil {
		return fmri.ROI{}, err
	}
	var have []string
	for _, r := range rois {
		have = append(have, r.Name)
	}
	wanted := have
	if some {
		wanted = strings.Split(want, "+")
	}
	whole := fmri.ROI{Name: name}
	var masks []fmri.Mask
	for _, w := range wanted {
		if i := slices.Index(have, w); i >= 0 {
			masks = append(masks, rois[i].Mask)
			continue
		}
		named, table, err := d.LabelNames(s, atlas)
		if err != nil {
			return whole, err
		}
		if table == "" && withoutSide(atlas) == "streams" {
			named = Streams
		}
		known := false
		for number, n := range named {
			known = known || n == w && number > 0
		}
		if !known {
			return whole, fmt.Errorf("%s: no region %s in %s; there is %s", s, w, atlas, strings.Join(have, ", "))
		}
		whole.Empty = append(whole.Empty, w)
	}
	if whole.Mask, err = fmri.Or(masks...); err == nil && whole.Mask.Len() == 0 && whole.Empty == nil {
		err = fmt.Errorf("%s: %s has no voxels", s, name)
	}
	return whole, err
}

// labels is the names of an atlas's values.
func (d *Dataset) labels(s fmri.Subject, atlas string, numbers []int) (map[int]string, error) {
	names, path, err := d.LabelNames(s, atlas)
	if err != nil || path != "" {
		return names, err
	}
	base := withoutSide(atlas)
	if base == "streams" {
		return Streams, nil
	}
	if len(numbers) <= 1 {
		one := make(map[int]string)
		for _, n := range numbers {
			one[n] = base
		}
		return one, nil
	}
	return nil, fmt.Errorf("%s: not there, nor for fsaverage: it is the label table of %s, which has %d regions",
		d.Paths.LabelTable(s, base), atlas, len(numbers))
}

// parseLabels reads a label table: a line has a number and a name, apart by any white space, perhaps followed by the four
// colour numbers of FreeSurfer. Empty lines and comments (#) are passed over.
func parseLabels(path string, r io.Reader) (map[int]string, error) {
	names := make(map[int]string)
	sc := bufio.NewScanner(r)
	for line := 1; sc.Scan(); line++ {
		text := strings.TrimPrefix(sc.Text(), "\ufeff")
		if i := strings.IndexByte(text, '#'); i >= 0 {
			text = text[:i]
		}
		f := strings.Fields(text)
		if len(f) == 0 {
			continue
		}
		n, err := strconv.Atoi(f[0])
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %q, expected a number and a name", path, line, sc.Text())
		}
		f = f[1:]
		if len(f) > 4 && allNumbers(f[len(f)-4:]) {
			f = f[:len(f)-4]
		}
		name := strings.Trim(strings.Join(f, " "), `"'`)
		if name == "" {
			return nil, fmt.Errorf("%s: line %d: %q, expected a number and a name", path, line, sc.Text())
		}
		if old, ok := names[n]; ok && old != name {
			return nil, fmt.Errorf("%s: line %d: label %d is %s and %s", path, line, n, old, name)
		}
		names[n] = name
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no label in it, expected lines of a number and a name", path)
	}
	return names, nil
}

func allNumbers(f []string) bool {
	for _, s := range f {
		if _, err := strconv.Atoi(s); err != nil {
			return false
		}
	}
	return true
}

// readVolume reads a 3-D image, x fastest; whole says that its values have to be whole numbers.
func readVolume(path, what string, whole bool) (shape [3]int, values []float32, err error) {
	if err := need(path, what); err != nil {
		return shape, nil, err
	}
	img, err := nifti.Open(path)
	if err != nil {
		return shape, nil, err
	}
	if len(img.Dims) < 3 || img.Volumes() != 1 {
		return shape, nil, fmt.Errorf("%s: dimensions %v, expected x, y, z", path, img.Dims)
	}
	copy(shape[:], img.Dims)
	if values, err = img.ReadAll(); err != nil {
		return shape, nil, err
	}
	for i, v := range values {
		if whole && (float64(v) != math.Trunc(float64(v)) || math.Abs(float64(v)) > 1<<24) {
			return shape, nil, fmt.Errorf("%s: voxel %d is %v, expected whole numbers", path, i, v)
		}
	}
	return shape, values, nil
}

// Brain reads the mask of the voxels in the brain.
func (d *Dataset) Brain(s fmri.Subject, space string) (fmri.Mask, error) {
	if space == "" {
		space = DefaultSpace
	}
	shape, values, err := readVolume(d.Paths.BrainMask(s, space), fmt.Sprintf("the brain mask of %s", s), true)
	if err != nil {
		return fmri.Mask{}, err
	}
	return fmri.NewMask(shape, func(x, y, z int) bool { return values[(z*shape[1]+y)*shape[0]+x] > 0 }), nil
}

// NoiseCeilingSNR reads the ncsnr of each of the mask's voxels, [voxels], for the betas of a version ("" means DefaultBetas) in a
// space ("" means DefaultSpace). NaN means that NSD could not estimate it. A mask of another volume is an error.
func (d *Dataset) NoiseCeilingSNR(s fmri.Subject, mask fmri.Mask, space, version string) ([]float32, error) {
	space, version = cmp.Or(space, DefaultSpace), cmp.Or(version, DefaultBetas)
	path := d.Paths.NCSNR(s, space, version)
	shape, values, err := d.NCSNRVolume(s, space, version)
	if err != nil {
		return nil, err
	}
	if shape != mask.Shape {
		return nil, fmt.Errorf("%s: a volume of %v voxels (x, y, z), the mask is of %v", path, shape, mask.Shape)
	}
	out := make([]float32, mask.Len())
	for v, i := range mask.FileIndex() {
		out[v] = values[i]
	}
	return out, nil
}
