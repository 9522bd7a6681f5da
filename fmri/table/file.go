package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
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
	Name   string            // of the feature
	Shape  []int             // of one image's values
	DType  safetensors.DType // that they are stored in
	Images []fmri.ImageID    // of each row
	Names  []string          // file names of the images; nil where they are of a data set
	Shard  Shard

	Counts   []int   // trials behind each row; nil where not known
	Sessions []int   // recording session of each row that is a trial, else nil
	Voxels   *Voxels // of responses, else nil

	store        *safetensors.File
	meta         map[string]string
	row          map[fmri.ImageID]int
	values, sums []byte
	rowBytes     int

	mu      sync.Mutex
	checked []bool // chunks whose sum was found to fit
}

// Open opens a complete file and checks that what it says of itself fits together.
func OpenFile(path string) (*File, error) {
	s, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{store: s, meta: s.Metadata()}
	if err := f.read(); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func (f *File) read() error {
	if f.meta["feature"] == "" || f.meta["format"] == "" {
		return fmt.Errorf("no file of features, expected one that percept features has made")
	}
	if v := f.meta["format"]; v != formatVersion {
		return fmt.Errorf("features of format %s, expected %s", v, formatVersion)
	}
	if n := f.meta["rows_per_chunk"]; n != strconv.Itoa(ChunkRows) {
		return fmt.Errorf("%q rows a chunk, expected %d", n, ChunkRows)
	}
	f.Name = f.meta["feature"]
	dtype, shape, ok := f.store.Info("values")
	if !ok || len(shape) < 2 || dtype != safetensors.F32 && dtype != safetensors.F16 {
		return fmt.Errorf("values are %s %v, expected F32 or F16, images first", dtype, shape)
	}
	f.DType, f.Shape, f.rowBytes = dtype, shape[1:], dtype.Size()
	for _, d := range f.Shape {
		f.rowBytes *= d
	}
	ids, err := f.store.Int64("images", shape[0])
	if err != nil {
		return err
	}
	for name, into := range map[string]*[]int{"counts": &f.Counts, "sessions": &f.Sessions} {
		if *into, err = f.ints(name, len(ids)); err != nil {
			return err
		}
	}
	f.row = make(map[fmri.ImageID]int, len(ids))
	for i, id := range ids {
		if _, twice := f.row[fmri.ImageID(id)]; twice && f.Sessions == nil || id < 0 {
			return fmt.Errorf("image %d in row %d is there twice, or no number of an image", id, i)
		}
		f.row[fmri.ImageID(id)] = i
		f.Images = append(f.Images, fmri.ImageID(id))
	}
	if len(ids) == 0 || f.rowBytes == 0 {
		return fmt.Errorf("values of shape %v, expected some", shape)
	}
	f.checked = make([]bool, (len(ids)+ChunkRows-1)/ChunkRows)
	sumType, sumShape, _ := f.store.Info("sums")
	if sumType != safetensors.U8 || len(sumShape) != 2 || sumShape[0] != len(f.checked) || sumShape[1] != sha256.Size {
		return fmt.Errorf("sums are %s %v, expected U8 [%d %d]", sumType, sumShape, len(f.checked), sha256.Size)
	}
	if f.sums, err = f.store.Bytes("sums"); err != nil {
		return err
	}
	if f.values, err = f.store.Bytes("values"); err != nil {
		return err
	}
	if err := f.readVoxels(); err != nil {
		return err
	}
	if text := f.meta["shard"]; text != "" {
		if f.Shard, err = ParseShard(text); err != nil {
			return fmt.Errorf("shard %w", err)
		}
	}
	if _, _, ok := f.store.Info("names"); ok {
		b, err := f.store.Bytes("names")
		if err != nil {
			return err
		}
		if f.Names = strings.Split(string(b), "\n"); len(f.Names) != len(ids) {
			return fmt.Errorf("%d names of %d images", len(f.Names), len(ids))
		}
	}
	return nil
}

// ints reads whole numbers, nil where the file has none of that name.
func (f *File) ints(name string, shape ...int) (x []int, err error) {
	if _, _, ok := f.store.Info(name); !ok {
		return nil, nil
	}
	read, err := f.store.Int64(name, shape...)
	for _, v := range read {
		x = append(x, int(v))
	}
	return x, err
}

// readVoxels reads what the file says of the voxels of responses.
func (f *File) readVoxels() error {
	text, ok := f.meta["space"]
	if !ok {
		return nil
	}
	v := &Voxels{}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		return fmt.Errorf("metadata space: %w", cause.OfJSON(err))
	}
	v.N = f.Width()
	xyz, err := f.ints("voxels", v.N, 3)
	if err != nil {
		return err
	}
	for _, x := range xyz {
		v.XYZ = append(v.XYZ, int32(x))
	}
	if len(v.Regions) > 0 {
		b, err := f.store.Bytes("rois")
		if err != nil {
			return err
		}
		v.Member = bytes.Clone(b)
	}
	f.Voxels = v
	return v.check()
}

