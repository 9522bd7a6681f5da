// Package npy reads arrays that numpy wrote: .npy files of versions 1 to 3, and the members of .npz archives, stored or
// deflated.
//
// Numbers, booleans and half floats of either byte order and either axis order are read, as float64 in C order; an integer
// that float64 cannot hold exactly is an error. Object arrays, which would have to be unpickled, are refused.
//
// Format: numpy.lib.format.
package npy

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// Array is an array's values in C order.
type Array struct {
	DType string // as numpy writes it, "<f4"
	Shape []int  // empty for a scalar
	Data  []float64
}

const magic = "\x93NUMPY"

// maxHeader is far beyond what numpy writes; version 2 and 3 headers may claim up to 4 GB.
const maxHeader = 1 << 20

// ReadFile reads a .npy file. Bytes after the data are passed over, as numpy does.
func ReadFile(path string) (*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, reason(err))
	}
	defer f.Close()
	return Read(path, f)
}

func reason(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// Names lists the arrays of a .npz archive, in the archive's order.
func Names(path string) ([]string, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, reason(err))
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, strings.TrimSuffix(f.Name, ".npy"))
	}
	return names, nil
}

// ReadMember reads one array of a .npz archive.
func ReadMember(path, name string) (*Array, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, reason(err))
	}
	defer z.Close()
	var have []string
	for _, f := range z.File {
		if strings.TrimSuffix(f.Name, ".npy") != name {
			have = append(have, strings.TrimSuffix(f.Name, ".npy"))
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		defer r.Close()
		a, err := Read(path+": "+f.Name, r)
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // checks the member's checksum
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		return a, nil
	}
	return nil, fmt.Errorf("%s: no array %s; there is %s", path, name, strings.Join(have, ", "))
}

