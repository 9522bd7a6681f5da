// Command values prints what Percept reads from files of weights, one JSON object a file and line, for random_weights.py:
//
//	{"file": …, "error": …, "tensors": {NAME: {"dtype": …, "shape": […], "raw": base64, "f32": base64, "unreadable": …}}}
//
// raw are the bytes in C order, little-endian; f32 the values as float32. Names of files come on the standard input.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"percept/weights"
)

type tensor struct {
	DType      string `json:"dtype"`
	Shape      []int  `json:"shape"`
	Raw        []byte `json:"raw"`
	F32        []byte `json:"f32"`
	Unreadable string `json:"unreadable,omitempty"`
}

type report struct {
	File    string            `json:"file"`
	Error   string            `json:"error,omitempty"`
	Tensors map[string]tensor `json:"tensors"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		r := report{File: filepath.Base(lines.Text()), Tensors: map[string]tensor{}}
		if err := r.read(lines.Text()); err != nil {
			r.Error = err.Error()
		}
		if err := out.Encode(r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func (r *report) read(path string) error {
	s, err := weights.Open(path)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, name := range s.Names() {
		dtype, shape, _ := s.Info(name)
		t := tensor{DType: string(dtype), Shape: shape, Unreadable: s.Unreadable(name)}
		raw, err := s.Bytes(name)
		if err != nil {
			t.Unreadable = err.Error()
		}
		t.Raw = slices.Clone(raw) // a view, which Close ends
		if x, err := s.Float32(name); err != nil {
			t.Unreadable = err.Error()
		} else {
			t.F32, _ = binary.Append(nil, binary.LittleEndian, x)
		}
		r.Tensors[name] = t
	}
	return nil
}
