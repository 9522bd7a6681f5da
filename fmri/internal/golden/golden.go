// Package golden gives tests the reference values that numpy wrote into a safetensors file. It is imported by tests alone.
package golden

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"testing"
)

// File is a file of reference tensors.
type File struct {
	t    testing.TB
	data []byte
	head map[string]entry
}

type entry struct {
	Dtype   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

// Open reads a file; the test ends if it cannot be read.
func Open(t testing.TB, path string) *File {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	raw := make(map[string]json.RawMessage)
	if err := json.Unmarshal(b[8:8+n], &raw); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	f := &File{t: t, data: b[8+n:], head: make(map[string]entry)}
	for k, v := range raw {
		var e entry
		if k == "__metadata__" {
			continue
		}
		if err := json.Unmarshal(v, &e); err != nil {
			t.Fatalf("%s: %s: %v", path, k, err)
		}
		f.head[k] = e
	}
	return f
}

// Has says whether there is a tensor of that name.
func (f *File) Has(name string) bool { _, ok := f.head[name]; return ok }

// Names lists the tensors, in no order.
func (f *File) Names() []string {
	var names []string
	for k := range f.head {
		names = append(names, k)
	}
	return names
}

// Shape is a tensor's shape.
func (f *File) Shape(name string) []int { return f.head[name].Shape }

// Values reads a tensor of type T in C order; the test ends if there is none of that name and type.
func Values[T uint8 | int16 | int32 | int64 | float32 | float64](f *File, name string) []T {
	f.t.Helper()
	var zero T
	dtype := map[any]string{uint8(0): "U8", int16(0): "I16", int32(0): "I32", int64(0): "I64", float32(0): "F32", float64(0): "F64"}[zero]
	e, ok := f.head[name]
	if !ok || e.Dtype != dtype {
		f.t.Fatalf("reference %s of type %s: there is %q %v", name, dtype, e.Dtype, e.Shape)
	}
	raw := f.data[e.Offsets[0]:e.Offsets[1]]
	out := make([]T, len(raw)/binary.Size(zero))
	if _, err := binary.Decode(raw, binary.LittleEndian, out); err != nil {
		f.t.Fatalf("reference %s: %v", name, err)
	}
	return out
}
