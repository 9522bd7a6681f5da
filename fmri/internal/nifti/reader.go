package nifti

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError struct {
	File   string
	Offset int64 // bytes from the start of the (decompressed) file
	Msg    string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: NIfTI, offset %d: %s", e.File, e.Offset, e.Msg)
}

// Image is a file whose header was read. Its voxels are read from the file each time they are asked for.
type Image struct {
	Header
	name   string
	open   func() (io.ReadCloser, error)
	offset int64
	order  binary.ByteOrder
}

// Open reads the header of a .nii or .nii.gz file; what it is shows in its first bytes, not in its name.
func Open(path string) (*Image, error) {
	return newImage(path, func() (io.ReadCloser, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, reason(err))
		}
		return f, nil
	})
}

// reason drops the operation and the path that os puts in front of an error.
func reason(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func newImage(name string, open func() (io.ReadCloser, error)) (*Image, error) {
	img := &Image{name: name, open: open}
	s, err := img.stream()
	if err != nil {
		return nil, err
	}
	defer s.close()
	return img, img.readHeader(s)
}

// stream is the decompressed file from its start.
type stream struct {
	name string
	r    io.Reader
	file io.Closer
	pos  int64
}

func (s *stream) close() { s.file.Close() }

func (img *Image) stream() (*stream, error) {
	f, err := img.open()
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(f, 1<<18)
	s := &stream{name: img.name, r: b, file: f}
	if head, _ := b.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		gz, err := gzip.NewReader(b)
		if err != nil {
			f.Close()
			return nil, &FormatError{img.name, 0, "gzip: " + err.Error()}
		}
		s.r = gz
	}
	return s, nil
}

// read fills b or says that the file ends, or is damaged, before what was expected.
func (s *stream) read(b []byte, what string) error {
	n, err := io.ReadFull(s.r, b)
	s.pos += int64(n)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && n < len(b):
		return &FormatError{s.name, s.pos, fmt.Sprintf("the file ends inside %s", what)}
	}
	return &FormatError{s.name, s.pos, fmt.Sprintf("cannot read %s: %v", what, reason(err))}
}

func (s *stream) skip(n int64, what string) error {
	m, err := io.CopyN(io.Discard, s.r, n)
	s.pos += m
	if err != nil {
		return &FormatError{s.name, s.pos, fmt.Sprintf("the file ends before %s", what)}
	}
	return nil
}

// drain reads to the end, so that gzip's checksum is checked.
func (s *stream) drain() error {
	if _, err := io.Copy(io.Discard, s.r); err != nil {
		return &FormatError{s.name, s.pos, fmt.Sprintf("after the voxels: %v", err)}
	}
	return nil
}

const header2Size = 540

func (img *Image) readHeader(s *stream) error {
	b := make([]byte, header1Size, header2Size)
	if err := s.read(b, "the header"); err != nil {
		return err
	}
	fail := func(at int64, format string, args ...any) error {
		return &FormatError{img.name, at, fmt.Sprintf(format, args...)}
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch order.Uint32(b) {
		case header1Size:
			img.order = order
			return img.header1(b, fail)
		case header2Size:
			img.order = order
			b = b[:header2Size]
			if err := s.read(b[header1Size:], "the header"); err != nil {
				return err
			}
			return img.header2(b, fail)
		}
	}
	return fail(0, "header size % x, want 348 (NIfTI-1) or 540 (NIfTI-2) in either byte order: not a NIfTI file", b[:4])
}

type failer func(at int64, format string, args ...any) error

