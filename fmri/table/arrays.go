package table

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/array"
	"percept/internal/cause"
	"percept/internal/filesum"
)

// readArray is an array FILE or FILE:ARRAY as a table of that name, see openRows.
func readArray(text, name string) (*Table, error) {
	t, err := openRows(text)
	if err != nil {
		return nil, err
	}
	t.Name = name
	return t, nil
}

// openArray reads FILE or FILE:ARRAY in any format of package array. A file with one array needs no name, and its sum stands
// for it; of several, sum is that of the file and the name.
func openArray(text string) (a *array.Array, sum string, err error) {
	path, name := splitName(text)
	if _, err := os.Stat(path); err != nil {
		return nil, "", fmt.Errorf("%s: %w, expected a file of an array", path, cause.Of(err))
	}
	names, err := array.Names(path)
	if err != nil {
		return nil, "", err
	}
	if name == "" && len(names) != 1 {
		return nil, "", fmt.Errorf("%s: holds %s, expected %s:NAME with one of them", path, strings.Join(names, ", "), path)
	}
	if name == "" {
		name = names[0]
	}
	a, err = array.Read(path, name)
	top, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimPrefix(name, "/"), "/", "."), ".")
	if err != nil && !slices.Contains(names, name) && !slices.Contains(names, top) {
		return nil, "", fmt.Errorf("%s: no array %s in it, expected one of %s", path, name, strings.Join(names, ", "))
	}
	if err != nil {
		return nil, "", err
	}
	if sum, err = filesum.Hex(path); err == nil && !(len(names) == 1 && name == names[0]) {
		sum = sumOf("array", sum, strings.TrimPrefix(name, "/"))
	}
	return a, sum, err
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

// ReadNumbers reads the array FILE or FILE:ARRAY of a whole number for each of n rows, as the run of each, and the sum that
// stands for it.
func ReadNumbers(text string, n int) (x []int, sum string, err error) {
	a, sum, err := openArray(text)
	if err != nil {
		return nil, "", err
	}
	if len(a.Data) != n {
		return nil, "", fmt.Errorf("%s: %d numbers, expected one for each of %d rows", text, len(a.Data), n)
	}
	if x, err = integers(a.Data); err != nil {
		return nil, "", fmt.Errorf("%s: %w", text, err)
	}
	return x, sum, nil
}

// integers is numbers that are whole and have 32 bits.
func integers(numbers []float64) ([]int, error) {
	x := make([]int, len(numbers))
	for i, v := range numbers {
		if v != math.Trunc(v) || math.Abs(v) > math.MaxInt32 {
			return nil, fmt.Errorf("number %d is %v, expected a whole number of 32 bits", i, v)
		}
		x[i] = int(v)
	}
	return x, nil
}

// readImages reads the 0-based image of each of n rows.
func readImages(text string, n int) ([]fmri.ImageID, error) {
	x, _, err := ReadNumbers(text, n)
	if err != nil {
		return nil, err
	}
	r := Rows{N: n, Images: imageIDs(x)}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return r.Images, nil
}

func imageIDs(x []int) []fmri.ImageID {
	ids := make([]fmri.ImageID, len(x))
	for i, v := range x {
		ids[i] = fmri.ImageID(v)
	}
	return ids
}
