// Command dump prints what Percept reads from files of arrays, for the scripts of tools/formats that hold it against the
// reference libraries.
//
//	go run ./tools/formats/dump < list
//
// A line of the list is a path, or path:name where a file holds several arrays. Each gives one line of JSON: path, name, shape,
// dtype (the type of the elements as stored), sha256 of the values as little-endian float64 in C order, every NaN as the one
// of 0x7ff8000000000000, the first 16 values (NaN and infinities as text), or error.
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"percept/fmri/array"
)

// line is what is printed for one line of the list.
type line struct {
	Path   string    `json:"path"`
	Name   string    `json:"name"`
	Shape  []int     `json:"shape"`
	DType  string    `json:"dtype"`
	SHA256 string    `json:"sha256"`
	Values []any     `json:"values"`
	Affine []float64 `json:"affine,omitempty"`
	Error  string    `json:"error"`
}

func main() {
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	in.Buffer(nil, 1<<20)
	encoder := json.NewEncoder(out)
	for in.Scan() {
		if in.Text() == "" {
			continue
		}
		if err := encoder.Encode(dump(in.Text())); err != nil {
			fail(err)
		}
	}
	if err := in.Err(); err != nil {
		fail(err)
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "dump:", err)
	os.Exit(1)
}

// dump reads one array. A panic is its error: the other files are still read, and the script counts it.
func dump(text string) (l line) {
	l = line{Path: text, Shape: []int{}, Values: []any{}}
	defer func() {
		if p := recover(); p != nil {
			l.Error = fmt.Sprintf("PANIC: %v", p)
		}
	}()
	if at := strings.LastIndexByte(text, ':'); at > 0 {
		if _, err := os.Stat(text); err != nil {
			l.Path, l.Name = text[:at], text[at+1:]
		}
	}
	if err := l.read(); err != nil {
		l.Error = err.Error()
	}
	return l
}

// oneNaN stands for every NaN: libraries differ in the bits that they keep of it.
const oneNaN = 0x7ff8000000000000

func (l *line) read() error {
	if l.Name == "" {
		names, err := array.Names(l.Path)
		if err != nil {
			return err
		}
		if len(names) != 1 {
			return fmt.Errorf("%s: holds %d arrays (%s), expected path:name", l.Path, len(names), strings.Join(names, ", "))
		}
		l.Name = names[0]
	}
	a, err := array.Read(l.Path, l.Name)
	if err != nil {
		return err
	}
	l.Shape = append(l.Shape, a.Shape...)
	if info, err := array.Inspect(l.Path); err == nil {
		if i := slices.IndexFunc(info.Arrays, func(a array.ArrayInfo) bool { return a.Name == l.Name }); i >= 0 {
			l.DType = info.Arrays[i].Type
		}
	}
	if a.Affine != nil {
		for _, row := range a.Affine {
			if slices.ContainsFunc(row[:], func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
				return fmt.Errorf("%s: affine %v, expected finite numbers", l.Path, *a.Affine)
			}
			l.Affine = append(l.Affine, row[:]...)
		}
	}
	sum, b := sha256.New(), make([]byte, 8)
	for i, v := range a.Data {
		bits := math.Float64bits(v)
		if math.IsNaN(v) {
			bits = oneNaN
		}
		binary.LittleEndian.PutUint64(b, bits)
		sum.Write(b)
		if i < 16 {
			l.Values = append(l.Values, printable(v))
		}
	}
	l.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// printable is a value as JSON can hold it.
func printable(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Sprint(v)
	}
	return v
}
