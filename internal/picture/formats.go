package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/gif"
	"image/png"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// inflates is how many bytes one byte of deflated data makes at most.
const inflates = 1032

func decodePNG(b []byte) (image.Image, error) {
	c, err := png.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	head := b[16:] // IHDR's data: DecodeConfig has read it
	depth, kind := int64(head[8]), head[9]
	samples := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
	if err := checkSize(c.Width, c.Height, max(inflates*8/(depth*samples), 1), len(b)); err != nil {
		return nil, err
	}
	m, err := png.Decode(bytes.NewReader(b))
	if n, ok := m.(*image.NRGBA64); ok && kind == 0 { // 16-bit grey with a transparent level
		grey := image.NewGray16(n.Rect)
		for i := 0; i < len(grey.Pix); i += 2 {
			copy(grey.Pix[i:i+2], n.Pix[4*i:])
		}
		m = grey
	}
	return m, err
}

// decodeGIF returns the first frame on its screen. What lies beside the frame has the colour of the transparent entry, or
// of entry 0.
func decodeGIF(b []byte) (image.Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	const expands = 4096 * 8 / 3 // a code of at least 3 bits is at most 4096 pixels
	if err := checkSize(c.Width, c.Height, expands, len(b)); err != nil {
		return nil, err
	}
	b, beside := withoutTransparency(b)
	m, err := gif.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	screen := image.Rect(0, 0, c.Width, c.Height)
	p, ok := m.(*image.Paletted)
	if !ok || p.Rect == screen {
		return m, nil
	}
	out := image.NewPaletted(screen, p.Palette)
	for i := range out.Pix {
		out.Pix[i] = beside
	}
	for y := p.Rect.Min.Y; y < p.Rect.Max.Y; y++ {
		copy(out.Pix[out.PixOffset(p.Rect.Min.X, y):], p.Pix[p.PixOffset(p.Rect.Min.X, y):][:p.Rect.Dx()])
	}
	return out, nil
}

// withoutTransparency is a GIF file whose first frame's transparent entry keeps its colour; entry is its number, or 0.
func withoutTransparency(b []byte) (file []byte, entry byte) {
	const head = 13
	at := head
	if len(b) > head && b[10]&0x80 != 0 {
		at += 3 << (b[10]&7 + 1) // the global palette
	}
	for at+6 < len(b) && b[at] == 0x21 {
		if b[at+1] == 0xf9 && b[at+3]&1 != 0 { // graphic control
			entry = b[at+6]
			b = bytes.Clone(b)
			b[at+3] &^= 1
		}
		for at += 2; at < len(b) && b[at] != 0; { // blocks of data up to an empty one
			at += 1 + int(b[at])
		}
		at++
	}
	return b, entry
}

func decodeBMP(b []byte) (image.Image, error) {
	c, err := bmp.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if err := checkSize(c.Width, c.Height, 8, len(b)); err != nil {
		return nil, err
	}
	return bmp.Decode(bytes.NewReader(b))
}

// Tags of TIFF, section 8 of its specification.
const (
	tagWidth, tagHeight          = 256, 257
	tagCompression               = 259
	tagPhotometric               = 262
	tagFillOrder, tagOrientation = 266, 274
	tagSamples, tagPlanar        = 277, 284
	tagSampleFormat              = 339
)

func decodeTIFF(b []byte) (image.Image, error) {
	dir, ok := readIFD(b)
	if !ok {
		return nil, fmt.Errorf("no directory of tags at the place that the header names")
	}
	value := func(tag uint16, otherwise uint32) uint32 {
		if v, ok := dir[tag]; ok {
			return v
		}
		return otherwise
	}
	// What golang.org/x/image/tiff would misread without a word.
	if v := value(tagPlanar, 1); v != 1 && value(tagSamples, 1) != 1 {
		return nil, fmt.Errorf("planar configuration %d, expected interleaved samples (1)", v)
	}
	if v := value(tagSampleFormat, 1); v != 1 {
		return nil, fmt.Errorf("sample format %d, expected unsigned integers (1)", v)
	}
	compression := value(tagCompression, 1)
	fax := compression == 3 || compression == 4
	if v := value(tagFillOrder, 1); v != 1 && !fax {
		return nil, fmt.Errorf("fill order %d, expected the highest bit first (1)", v)
	}
	w, h := int64(value(tagWidth, 0)), int64(value(tagHeight, 0))
	perByte := int64(8) // pixels that a byte holds
	switch compression {
	case 5:
		perByte *= 4096 * 8 / 9
	case 8, 32946:
		perByte *= inflates
	case 32773:
		perByte *= 64
	}
	if fax { // a row takes a bit at least
		if h > 8*int64(len(b)) {
			return nil, fmt.Errorf("%d rows in %d bytes: the file is cut short", h, len(b))
		}
		perByte = maxPixels
	}
	if err := checkSize(int(w), int(h), perByte, len(b)); err != nil {
		return nil, err
	}
	m, err := tiff.Decode(bytes.NewReader(b))
	if g, ok := m.(*image.Gray); ok && fax && value(tagPhotometric, 0) == 1 {
		// The fax codes' white is a 0, which is black here; libtiff sees it so, x/image does not.
		for i := range g.Pix {
			g.Pix[i] ^= 255
		}
	}
	if g, ok := m.(*image.Gray16); ok && value(tagPhotometric, 1) == 0 {
		for i := range g.Pix { // Pillow takes 16-bit grey as it is, also where white is 0
			g.Pix[i] ^= 255
		}
	}
	return m, err
}

// readIFD returns the first value of every whole-number tag of a TIFF file's, or an EXIF block's, first directory.
func readIFD(b []byte) (map[uint16]uint32, bool) {
	if len(b) < 8 {
		return nil, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(b[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return nil, false
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return nil, false
	}
	entries := b[at+2:]
	entries = entries[:min(12*int(order.Uint16(b[at:])), len(entries))]
	dir := map[uint16]uint32{}
	for ; len(entries) >= 12; entries = entries[12:] {
		tag, kind, count := order.Uint16(entries), order.Uint16(entries[2:]), uint64(order.Uint32(entries[4:]))
		size := uint64(0)
		switch kind {
		case 3, 8: // SHORT, SSHORT
			size = 2
		case 4, 9: // LONG, SLONG
			size = 4
		}
		data := entries[8:12]
		if size*count > 4 {
			from := uint64(order.Uint32(data))
			if from+size > uint64(len(b)) {
				continue
			}
			data = b[from:]
		}
		switch {
		case size == 0 || count == 0:
		case size == 2:
			dir[tag] = uint32(order.Uint16(data))
		default:
			dir[tag] = order.Uint32(data)
		}
	}
	return dir, true
}
