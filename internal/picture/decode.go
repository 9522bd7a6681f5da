package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"strings"

	"percept/internal/cause"
	"percept/internal/memlimit"
)

// DecodeOptions say how a picture is read. The zero value is what Read does.
type DecodeOptions struct {
	// IgnoreOrientation leaves a picture as its pixels are stored, as LDM's load_img does, which never looks at EXIF.
	IgnoreOrientation bool
}

const (
	// maxPixels is where Pillow takes a picture for a decompression bomb.
	maxPixels = 178956970
	// maxFile bounds what Read takes into memory.
	maxFile = 512 << 20
)

// Read reads a picture file as Pillow does with Image.open, ImageOps.exif_transpose and convert("RGB"): PNG, JPEG,
// TIFF, BMP or the first frame of a GIF, told by its first bytes. The result is opaque and its corner is (0, 0).
func Read(path string) (*image.RGBA, error) { return DecodeOptions{}.Read(path) }

// Decode is Read of bytes; name stands in errors.
func Decode(name string, b []byte) (*image.RGBA, error) { return DecodeOptions{}.Decode(name, b) }

// Read reads a picture file with options.
func (o DecodeOptions) Read(path string) (*image.RGBA, error) {
	b, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	return o.Decode(path, b)
}

// ReadFile reads a file of a picture as it is. What does not begin as a picture is read no further, so that a device that never
// ends is told by its first bytes; what is larger than a picture is refused.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file, expected a picture", path)
	} else if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w, expected a picture", path, cause.Of(err))
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err == nil && st.IsDir():
		return nil, fmt.Errorf("%s: a folder, expected a picture file", path)
	case err == nil && st.Size() > maxFile:
		return nil, fmt.Errorf("%s: larger than %d MiB, expected a picture", path, maxFile>>20)
	}
	b := make([]byte, 64)
	n, err := io.ReadFull(f, b)
	if b = b[:n]; err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	if sniff(b) == nil {
		return nil, noPicture(path, b)
	}
	size := int64(8 << 20) // of a stream it is not known
	if st != nil && st.Mode().IsRegular() {
		size = st.Size()
	}
	buffer := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	buffer.Write(b)
	for buffer.Len() <= maxFile {
		if err := memlimit.Need(2 * int64(buffer.Cap())); err != nil && buffer.Available() < bytes.MinRead {
			return nil, fmt.Errorf("%s: more than %d MiB: %w, expected a smaller picture", path, buffer.Len()>>20, err)
		}
		switch n, err := io.CopyN(buffer, f, 1<<20); {
		case errors.Is(err, io.EOF):
			return buffer.Bytes(), nil
		case err != nil:
			return nil, fmt.Errorf("%s: %w after %d bytes", path, cause.Of(err), n)
		}
	}
	return nil, fmt.Errorf("%s: larger than %d MiB, expected a picture", path, maxFile>>20)
}

// noPicture is the error for what is no picture.
func noPicture(name string, b []byte) error {
	return fmt.Errorf("%s: %s, expected a PNG, JPEG, TIFF, GIF or BMP picture", name, beginning(b))
}

// A format is one kind of picture file.
type format struct {
	name   string
	magic  []string                            // first bytes; '?' stands for any
	decode func(b []byte) (image.Image, error) // checks sizes before it allocates
	orient func(b []byte) int                  // EXIF orientation, 0 where there is none
}

var formats = []format{
	{"PNG", []string{"\x89PNG\r\n\x1a\n"}, decodePNG, orientationPNG},
	{"JPEG", []string{"\xff\xd8\xff"}, decodeJPEG, orientationJPEG},
	{"TIFF", []string{"II*\x00", "MM\x00*"}, decodeTIFF, orientationTIFF},
	{"GIF", []string{"GIF87a", "GIF89a"}, decodeGIF, nil},
	{"BMP", []string{"BM????\x00\x00\x00\x00"}, decodeBMP, nil},
}

// Decode reads a picture from bytes with options; name stands in errors.
func (o DecodeOptions) Decode(name string, b []byte) (*image.RGBA, error) {
	f := sniff(b)
	if f == nil {
		return nil, noPicture(name, b)
	}
	m, err := f.open(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %s picture: %w", name, f.name, err)
	}
	rgb, ok := m.(*image.RGBA)
	if !ok || rgb.Rect.Min != (image.Point{}) || !rgb.Opaque() {
		rgb = ToRGB(m)
	}
	if f.orient != nil && !o.IgnoreOrientation {
		rgb = orient(rgb, f.orient(b))
	}
	return rgb, nil
}

// open decodes; a panic in a decoder is an error of the file.
func (f *format) open(b []byte) (m image.Image, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("broken: %s", oneLine(fmt.Sprint(r)))
		}
	}()
	if m, err = f.decode(b); err != nil {
		return nil, errors.New(oneLine(err.Error()))
	}
	return m, nil
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

func sniff(b []byte) *format {
	for i, f := range formats {
		for _, magic := range f.magic {
			if len(b) >= len(magic) && matches(magic, b) {
				return &formats[i]
			}
		}
	}
	return nil
}

func matches(magic string, b []byte) bool {
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != b[i] {
			return false
		}
	}
	return true
}

// beginning describes a file of no known format.
func beginning(b []byte) string {
	if len(b) == 0 {
		return "an empty file"
	}
	return fmt.Sprintf("a file that begins with %q", b[:min(len(b), 12)])
}

// checkSize refuses a picture before it is allocated: one that Pillow takes for a bomb, and one that so few bytes
// cannot hold, of which the format needs at least one for so many pixels.
func checkSize(w, h int, pixelsPerByte int64, size int) error {
	switch {
	case w <= 0 || h <= 0:
		return fmt.Errorf("%d×%d pixels, expected at least one", w, h)
	case w > maxPixels || h > maxPixels || int64(w)*int64(h) > maxPixels:
		return fmt.Errorf("%d×%d pixels, expected at most %d", w, h, maxPixels)
	case int64(w)*int64(h) > pixelsPerByte*int64(size)+1024:
		return fmt.Errorf("%d×%d pixels in %d bytes: the file is cut short", w, h, size)
	}
	const bytesPerPixel = 8 // as it is decoded, and as RGBA
	if err := memlimit.Need(bytesPerPixel * int64(w) * int64(h)); err != nil {
		return fmt.Errorf("%d×%d pixels: %w, expected a smaller picture", w, h, err)
	}
	return nil
}
