package nifti

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"percept/fmri/internal/source"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError = source.FormatError

const format = "NIfTI"

// Image is a file whose header was read. Its voxels are read from the file each time they are asked for; a compressed
// file is then read through to its end, so that damage shows.
type Image struct {
	Header
	name   string       // of the file of the header
	data   *source.File // that of the voxels
	offset int64
	order  binary.ByteOrder
	pair   bool // the voxels are in a file of their own
	format string
	intent int    // code of what the values mean
	cifti  []byte // XML of a CIFTI extension; nil if there is none
}

// Format is "NIfTI-1" or "NIfTI-2".
func (img *Image) Format() string { return img.format }

// Open reads the header of a .nii file or of a pair .hdr and .img, each compressed or not; what a file is shows in its first
// bytes, not in its name. Of a pair either name will do.
func Open(path string) (*Image, error) {
	header := path
	if stem, ok := cut(path, ".img"); ok {
		var err error
		if header, err = either(stem, ".hdr"); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	f, err := source.Open(header, format)
	if err != nil {
		return nil, err
	}
	img, err := newImage(f)
	if err != nil || !img.pair {
		return img, err
	}
	stem, ok := cut(header, ".hdr")
	if !ok {
		return nil, fmt.Errorf("%s: NIfTI: is the header of a pair of files, expected a name that ends in .hdr", header)
	}
	voxels, err := either(stem, ".img")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", header, err)
	}
	if img.data, err = source.Open(voxels, format); err != nil {
		return nil, err
	}
	return img, img.checkSize()
}

// cut takes an ending off a path, with that of a compression behind it or not.
func cut(path, ending string) (stem string, ok bool) {
	return strings.CutSuffix(source.Uncompressed(path), ending)
}

// either is the file of the given name, or a compressed one.
func either(stem, ending string) (string, error) {
	for _, compression := range append([]string{""}, source.Endings...) {
		p := stem + ending + compression
		if _, err := source.Open(p, format); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return p, nil
		}
	}
	return "", fmt.Errorf("NIfTI: the other file of the pair, %s, is not there", stem+ending)
}

// newImage reads the header at the front of a file.
func newImage(f *source.File) (*Image, error) {
	img := &Image{name: f.Name, data: f}
	s, err := f.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := img.readHeader(s); err != nil {
		return nil, err
	}
	if img.pair {
		return img, nil
	}
	return img, img.checkSize()
}

// checkSize compares an uncompressed file's length with what the header says.
func (img *Image) checkSize() error {
	if v := img.values(); !v.Fits() {
		return &FormatError{File: img.data.Name, Format: format, Offset: img.data.Size,
			Msg: fmt.Sprintf("the file ends after %d bytes, inside %s", img.data.Size, v.What)}
	}
	return nil
}

// values is where the voxels lie.
func (img *Image) values() *source.Values {
	v := &source.Values{File: img.data, Offset: img.offset, Size: img.Type.Size(), Count: volume(img.Dims)}
	v.What = fmt.Sprintf("the voxels: dimensions %v of %s need %d bytes from %d on", img.Dims, img.Type, v.Count*v.Size, img.offset)
	return v
}

const header2Size = 540

func (img *Image) readHeader(s *source.Stream) error {
	b := make([]byte, header1Size, header2Size)
	if err := s.Read(b, "the header"); err != nil {
		return err
	}
	fail := func(at int64, format string, args ...any) error {
		return &FormatError{File: img.name, Format: "NIfTI", Offset: at, Msg: fmt.Sprintf(format, args...)}
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case header1Size:
			img.order, img.format = order, "NIfTI-1"
			return img.header1(b, fail)
		case header2Size:
			img.order, img.format = order, "NIfTI-2"
			b = b[:header2Size]
			if err := s.Read(b[header1Size:], "the header"); err != nil {
				return err
			}
			if err := img.header2(b, fail); err != nil {
				return err
			}
			return img.extensions(s, fail)
		}
	}
	return fail(0, "header size % x, expected 348 (NIfTI-1) or 540 (NIfTI-2) in either byte order: not a NIfTI file", b[:4])
}

type failer func(at int64, format string, args ...any) error

