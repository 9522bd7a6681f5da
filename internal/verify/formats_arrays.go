package verify

import (
	"context"
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

// arrayCase is the case of a file that package fmri/array reads; ok is false for other kinds.
func arrayCase(title, name string, e formatEntry) (Case, bool) {
	file := "formats/" + name
	run := func(f func(c *check)) (Case, bool) {
		return Case{Name: title, run: func(_ context.Context, c *check) { f(c) }}, true
	}
	switch {
	case file == hdf5Expected, file == niftiExpected: // the tensors in it are used by the cases of the other files
		return run(func(c *check) {
			_, err := c.set.open(file)
			c.must(err)
			c.comparisons++
		})
	case !strings.HasPrefix(name, "h5_") && !strings.HasPrefix(name, "nii_") && !strings.HasPrefix(name, "np"):
		return Case{}, false
	case e.Valid != nil && !*e.Valid:
		return run(func(c *check) { refusedArray(c, file) })
	case strings.HasPrefix(name, "h5_"):
		return run(func(c *check) { hdf5File(c, file) })
	case strings.HasPrefix(name, "nii_"):
		return run(func(c *check) { niftiFile(c, file, name) })
	case strings.HasPrefix(name, "npz"):
		return run(func(c *check) { npzFile(c, file) })
	}
	return run(func(c *check) { npyFile(c, file, e) })
}

// refusedArray wants an error that names the file, in one line.
func refusedArray(c *check, file string) {
	path := c.set.path(file)
	names, err := array.Names(path)
	if err == nil {
		_, err = array.Read(path, names[0])
	}
	c.that(err != nil && strings.HasPrefix(err.Error(), path) && !strings.Contains(err.Error(), "\n"),
		"want an error that names the file, got %v", err)
}

// exactly compares an array with reference values.
func (c *check) exactly(label string, a *array.Array, shape []int, want []float64) {
	c.that(shape == nil || slices.Equal(a.Shape, shape), "%s: shape %v, the reference has %v", label, a.Shape, shape)
	c.near64(label, a.Data, want, 0)
}

// hdf5File compares all that the manifest says of the HDF5 files.
func hdf5File(c *check, file string) {
	path := c.set.path(file)
	st, err := c.set.open(hdf5Expected)
	c.must(err)
	expected := func(name string) []float64 {
		x, err := st.Float64(name)
		c.must(err)
		return x
	}
	read := func(name string) *array.Array {
		a, err := array.Read(path, name)
		c.must(err)
		return a
	}
	i16, f32, f64 := make([]float64, 0), expected32(c, "f32_2d"), expected("f64")
	for _, v := range c.ints(hdf5Expected, "i16_4d") {
		i16 = append(i16, float64(v))
	}
	var u8 []float64
	for _, v := range c.ints(hdf5Expected, "u8") {
		u8 = append(u8, float64(v))
	}
	for _, n := range []string{"contig", "chunk_plain", "chunk_gzip_shuffle"} {
		c.exactly(n, read(n), c.shape(hdf5Expected, "i16_4d", 4), i16)
	}
	for _, n := range []string{"chunk_gzip", "fletcher", "resizable"} {
		c.exactly(n, read(n), c.shape(hdf5Expected, "f32_2d", 2), f32)
	}
	for _, n := range []string{"f64", "f64_be", "hard_link"} {
		c.exactly(n, read(n), c.shape(hdf5Expected, "f64", 2), f64)
	}
	c.exactly("u8", read("u8"), c.shape(hdf5Expected, "u8", 4), u8)
	width := c.shape(hdf5Expected, "f32_2d", 2)[1]
	for _, n := range []string{"grp/sub/nested", "soft_link"} {
		c.exactly(n, read(n), []int{2, width}, f32[:2*width])
	}
	half := read("f16")
	for i, v := range half.Data { // the nearest half: off by at most half a unit in its last place
		c.that(math.Abs(v-f32[i]) <= math.Ldexp(math.Max(math.Abs(f32[i]), 0x1p-14), -11), "f16: value %d is %g, want %g rounded to half", i, v, f32[i])
	}
	c.exactly("i64", read("i64"), []int{7}, []float64{-3, -2, -1, 0, 1, 2, 3})
	c.exactly("scalar", read("scalar"), []int{}, []float64{3.25})
	fill, partly := make([]float64, 16), make([]float64, 36)
	for i := range fill {
		fill[i] = -1.5
	}
	for i := range partly {
		partly[i] = 7
		if row, col := i/6, i%6; row < 3 && col >= 3 {
			partly[i] = float64(3*row + col - 3)
		}
	}
	c.exactly("unwritten_fill", read("unwritten_fill"), []int{4, 4}, fill)
	c.exactly("partly_written", read("partly_written"), []int{6, 6}, partly)
	for i := range 20 {
		n := fmt.Sprintf("many/d%02d", i)
		c.exactly(n, read(n), []int{}, []float64{float64(i)})
	}
}

// expected32 is a float32 tensor of the HDF5 reference, widened.
func expected32(c *check, name string) []float64 { return widened(c.float32s(hdf5Expected, name)) }

func widened(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// niftiFile compares voxels and affine with nibabel's.
func niftiFile(c *check, file, name string) {
	a, err := array.Read(c.set.path(file), "")
	c.must(err)
	key := strings.ReplaceAll(name, ".", "_")
	if name == "nii_gz_two_members.nii.gz" { // the manifest: contents equal nii_f32
		key = "nii_f32_nii_gz"
	}
	want := c.float32s(niftiExpected, key+".data")
	got := make([]float32, len(a.Data))
	for i, v := range a.Data {
		got[i] = float32(v)
	}
	c.that(slices.Equal(a.Shape, c.shape(niftiExpected, key+".data", 3)), "shape %v", a.Shape)
	c.near("voxels", got, want, 0)
	st, err := c.set.open(niftiExpected)
	c.must(err)
	affine, err := st.Float64(key + ".affine")
	c.must(err)
	c.near64("affine", slices.Concat(a.Affine[0][:], a.Affine[1][:], a.Affine[2][:], a.Affine[3][:]), affine, 1e-6)
}

// npyFile compares an array with the manifest; a file without expected values has to be read, no more.
func npyFile(c *check, file string, e formatEntry) {
	a, err := array.Read(c.set.path(file), "")
	c.must(err)
	c.comparisons++
	if e.COrder != nil || e.Shape != nil {
		c.exactly(file, a, e.Shape, e.COrder)
	}
}

// npzFile compares an archive's members: a is npy_v1's array, b counts from 0.
func npzFile(c *check, file string) {
	want, err := array.Read(c.set.path("formats/npy_v1.npy"), "")
	c.must(err)
	a, err := array.Read(c.set.path(file), "a")
	c.must(err)
	c.exactly("a", a, want.Shape, want.Data)
	b, err := array.Read(c.set.path(file), "b")
	c.must(err)
	c.exactly("b", b, []int{3}, []float64{0, 1, 2})
}
