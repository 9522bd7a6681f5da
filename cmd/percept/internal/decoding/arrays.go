// Package decoding fits decoders on files and decodes with them: a lab's own arrays, or what percept nsd prepare and percept
// features have left.
//
//	responses ─┐
//	features ──┴─► Fit ──► decoder ──► Decode ──► decoded features ──► Diagnose ──► JSON, picture
package decoding

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/array"
	"percept/internal/cause"
	"percept/tensor/linalg"
)

// readArray reads FILE or FILE:ARRAY in any format of package array. A file with one array needs no name.
func readArray(text string) (*array.Array, error) {
	path, name := splitName(text)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%s: %w, expected a file of an array", path, cause.Of(err))
	}
	names, err := array.Names(path)
	if err != nil {
		return nil, err
	}
	if name == "" && len(names) != 1 {
		return nil, fmt.Errorf("%s: holds %s, expected %s:NAME with one of them", path, strings.Join(names, ", "), path)
	}
	if name == "" {
		name = names[0]
	}
	a, err := array.Read(path, name)
	top, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(name, "/"), "/", "."), ".")
	if err != nil && !slices.Contains(names, name) && !slices.Contains(names, top) {
		return nil, fmt.Errorf("%s: no array %s; there is %s", path, name, strings.Join(names, ", "))
	}
	return a, err
}

// splitName takes FILE:ARRAY apart; a file whose own name has the colon wins.
func splitName(text string) (path, name string) {
	at := strings.LastIndexByte(text, ':')
	if _, err := os.Stat(text); err == nil || at < 0 {
		return text, ""
	}
	if _, err := os.Stat(text[:at]); err != nil {
		return text, "" // the error names all of it
	}
	return text[:at], text[at+1:]
}

// readMatrix reads rows of numbers as float32. Further dimensions of a row are shape.
func readMatrix(text string) (m linalg.Matrix[float32], shape []int, err error) {
	a, err := readArray(text)
	if err != nil {
		return m, nil, err
	}
	if len(a.Shape) < 2 || len(a.Data) == 0 {
		return m, nil, fmt.Errorf("%s: shape %v, expected rows first and at least two dimensions", text, a.Shape)
	}
	m = linalg.New[float32](a.Shape[0], len(a.Data)/a.Shape[0])
	for i, v := range a.Data {
		if a := math.Abs(v); !(a <= math.MaxFloat32) {
			return m, nil, fmt.Errorf("%s: row %d, column %d is %v, expected a finite number", text, i/m.Cols, i%m.Cols, v)
		}
		m.Data[i] = float32(v)
	}
	return m, a.Shape[1:], nil
}

// readNumbers reads n whole numbers.
func readNumbers(text string, n int) ([]int, error) {
	a, err := readArray(text)
	if err != nil {
		return nil, err
	}
	if len(a.Data) != n {
		return nil, fmt.Errorf("%s: %d numbers, expected one for each of %d rows", text, len(a.Data), n)
	}
	x := make([]int, n)
	for i, v := range a.Data {
		if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
			return nil, fmt.Errorf("%s: number %d is %v, expected a whole number", text, i, v)
		}
		x[i] = int(v)
	}
	return x, nil
}

// readImages reads the 0-based image of each of n rows.
func readImages(text string, n int) ([]fmri.ImageID, error) {
	x, err := readNumbers(text, n)
	if err != nil {
		return nil, err
	}
	ids := make([]fmri.ImageID, n)
	for i, v := range x {
		if v < 0 {
			return nil, fmt.Errorf("%s: image %d of row %d, expected 0-based numbers", text, v, i)
		}
		ids[i] = fmri.ImageID(v)
	}
	return ids, nil
}
