package picture

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"image"
	"regexp"
	"strings"
)

// orient turns a picture as EXIF's Orientation says: 1 is upright, 2 … 8 name where the first row and column are.
func orient(m *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	outW, outH := w, h
	if orientation >= 5 {
		outW, outH = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, outW, outH))
	for y := range outH {
		row := out.Pix[y*out.Stride:]
		for x := range outW {
			sx, sy := x, y
			switch orientation {
			case 2: // mirrored
				sx = w - 1 - x
			case 3: // upside down
				sx, sy = w-1-x, h-1-y
			case 4: // mirrored upside down
				sy = h - 1 - y
			case 5: // transposed
				sx, sy = y, x
			case 6: // to be turned clockwise
				sx, sy = y, h-1-x
			case 7: // transposed about the other diagonal
				sx, sy = w-1-y, h-1-x
			case 8: // to be turned anticlockwise
				sx, sy = w-1-y, x
			}
			copy(row[4*x:4*x+4], m.Pix[sy*m.Stride+4*sx:])
		}
	}
	return out
}

// orientationOf looks for an orientation as Pillow does: in the EXIF block, and where that has none, in XMP.
func orientationOf(exif, xmp []byte) int {
	for bytes.HasPrefix(exif, []byte("Exif\x00\x00")) {
		exif = exif[6:]
	}
	if dir, ok := readIFD(exif); ok {
		if v, ok := dir[tagOrientation]; ok {
			return int(v)
		}
	}
	if found := xmpOrientation.FindSubmatch(xmp); found != nil {
		return int(found[1][0] - '0')
	}
	return 0
}

var xmpOrientation = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

func orientationTIFF(b []byte) int { return orientationOf(b, nil) }

// orientationJPEG reads APP1 segments up to the first scan.
func orientationJPEG(b []byte) int {
	const xmpHead = "http://ns.adobe.com/xap/1.0/\x00"
	var exif, xmp []byte
	for s := range jpegSegments(b) {
		if s.marker != 0xe1 {
			continue
		}
		if rest, ok := bytes.CutPrefix(s.data, []byte("Exif\x00\x00")); ok {
			exif = append(exif, rest...)
		} else if rest, ok := bytes.CutPrefix(s.data, []byte(xmpHead)); ok {
			xmp = rest
		}
	}
	return orientationOf(exif, xmp)
}

type segment struct {
	marker byte
	data   []byte
}

// jpegSegments yields the segments of a JPEG file up to its first scan.
func jpegSegments(b []byte) func(yield func(segment) bool) {
	return func(yield func(segment) bool) {
		for at := 2; at+4 <= len(b); {
			if b[at] != 0xff {
				at++
				continue
			}
			marker := b[at+1]
			switch {
			case marker == 0xff: // fill byte
				at++
				continue
			case marker == 0x00 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd8:
				at += 2
				continue
			case marker == 0xd9 || marker == 0xda:
				return
			}
			n := int(binary.BigEndian.Uint16(b[at+2:]))
			if n < 2 || at+2+n > len(b) || !yield(segment{marker, b[at+4 : at+2+n]}) {
				return
			}
			at += 2 + n
		}
	}
}

// orientationPNG reads the eXIf chunk, or what ImageMagick writes as text, or XMP.
func orientationPNG(b []byte) int {
	var exif, xmp []byte
	profile := ""
	for c, err := range pngChunks(b) {
		if err != nil {
			break
		}
		switch c.kind {
		case "eXIf":
			exif = c.data
		case "tEXt", "zTXt", "iTXt":
			switch t, err := parseText(c, maxText); {
			case err != nil:
			case t.Key == "XML:com.adobe.xmp":
				xmp = []byte(t.Value)
			case t.Key == "Raw profile type exif":
				profile = t.Value
			}
		}
	}
	if exif == nil && profile != "" { // three lines of head, then hexadecimal lines
		if lines := strings.Split(profile, "\n"); len(lines) > 3 {
			exif, _ = hex.DecodeString(strings.Join(lines[3:], "")) // broken: none
		}
	}
	return orientationOf(exif, xmp)
}
