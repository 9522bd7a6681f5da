package safetensors_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"percept/weights/safetensors"
)

// A table of three rows is written, and the second row is read where it lies in the file.
func Example() {
	dir, err := os.MkdirTemp("", "safetensors")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "table.safetensors")
	err = safetensors.Write(path, []safetensors.Named{
		safetensors.NamedF32("values", []float32{1, 2, 3, 4, 5, 6}, 3, 2),
		safetensors.NamedI32("images", []int32{7, 8, 9}, 3),
	}, map[string]string{"feature": "z"})
	if err != nil {
		fmt.Println(err)
		return
	}

	f, err := safetensors.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	dtype, shape, _ := f.Info("values")
	fmt.Println(f.Metadata()["feature"], f.Names(), dtype, shape)
	b, err := f.Bytes("values")
	if err != nil {
		fmt.Println(err)
		return
	}
	row := b[1*shape[1]*dtype.Size():]
	fmt.Println(math.Float32frombits(binary.LittleEndian.Uint32(row)), math.Float32frombits(binary.LittleEndian.Uint32(row[4:])))
	images, err := f.Int64("images", 3)
	fmt.Println(images, err)
	// Output:
	// z [images values] F32 [3 2]
	// 3 4
	// [7 8 9] <nil>
}