func (img *Image) header1(b []byte, fail failer) error {
	switch string(b[344:348]) {
	case "n+1\x00":
	case "ni1\x00":
		img.pair = true
	case "\x00\x00\x00\x00":
		return fail(344, "no magic: an ANALYZE file, which does not say how its axes lie; expected NIfTI")
	default:
		return fail(344, "magic %q, expected \"n+1\" or \"ni1\"", b[344:348])
	}
	o := img.order
	f32 := func(at int) float64 { return float64(math.Float32frombits(o.Uint32(b[at:]))) }
	dims := make([]int64, 8)
	var pixdim [8]float64
	for i := range dims {
		dims[i] = int64(int16(o.Uint16(b[40+2*i:])))
		pixdim[i] = f32(76 + 4*i)
	}
	stored := slices.Clone(dims)
	if err := surfaceDims(dims, int32(o.Uint32(b[144:])), fail); err != nil {
		return err
	}
	if err := img.setDims(dims, 40, fail); err != nil {
		return err
	}
	img.intent = int(int16(o.Uint16(b[68:])))
	img.Type = DataType(int16(o.Uint16(b[70:])))
	if err := img.setData(70, f32(108), f32(112), f32(116), dataOffset, fail); err != nil {
		return err
	}
	var sform [12]float64
	for i := range sform {
		sform[i] = f32(280 + 4*i)
	}
	var quat [6]float64
	for i := range quat {
		quat[i] = f32(256 + 4*i)
	}
	img.setAffine(int(int16(o.Uint16(b[252:]))), int(int16(o.Uint16(b[254:]))), stored, pixdim, quat, sform)
	return nil
}

func (img *Image) header2(b []byte, fail failer) error {
	switch string(b[4:12]) {
	case "n+2\x00\r\n\x1a\n":
	case "ni2\x00\r\n\x1a\n":
		img.pair = true
	default:
		return fail(4, "magic %q, expected \"n+2\" or \"ni2\"", b[4:12])
	}
	o := img.order
	f64 := func(at int) float64 { return math.Float64frombits(o.Uint64(b[at:])) }
	dims := make([]int64, 8)
	var pixdim [8]float64
	for i := range dims {
		dims[i] = int64(o.Uint64(b[16+8*i:]))
		pixdim[i] = f64(104 + 8*i)
	}
	if err := img.setDims(dims, 16, fail); err != nil {
		return err
	}
	img.Type = DataType(int16(o.Uint16(b[12:])))
	if err := img.setData(12, float64(int64(o.Uint64(b[168:]))), f64(176), f64(184), header2Size+4, fail); err != nil {
		return err
	}
	var sform [12]float64
	for i := range sform {
		sform[i] = f64(400 + 8*i)
	}
	var quat [6]float64
	for i := range quat {
		quat[i] = f64(352 + 8*i)
	}
	img.intent = int(int32(o.Uint32(b[504:])))
	img.setAffine(int(int32(o.Uint32(b[344:]))), int(int32(o.Uint32(b[348:]))), dims, pixdim, quat, sform)
	return nil
}

// surfaceDims undoes what FreeSurfer makes of dimensions that do not fit into NIfTI-1's 16 bits: the number of a surface's
// vertices above 32767 is stored as -1 with the number in glmin, a field of ANALYZE, and the 163842 vertices of fsaverage as
// 27307×1×6. NIfTI-2 has room for both and no such rule. As FreeSurfer's load_nifti.m and nibabel.
func surfaceDims(dims []int64, glmin int32, fail failer) error {
	if dims[0] < 3 || dims[2] != 1 {
		return nil
	}
	switch {
	case dims[1] == -1 && dims[3] == 1:
		if glmin < 1 {
			return fail(144, "dimension 1 is -1 and glmin, where FreeSurfer keeps what does not fit there, is %d, expected 1 or more", glmin)
		}
		dims[1] = int64(glmin)
	case dims[1] == 27307 && dims[3] == 6:
		dims[1], dims[3] = 163842, 1
	}
	return nil
}

func (img *Image) setDims(dims []int64, at int64, fail failer) error {
	if dims[0] < 1 || dims[0] > 7 {
		return fail(at, "%d dimensions, expected 1 to 7", dims[0])
	}
	total := int64(1)
	for i, d := range dims[1 : dims[0]+1] {
		if d < 1 || total > (1<<46)/d {
			return fail(at, "dimension %d is %d, expected 1 or more, and no more voxels in all than a file can hold", i+1, d)
		}
		total *= d
		img.Dims = append(img.Dims, int(d))
	}
	return nil
}

// setData takes type, place and scaling of the voxels. A slope of 0 or one that is not finite means no scaling. The header's
// number of bits a voxel says nothing that the type does not, and is passed over, as in nibabel and nifti1_io.c.
func (img *Image) setData(typeAt int64, offset, slope, inter float64, least int64, fail failer) error {
	size := img.Type.Size()
	if size == 0 {
		return fail(typeAt, "%s cannot be read; known are integers of 8 to 64 bits, float32 and float64", img.Type)
	}
	switch {
	case img.pair:
		least = 4 // 0 is allowed
	case offset == 0: // some writers leave it out
		offset = float64(least)
	}
	if !(offset >= float64(least-4) && offset < 1<<40) || offset != math.Trunc(offset) {
		return fail(108, "voxels at offset %v, expected a whole number from %d on", offset, least-4)
	}
	img.offset = int64(offset)
	if slope == 0 || math.IsNaN(slope) || math.IsInf(slope, 0) {
		return nil
	}
	if math.IsNaN(inter) || math.IsInf(inter, 0) {
		return fail(116, "slope %v with intercept %v", slope, inter)
	}
	img.Slope, img.Inter = slope, inter
	return nil
}
