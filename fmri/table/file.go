package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"percept/fmri"
	"percept/internal/cause"
	"percept/internal/half"
	"percept/weights/safetensors"
)

// File is an open file of one feature. It is mapped: what is read of it is read from the disk, and compared with its sum the
// first time. It may be used by several goroutines.
type File struct {
	Spec // what is in it: of a shard, the images of its own rows

	store        *safetensors.File
	values, sums []byte
	rowBytes     int

	mu      sync.Mutex
	checked []bool // chunks whose sum was found to fit
}

// OpenFile opens a complete file and checks that what it says of itself fits together.
func OpenFile(path string) (*File, error) {
	s, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{store: s}
	if err := f.read(); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (f *File) read() error {
	f.Meta = f.store.Metadata()
	f.format = f.Meta["format"]
	if err := f.checkRest(); err != nil {
		return err
	}
	f.Name = f.Meta["feature"]
	switch format, rows := f.Meta["format"], f.Meta["rows_per_chunk"]; {
	case f.Name == "" || format == "":
		return fmt.Errorf("no file of features, expected one that percept features has made")
	case format != formatVersion && format != firstFormat:
		return fmt.Errorf("features of format %s, expected %s or %s", format, firstFormat, formatVersion)
	case rows != strconv.Itoa(ChunkRows):
		return fmt.Errorf("%q rows a chunk, expected %d", rows, ChunkRows)
	}
	dtype, shape, ok := f.store.Info("values")
	if !ok || len(shape) < 2 || shape[0] < 1 {
		return fmt.Errorf("values are %s %v, expected F32 or F16, images first", dtype, shape)
	}
	f.DType, f.Shape = dtype, shape[1:]
	var err error
	if f.Images, err = ints[fmri.ImageID](f.store, "images", shape[0]); err != nil {
		return err
	}
	if f.Counts, err = ints[int](f.store, "counts", shape[0]); err != nil {
		return err
	}
	if f.Sessions, err = ints[int](f.store, "sessions", shape[0]); err != nil {
		return err
	}
	if text, ok := f.Meta["space"]; ok {
		f.Voxels = &Voxels{}
		if err := json.Unmarshal([]byte(text), f.Voxels); err != nil {
			return fmt.Errorf("metadata space: %w", cause.OfJSON(err))
		}
		if err := f.Voxels.Read(f.store, "", f.Width()); err != nil {
			return err
		}
	}
	if _, _, ok := f.store.Info("names"); ok {
		b, err := f.store.Bytes("names")
		if err != nil {
			return err
		}
		f.Names = strings.Split(string(b), "\n")
	}
	if err := f.Spec.check(); err != nil {
		return err
	}
	if text := f.Meta["shard"]; text != "" {
		if f.Shard, err = ParseShard(text); err != nil {
			return fmt.Errorf("shard %w", err)
		}
	} else if sum := sha256.Sum256(int32s(f.Images)); hex.EncodeToString(sum[:]) != f.Meta["request"] {
		return errors.New("images do not have their sum, expected those that were asked for: the file is damaged")
	}
	f.rowBytes, f.checked = f.Width()*dtype.Size(), make([]bool, (shape[0]+ChunkRows-1)/ChunkRows)
	sumType, sumShape, _ := f.store.Info("sums")
	if sumType != safetensors.U8 || len(sumShape) != 2 || sumShape[0] != len(f.checked) || sumShape[1] != sha256.Size {
		return fmt.Errorf("sums are %s %v, expected U8 [%d %d]", sumType, sumShape, len(f.checked), sha256.Size)
	}
	if f.sums, err = f.store.Bytes("sums"); err != nil {
		return err
	}
	f.values, err = f.store.Bytes("values")
	return err
}

// checkRest compares all but the values with its sum.
func (f *File) checkRest() error {
	_, _, has := f.store.Info("rest_sum")
	if f.Meta["format"] != formatVersion && !has {
		return nil // of the first format, or no file of ours
	}
	want, err := f.store.Bytes("rest_sum")
	if err != nil {
		return errors.New("no sum of what stands beside the values: the file is damaged")
	}
	parts := [][]byte{f.store.Header()}
	for _, name := range []string{"images", "counts", "sessions", "voxels", "rois", "names"} { // as layout puts them
		if _, _, ok := f.store.Info(name); ok {
			b, err := f.store.Bytes(name)
			if err != nil {
				return err
			}
			parts = append(parts, b)
		}
	}
	if sum := restSum(parts...); !bytes.Equal(sum[:], want) {
		return errors.New("images, voxels or metadata do not have the expected sum: the file is damaged")
	}
	return nil
}

// ints reads whole numbers, nil where the file has none of that name.
func ints[T ~int | ~int32](s *safetensors.File, name string, shape ...int) ([]T, error) {
	if _, _, ok := s.Info(name); !ok {
		return nil, nil
	}
	read, err := s.Int64(name, shape...)
	x := make([]T, len(read))
	for i, v := range read {
		if x[i] = T(v); v != int64(int32(v)) {
			return nil, fmt.Errorf("%s: number %d is %d, expected one of 32 bits", name, i, v)
		}
	}
	return x, err
}

// Close unmaps the file.
func (f *File) Close() error { return f.store.Close() }

// Len is the number of rows.
func (f *File) Len() int { return len(f.Images) }

// Width is the number of values of a row.
func (f *File) Width() int { return Columns{Shape: f.Shape}.N() }

// Path is the file's name.
func (f *File) Path() string { return f.store.Path() }

// identity is the sha256 of the images and of the sums of their values: the same for the same numbers.
func (f *File) identity() string {
	h := sha256.New()
	h.Write(int32s(f.Images))
	h.Write(f.sums)
	fmt.Fprintf(h, "%s %v", f.DType, f.Shape)
	return hex.EncodeToString(h.Sum(nil))
}

// row puts columns lo to hi−1 of row i into dst. A file that is cut while it is mapped is an error as well.
func (f *File) row(dst []float32, i, lo, hi int) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		fault := recover()
		if _, ok := fault.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("%s: row %d cannot be read, expected the file as it was when it was opened", f.Path(), i)
		} else if fault != nil {
			panic(fault)
		}
	}()
	if err := f.verify(i / ChunkRows); err != nil {
		return err
	}
	size := f.DType.Size()
	b := f.values[i*f.rowBytes+lo*size : i*f.rowBytes+hi*size]
	if f.DType == safetensors.F16 {
		for k := range dst {
			dst[k] = half.FromF16(binary.LittleEndian.Uint16(b[2*k:]))
		}
		return nil
	}
	for k := range dst {
		dst[k] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*k:]))
	}
	return nil
}

// verify compares a chunk with its sum, once.
func (f *File) verify(c int) error {
	f.mu.Lock()
	done := f.checked[c]
	f.mu.Unlock()
	if done {
		return nil
	}
	hi := min((c+1)*ChunkRows, f.Len())
	sum := sha256.Sum256(f.values[c*ChunkRows*f.rowBytes : hi*f.rowBytes])
	if !bytes.Equal(sum[:], f.sums[c*sha256.Size:(c+1)*sha256.Size]) {
		return fmt.Errorf("%s: rows %d to %d do not have the expected sum: the file is damaged", f.Path(), c*ChunkRows, hi-1)
	}
	f.mu.Lock()
	f.checked[c] = true
	f.mu.Unlock()
	return nil
}

// Verify compares all values with their sums.
func (f *File) Verify() error {
	for c := range f.checked {
		if err := f.row(nil, c*ChunkRows, 0, 0); err != nil {
			return err
		}
	}
	return nil
}
