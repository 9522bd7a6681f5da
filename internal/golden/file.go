package golden

import (
	"encoding/binary"
	"fmt"
	"slices"

	"percept/weights/safetensors"
)

// File is a file of reference tensors.
type File struct{ *safetensors.File }

// OpenFile maps a file.
func OpenFile(path string) (*File, error) {
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	return &File{f}, nil
}

// Number is a type of which Read returns values as they were stored.
type Number interface {
	uint8 | int16 | int32 | int64 | float32 | float64
}

// Read returns a tensor of that very type, in C order.
func Read[N Number](f *File, name string) ([]N, error) {
	var zero N
	want := map[any]safetensors.DType{uint8(0): safetensors.U8, int16(0): safetensors.I16, int32(0): safetensors.I32,
		int64(0):   safetensors.I64,
		float32(0): safetensors.F32, float64(0): safetensors.F64}[zero]
	dtype, shape, ok := f.Info(name)
	if !ok || dtype != want {
		return nil, fmt.Errorf("%s: tensor %s is %q %v, expected type %s", f.Path(), name, dtype, shape, want)
	}
	raw, err := f.Bytes(name)
	if err != nil {
		return nil, err
	}
	out := make([]N, len(raw)/binary.Size(zero))
	_, err = binary.Decode(raw, binary.LittleEndian, out)
	return out, err
}

// Int32Rows returns a matrix of integers, such as the tokens of some texts.
func (f *File) Int32Rows(name string) ([][]int32, error) {
	x, err := f.Int64(name)
	if err != nil {
		return nil, err
	}
	_, shape, _ := f.Info(name)
	if len(shape) != 2 || shape[1] == 0 {
		return nil, fmt.Errorf("%s: tensor %s has shape %v, expected rows with columns", f.Path(), name, shape)
	}
	rows := make([][]int32, 0, shape[0])
	for row := range slices.Chunk(x, shape[1]) {
		r := make([]int32, len(row))
		for i, v := range row {
			r[i] = int32(v)
		}
		rows = append(rows, r)
	}
	return rows, nil
}
