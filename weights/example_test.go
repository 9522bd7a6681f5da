package weights_test

import (
	"fmt"
	"os"
	"path/filepath"

	"percept/weights"
	"percept/weights/safetensors"
)

// A checkpoint that lacks a tensor and has one too many says so by name, at once.
func Example() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "model.safetensors")
	err = safetensors.Write(path, []safetensors.Named{
		safetensors.NamedF32("conv.weight", make([]float32, 8), 2, 4, 1, 1),
		safetensors.NamedF16("extra.weight", []float32{1}, 1),
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	s, err := weights.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	w, err := s.Float32("conv.weight", 2, 4, 1, 1)
	fmt.Println(len(w), err)
	_, err = s.Float32("conv.bias", 2)
	fmt.Println(err != nil)

	check := s.Check().(*weights.CheckError)
	fmt.Println("missing", check.Missing[0].Name, "unexpected", check.Unexpected)
	// Output:
	// 8 <nil>
	// true
	// missing conv.bias unexpected [extra.weight]
}