// Read reads an array from its magic string on; name is used in errors.
func Read(name string, r io.Reader) (*Array, error) {
	fail := func(at int, format string, args ...any) error {
		return fmt.Errorf("%s: npy, offset %d: %s", name, at, fmt.Sprintf(format, args...))
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:6]) != magic {
		return nil, fail(0, "found %q, want %q: not an npy file", head[:6], magic)
	}
	size := 2
	switch head[6] {
	case 1:
	case 2, 3:
		size = 4
	default:
		return nil, fail(6, "version %d, known are 1 to 3", head[6])
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(r, length[:size]); err != nil {
		return nil, fail(8, "the file ends inside the header")
	}
	n := int64(binary.LittleEndian.Uint32(length))
	if n > maxHeader {
		return nil, fail(8, "header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fail(8+size, "the file ends inside the header of %d bytes", n)
	}
	a := &Array{}
	fortran, err := a.parseHeader(string(text))
	if err != nil {
		return nil, fail(8+size, "header: %v", err)
	}
	if err := a.readData(r, fortran); err != nil {
		return nil, fail(8+size+int(n), "%v", err)
	}
	return a, nil
}

// readData reads the values. Memory grows with what is there, since shapes may lie.
func (a *Array) readData(r io.Reader, fortran bool) error {
	get, size, err := element(a.DType)
	if err != nil {
		return err
	}
	n := 1
	for _, d := range a.Shape {
		if d > 0 && n > (1<<46)/d {
			return fmt.Errorf("shape %v has too many elements", a.Shape)
		}
		n *= d
	}
	buf := make([]byte, 1<<16/size*size)
	for left := n; left > 0; {
		k := min(left, len(buf)/size)
		if _, err := io.ReadFull(r, buf[:k*size]); err != nil {
			return fmt.Errorf("the file ends after %d values, shape %v of %s needs %d", n-left, a.Shape, a.DType, n)
		}
		for i := range k {
			v, exact := get(buf[i*size:])
			if !exact {
				return fmt.Errorf("value %d is about %.0f, which float64 cannot hold exactly", n-left+i, v)
			}
			a.Data = append(a.Data, v)
		}
		left -= k
	}
	if fortran {
		a.transpose()
	}
	return nil
}

// transpose brings data from Fortran order, first index fastest, to C order.
func (a *Array) transpose() {
	out := make([]float64, len(a.Data))
	at := make([]int, len(a.Shape))
	for _, v := range a.Data {
		k := 0
		for i, d := range a.Shape {
			k = k*d + at[i]
		}
		out[k] = v
		for i := range at {
			if at[i]++; at[i] < a.Shape[i] {
				break
			}
			at[i] = 0
		}
	}
	a.Data = out
}

// element is the reader of one stored value.
func element(dtype string) (get func(b []byte) (v float64, exact bool), size int, err error) {
	if len(dtype) < 2 || !strings.ContainsRune("<>|=", rune(dtype[0])) {
		return nil, 0, fmt.Errorf("dtype %q is not supported", dtype)
	}
	var o binary.ByteOrder = binary.LittleEndian
	if dtype[0] == '>' {
		o = binary.BigEndian
	}
	const most = 1 << 53
	f := func(g func(b []byte) float64) func([]byte) (float64, bool) {
		return func(b []byte) (float64, bool) { return g(b), true }
	}
	switch dtype[1:] {
	case "b1", "u1":
		return f(func(b []byte) float64 { return float64(b[0]) }), 1, nil
	case "i1":
		return f(func(b []byte) float64 { return float64(int8(b[0])) }), 1, nil
	case "i2":
		return f(func(b []byte) float64 { return float64(int16(o.Uint16(b))) }), 2, nil
	case "u2":
		return f(func(b []byte) float64 { return float64(o.Uint16(b)) }), 2, nil
	case "i4":
		return f(func(b []byte) float64 { return float64(int32(o.Uint32(b))) }), 4, nil
	case "u4":
		return f(func(b []byte) float64 { return float64(o.Uint32(b)) }), 4, nil
	case "i8":
		return func(b []byte) (float64, bool) {
			v := int64(o.Uint64(b))
			return float64(v), v >= -most && v <= most
		}, 8, nil
	case "u8":
		return func(b []byte) (float64, bool) {
			v := o.Uint64(b)
			return float64(v), v <= most
		}, 8, nil
	case "f2":
		return f(func(b []byte) float64 { return half(o.Uint16(b)) }), 2, nil
	case "f4":
		return f(func(b []byte) float64 { return float64(math.Float32frombits(o.Uint32(b))) }), 4, nil
	case "f8":
		return f(func(b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }), 8, nil
	}
	if dtype[1] == 'O' {
		return nil, 0, errors.New("object array: it would have to be unpickled, which is refused")
	}
	return nil, 0, fmt.Errorf("dtype %q is not supported; known are integers, floats and booleans", dtype)
}

// half widens an IEEE 754 half.
func half(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exp, man := int(h>>10&0x1f), float64(h&0x3ff)
	switch exp {
	case 0:
		return sign * man * 0x1p-24
	case 31:
		if man != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * (1 + man/1024) * math.Ldexp(1, exp-15)
}

// parseHeader reads the Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (4, 3, 2), }.
func (a *Array) parseHeader(s string) (fortran bool, err error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "{")
	rest, ok2 := strings.CutSuffix(rest, "}")
	if !ok || !ok2 {
		return false, fmt.Errorf("%.40q, want a dictionary", s)
	}
	seen := make(map[string]bool)
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, err := quoted(rest)
		if err != nil {
			return false, err
		}
		after, ok := strings.CutPrefix(strings.TrimSpace(after), ":")
		if !ok || seen[key] {
			return false, fmt.Errorf("key %q", key)
		}
		seen[key] = true
		after = strings.TrimSpace(after)
		switch key {
		case "descr":
			if strings.HasPrefix(after, "[") {
				return false, errors.New("structured array, which is not supported")
			}
			if a.DType, rest, err = quoted(after); err != nil {
				return false, err
			}
		case "fortran_order":
			if rest, ok = strings.CutPrefix(after, "True"); ok {
				fortran = true
			} else if rest, ok = strings.CutPrefix(after, "False"); !ok {
				return false, errors.New("fortran_order is neither True nor False")
			}
		case "shape":
			if rest, err = a.parseShape(after); err != nil {
				return false, err
			}
		default:
			return false, fmt.Errorf("key %q is not known", key)
		}
		rest = strings.TrimSpace(rest)
		if next, ok := strings.CutPrefix(rest, ","); ok {
			rest = next
		} else if rest != "" {
			return false, fmt.Errorf("%.20q, want a comma", rest)
		}
	}
	if len(seen) != 3 {
		return false, errors.New("want descr, fortran_order and shape")
	}
	return fortran, nil
}

func quoted(s string) (text, rest string, err error) {
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", "", fmt.Errorf("%.20q, want a string", s)
	}
	text, rest, ok := strings.Cut(s[1:], s[:1])
	if !ok {
		return "", "", fmt.Errorf("%.20q, a string without end", s)
	}
	return text, rest, nil
}

func (a *Array) parseShape(s string) (rest string, err error) {
	inner, ok := strings.CutPrefix(s, "(")
	inner, rest, ok2 := strings.Cut(inner, ")")
	if !ok || !ok2 {
		return "", fmt.Errorf("shape %.20q", s)
	}
	a.Shape = []int{}
	for _, d := range strings.Split(inner, ",") {
		if d = strings.TrimSuffix(strings.TrimSpace(d), "L"); d == "" { // (3,) and Python 2's 3L
			continue
		}
		n, err := strconv.Atoi(d)
		if err != nil || n < 0 || len(a.Shape) == 32 {
			return "", fmt.Errorf("shape (%s)", inner)
		}
		a.Shape = append(a.Shape, n)
	}
	return rest, nil
}
