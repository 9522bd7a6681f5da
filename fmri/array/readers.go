package array

import (
	"slices"
	"strings"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/matfile"
	"percept/fmri/internal/nifti"
	"percept/fmri/internal/npy"
)

func namesHDF5(path string) ([]string, error) {
	h, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.List("")
}

func namesMAT(path string) ([]string, error) { return matfile.Names(path) }

func namesNPZ(path string) ([]string, error) { return npy.Names(path) }

func readNPY(path, _ string) (*Array, error) { return fromNPY(npy.ReadFile(path)) }

func readNPZ(path, name string) (*Array, error) { return fromNPY(npy.ReadMember(path, name)) }

func fromNPY(a *npy.Array, err error) (*Array, error) {
	if err != nil {
		return nil, err
	}
	return &Array{Shape: a.Shape, Data: a.Data}, nil
}

func readHDF5(path, name string) (*Array, error) {
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := f.Dataset(name)
	if err != nil {
		return nil, err
	}
	x, err := hdf5.Float64s(d)
	if err != nil {
		return nil, err
	}
	return &Array{Shape: d.Shape(), Data: x}, nil
}

func readMAT(path, name string) (*Array, error) {
	fields := strings.Split(name, ".")
	f, err := matfile.Open(path, fields[0])
	if err != nil {
		return nil, err
	}
	v, err := f.Var(fields[0])
	for _, field := range fields[1:] {
		if err == nil {
			v, err = v.Field(field)
		}
	}
	if err != nil {
		return nil, err
	}
	x, err := v.Float64s()
	if err != nil {
		return nil, err
	}
	return &Array{Shape: v.Dims, Data: rowMajor(x, v.Dims)}, nil
}

func readNIfTI(path, _ string) (*Array, error) {
	img, err := nifti.Open(path)
	if err != nil {
		return nil, err
	}
	shape, affine := img.Dims, &img.Affine
	if img.IsCIFTI() {
		m, err := img.CIFTI()
		if err != nil {
			return nil, err
		}
		shape, affine = m.Shape, nil
	}
	x, err := img.ReadAll64()
	if err != nil {
		return nil, err
	}
	return &Array{Shape: shape, Data: rowMajor(x, shape), Affine: affine}, nil
}

// rowMajor brings values whose first index runs fastest to C order.
func rowMajor(x []float64, shape []int) []float64 {
	if len(shape) < 2 {
		return slices.Clone(x)
	}
	out := make([]float64, len(x))
	at := make([]int, len(shape))
	for _, v := range x {
		k := 0
		for i, d := range shape {
			k = k*d + at[i]
		}
		out[k] = v
		for i := range at {
			if at[i]++; at[i] < shape[i] {
				break
			}
			at[i] = 0
		}
	}
	return out
}