// Close unmaps the file.
func (f *File) Close() error { return f.store.Close() }

// Path is the file's name.
func (f *File) Path() string { return f.store.Path() }

// Meta is what the values were made of and how; see the package comment.
func (f *File) Meta() map[string]string { return f.meta }

// Len is the number of rows.
func (f *File) Len() int { return len(f.Images) }

// Width is the number of values of an image.
func (f *File) Width() int { return f.rowBytes / f.DType.Size() }

// Identity is the sha256 of the images and of the sums of their values: the same for the same numbers.
func (f *File) Identity() string {
	h := sha256.New()
	h.Write(int32s(f.Images))
	h.Write(f.sums)
	fmt.Fprintf(h, "%s %v", f.DType, f.Shape)
	return hex.EncodeToString(h.Sum(nil))
}

// Has says whether there is a row of an image.
func (f *File) Has(id fmri.ImageID) bool { _, ok := f.row[id]; return ok }

// Row reads the values of an image into dst.
func (f *File) Row(dst []float32, id fmri.ImageID) error {
	i, ok := f.row[id]
	if !ok {
		return fmt.Errorf("%s: image %d (0-based) is not in it; it has %d images", f.Path(), id, f.Len())
	}
	return f.At(dst, i)
}

// Rows reads the values of images into dst [images, Width], in the order given.
func (f *File) Rows(dst []float32, ids []fmri.ImageID) error {
	w := f.Width()
	if len(dst) != len(ids)*w {
		return fmt.Errorf("%s: room for %d values, expected %d × %d", f.Path(), len(dst), len(ids), w)
	}
	for i, id := range ids {
		if err := f.Row(dst[i*w:(i+1)*w], id); err != nil {
			return err
		}
	}
	return nil
}

// At reads row i into dst.
func (f *File) At(dst []float32, i int) error {
	if i < 0 || i >= f.Len() || len(dst) != f.Width() {
		return fmt.Errorf("%s: row %d of %d into %d values, expected %d", f.Path(), i, f.Len(), len(dst), f.Width())
	}
	return f.columns(dst, i, 0, len(dst))
}

// columns reads columns lo to hi−1 of row i.
func (f *File) columns(dst []float32, i, lo, hi int) error {
	if err := f.check(i / ChunkRows); err != nil {
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

// check compares a chunk with its sum, once.
func (f *File) check(c int) error {
	f.mu.Lock()
	done := f.checked[c]
	f.mu.Unlock()
	if done {
		return nil
	}
	hi := min((c+1)*ChunkRows, f.Len())
	sum := sha256.Sum256(f.values[c*ChunkRows*f.rowBytes : hi*f.rowBytes])
	if !bytes.Equal(sum[:], f.sums[c*sha256.Size:(c+1)*sha256.Size]) {
		return fmt.Errorf("%s: rows %d to %d do not have their sum: the file is damaged", f.Path(), c*ChunkRows, hi-1)
	}
	f.mu.Lock()
	f.checked[c] = true
	f.mu.Unlock()
	return nil
}

// Verify compares all values with their sums.
func (f *File) Verify() error {
	for c := range f.checked {
		if err := f.check(c); err != nil {
			return err
		}
	}
	return nil
}

// readHead reads the first n bytes of a file, or all if it is shorter.
func readHead(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	defer f.Close()
	b := make([]byte, n)
	k, err := io.ReadFull(f, b)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	return b[:k], nil
}
