package verify

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"percept/fmri/array"
)

const (
	hdf5Expected  = "formats/h5_expected.safetensors"
	niftiExpected = "formats/nii_expected.safetensors"
)

// arrayFile compares a file that package fmri/array reads, of one of the kinds there.
func arrayFile(c *check, file, name string, e formatEntry) {
	switch {
	case file == hdf5Expected, file == niftiExpected: // the tensors in it are used by the cases of the other files
		c.open(file)
		c.comparisons++
	case e.Valid != nil && !*e.Valid:
		refusedArray(c, file)
	case strings.HasPrefix(name, "h5_"):
		hdf5File(c, file)
	case strings.HasPrefix(name, "nii_"):
		niftiFile(c, file, name)
	case strings.HasPrefix(name, "npz"):
		npzFile(c, file)
	case strings.HasPrefix(name, "np"):
		npyFile(c, file, e)
	default:
		c.problem("unknown kind of file: %s", e.What)
	}
}

// refusedArray expects an error that names the file, in one line.
func refusedArray(c *check, file string) {
	path := c.set.path(file)
	names, err := array.Names(path)
	if err == nil {
		_, err = array.Read(path, names[0])
	}
	c.that(err != nil && strings.HasPrefix(err.Error(), path) && !strings.Contains(err.Error(), "\n"),
		"expected an error that names the file, got %v", err)
}

// array reads an array of a file, or ends the case.
func (c *check) array(file, name string) *array.Array {
	return must(array.Read(c.set.path(file), name))
}

// exactly compares an array with reference values; shape may be nil.
func (c *check) exactly(label string, a *array.Array, shape []int, want []float64) {
	c.that(shape == nil || slices.Equal(a.Shape, shape), "%s: shape %v, the reference has %v", label, a.Shape, shape)
	near(c, label, a.Data, want, 0)
}

// hdf5Arrays are the datasets of the HDF5 files that hold a tensor of the reference, the first rows of it where
// nested is set.
var hdf5Arrays = []struct {
	tensor   string
	nested   bool
	datasets []string
}{
	{"i16_4d", false, []string{"contig", "chunk_plain", "chunk_gzip_shuffle"}},
	{"f32_2d", false, []string{"chunk_gzip", "fletcher", "resizable"}},
	{"f32_2d", true, []string{"grp/sub/nested", "soft_link"}},
	{"f64", false, []string{"f64", "f64_be", "hard_link"}},
	{"u8", false, []string{"u8"}},
}

// hdf5File compares all that the manifest says of the HDF5 files.
func hdf5File(c *check, file string) {
	for _, k := range hdf5Arrays {
		_, shape, _ := c.open(hdf5Expected).Info(k.tensor)
		want := c.float64s(hdf5Expected, k.tensor)
		if k.nested {
			shape = []int{2, shape[1]}
			want = want[:size(shape)]
		}
		for _, name := range k.datasets {
			c.exactly(name, c.array(file, name), shape, want)
		}
	}
	f32 := c.float64s(hdf5Expected, "f32_2d")
	for i, v := range c.array(file, "f16").Data { // the nearest half: off by at most half a unit in its last place
		c.that(math.Abs(v-f32[i]) <= math.Ldexp(math.Max(math.Abs(f32[i]), 0x1p-14), -11),
			"f16: value %d is %g, expected %g rounded to half", i, v, f32[i])
	}
	c.exactly("i64", c.array(file, "i64"), []int{7}, []float64{-3, -2, -1, 0, 1, 2, 3})
	c.exactly("scalar", c.array(file, "scalar"), []int{}, []float64{3.25})
	partly := slices.Repeat([]float64{7}, 36)
	for i := range 9 {
		partly[i/3*6+3+i%3] = float64(i)
	}
	c.exactly("unwritten_fill", c.array(file, "unwritten_fill"), []int{4, 4}, slices.Repeat([]float64{-1.5}, 16))
	c.exactly("partly_written", c.array(file, "partly_written"), []int{6, 6}, partly)
	for i := range 20 {
		n := fmt.Sprintf("many/d%02d", i)
		c.exactly(n, c.array(file, n), []int{}, []float64{float64(i)})
	}
}

// niftiFile compares voxels and affine with nibabel's.
func niftiFile(c *check, file, name string) {
	a := c.array(file, "")
	key := strings.ReplaceAll(name, ".", "_")
	if name == "nii_gz_two_members.nii.gz" { // the manifest: contents equal nii_f32
		key = "nii_f32_nii_gz"
	}
	c.that(slices.Equal(a.Shape, c.shape(niftiExpected, key+".data", 3)), "shape %v", a.Shape)
	near(c, "voxels", converted[float32](a.Data), c.float32s(niftiExpected, key+".data"), 0)
	near(c, "affine", slices.Concat(a.Affine[0][:], a.Affine[1][:], a.Affine[2][:], a.Affine[3][:]),
		c.float64s(niftiExpected, key+".affine"),
		1e-6)
}

// npyFile compares an array with the manifest; a file without expected values has to be read, no more.
func npyFile(c *check, file string, e formatEntry) {
	a := c.array(file, "")
	c.comparisons++
	if e.COrder != nil || e.Shape != nil {
		c.exactly(file, a, e.Shape, e.COrder)
	}
}

// npzFile compares an archive's members: a is npy_v1's array, b counts from 0.
func npzFile(c *check, file string) {
	want := c.array("formats/npy_v1.npy", "")
	c.exactly("a", c.array(file, "a"), want.Shape, want.Data)
	c.exactly("b", c.array(file, "b"), []int{3}, []float64{0, 1, 2})
}