func (img *Image) header1(b []byte, fail failer) error {
	switch string(b[344:348]) {
	case "n+1\x00":
	case "ni1\x00":
		return fail(344, "header of a pair of files (.hdr, .img), which is not supported")
	default:
		return fail(344, "magic %q, want \"n+1\"", b[344:348])
	}
	o := img.order
	f32 := func(at int) float64 { return float64(math.Float32frombits(o.Uint32(b[at:]))) }
	dims := make([]int64, 8)
	var pixdim [8]float64
	for i := range dims {
		dims[i] = int64(int16(o.Uint16(b[40+2*i:])))
		pixdim[i] = f32(76 + 4*i)
	}
	if err := img.setDims(dims, 40, fail); err != nil {
		return err
	}
	img.Type = DataType(int16(o.Uint16(b[70:])))
	bitpix := int(int16(o.Uint16(b[72:])))
	if err := img.setData(bitpix, 70, f32(108), f32(112), f32(116), dataOffset, fail); err != nil {
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
	img.setAffine(int(int16(o.Uint16(b[252:]))), int(int16(o.Uint16(b[254:]))), pixdim, quat, sform)
	return nil
}

func (img *Image) header2(b []byte, fail failer) error {
	if string(b[4:12]) != "n+2\x00\r\n\x1a\n" {
		return fail(4, "magic %q, want \"n+2\"", b[4:12])
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
	bitpix := int(int16(o.Uint16(b[14:])))
	if err := img.setData(bitpix, 12, float64(int64(o.Uint64(b[168:]))), f64(176), f64(184), header2Size+4, fail); err != nil {
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
	img.setAffine(int(int32(o.Uint32(b[344:]))), int(int32(o.Uint32(b[348:]))), pixdim, quat, sform)
	return nil
}

func (img *Image) setDims(dims []int64, at int64, fail failer) error {
	if dims[0] < 1 || dims[0] > 7 {
		return fail(at, "%d dimensions, want 1 to 7", dims[0])
	}
	total := int64(1)
	for i, d := range dims[1 : dims[0]+1] {
		if d < 1 || total > (1<<46)/d {
			return fail(at, "dimension %d is %d", i+1, d)
		}
		total *= d
		img.Dims = append(img.Dims, int(d))
	}
	return nil
}

// setData takes type, place and scaling of the voxels. A slope of 0 or one that is not finite means no scaling.
func (img *Image) setData(bitpix int, typeAt int64, offset, slope, inter float64, least int64, fail failer) error {
	size := img.Type.Size()
	if size == 0 {
		return fail(typeAt, "%s cannot be read; known are integers of 8 to 64 bits, float32 and float64", img.Type)
	}
	if bitpix != 8*size {
		return fail(typeAt, "%d bits per voxel for %s", bitpix, img.Type)
	}
	if offset == 0 { // some writers leave it out
		offset = float64(least)
	}
	if !(offset >= float64(least-4) && offset < 1<<40) || offset != math.Trunc(offset) {
		return fail(108, "voxels at offset %v, want at least %d", offset, least)
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

// setAffine follows nibabel: sform if it has a code, else qform if that has one, else voxel size about the centre.
func (img *Image) setAffine(qcode, scode int, pixdim [8]float64, quat [6]float64, sform [12]float64) {
	a := &img.Affine
	a[3][3] = 1
	switch {
	case scode > 0:
		for i := range 12 {
			a[i/4][i%4] = sform[i]
		}
	case qcode > 0:
		b, c, d := quat[0], quat[1], quat[2]
		w := math.Sqrt(max(0, 1-b*b-c*c-d*d))
		r := [3][3]float64{
			{w*w + b*b - c*c - d*d, 2 * (b*c - w*d), 2 * (b*d + w*c)},
			{2 * (b*c + w*d), w*w + c*c - b*b - d*d, 2 * (c*d - w*b)},
			{2 * (b*d - w*c), 2 * (c*d + w*b), w*w + d*d - b*b - c*c},
		}
		fac := 1.0
		if pixdim[0] < 0 {
			fac = -1
		}
		for i := range 3 {
			a[i][0], a[i][1], a[i][2] = r[i][0]*pixdim[1], r[i][1]*pixdim[2], r[i][2]*pixdim[3]*fac
			a[i][3] = quat[3+i]
		}
	default:
		for i := range 3 {
			n := 1
			if i < len(img.Dims) {
				n = img.Dims[i]
			}
			a[i][i] = pixdim[1+i]
			a[i][3] = -pixdim[1+i] * float64(n-1) / 2
		}
	}
}
