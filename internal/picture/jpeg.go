package picture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// The standard library's JPEG decoder has an inverse DCT of its own and repeats chroma samples; what libjpeg-turbo makes
// of the same file differs by up to 70 levels at coloured edges. Hence this one: baseline, extended and progressive
// Huffman files of 8 bits (ITU-T T.81), each step rounded as libjpeg-turbo rounds it. It is stricter with broken files:
// where libjpeg warns and goes on with grey, this is an error.

// jpegImage is a JPEG file while it is read.
type jpegImage struct {
	data []byte // what follows

	w, h        int
	progressive bool
	comps       []*jpegComponent
	hMax, vMax  int // largest sampling factors
	mcuW, mcuH  int // the picture in units that are interleaved

	quant    [4]*[64]int32 // in natural order
	dc, ac   [4]*huffman
	interval int // units between restart markers; 0 for none
	jfif     bool
	adobe    int // colour transform of an Adobe segment, -1 for none
	scans    int
}

// jpegComponent is one colour.
type jpegComponent struct {
	id, quantID byte
	h, v        int // sampling factors
	w, rows     int // its samples
	bw, bh      int // its blocks
	stride      int // of plane, whole interleaved units
	plane       []byte
	coef        []int16 // of a progressive file, 64 a block
	quant       *[64]int32
	dc, ac      *huffman // of the current scan
	pred        int32    // last DC value
	missing     [64]int  // bits of each coefficient that no scan has given
}

// Markers of table B.1.
const (
	mSOF0, mSOF1, mSOF2 = 0xc0, 0xc1, 0xc2
	mDHT, mSOI, mEOI    = 0xc4, 0xd8, 0xd9
	mSOS, mDQT, mDRI    = 0xda, 0xdb, 0xdd
	mRST0, mRST7        = 0xd0, 0xd7
	mAPP0, mAPP14       = 0xe0, 0xee
)

// maxScans bounds the work that a small file can make; encoders write about ten.
const maxScans = 200

var errCutShort = errors.New("the file is cut short")

func decodeJPEG(b []byte) (image.Image, error) {
	j := &jpegImage{data: b[2:], adobe: -1}
	for {
		marker, err := j.next()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == mEOI:
			return j.finish()
		case marker == mSOI || marker == 0x01 || marker >= mRST0 && marker <= mRST7:
			continue // no length; RST may be left over
		}
		body, err := j.body()
		if err != nil {
			return nil, err
		}
		switch {
		case marker == mSOF0 || marker == mSOF1 || marker == mSOF2:
			err = j.frame(body, marker == mSOF2)
		case marker == mDHT:
			err = j.huffmanTables(body)
		case marker == mDQT:
			err = j.quantTables(body)
		case marker == mDRI:
			if len(body) != 2 {
				return nil, fmt.Errorf("restart interval of %d bytes, expected 2", len(body))
			}
			j.interval = int(binary.BigEndian.Uint16(body))
		case marker == mSOS:
			err = j.scan(body)
		case marker == mAPP0:
			j.jfif = j.jfif || len(body) >= 14 && string(body[:5]) == "JFIF\x00"
		case marker == mAPP14:
			if len(body) >= 12 && string(body[:5]) == "Adobe" {
				j.adobe = int(body[11])
			}
		case marker > mSOF2 && marker < 0xd0 && marker != 0xc8 && marker != 0xcc:
			err = fmt.Errorf("coded by process SOF%d, expected Huffman coding of 8 bits (SOF0, SOF1 or SOF2)", marker-mSOF0)
		}
		if err != nil {
			return nil, err
		}
	}
}

// next returns the next marker; what lies before it is skipped, as libjpeg does.
func (j *jpegImage) next() (byte, error) {
	for i := 0; i+1 < len(j.data); i++ {
		if j.data[i] == 0xff && j.data[i+1] != 0 && j.data[i+1] != 0xff {
			marker := j.data[i+1]
			j.data = j.data[i+2:]
			return marker, nil
		}
	}
	return 0, errCutShort
}

// body returns what a marker's length says belongs to it.
func (j *jpegImage) body() ([]byte, error) {
	if len(j.data) < 2 {
		return nil, errCutShort
	}
	n := int(binary.BigEndian.Uint16(j.data))
	if n < 2 {
		return nil, fmt.Errorf("a segment of %d bytes, expected at least 2", n)
	}
	if n > len(j.data) {
		return nil, errCutShort
	}
	b := j.data[2:n]
	j.data = j.data[n:]
	return b, nil
}

// frame reads SOF: the size and the components.
func (j *jpegImage) frame(b []byte, progressive bool) error {
	if j.comps != nil {
		return errors.New("a second frame, expected one")
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return fmt.Errorf("frame of %d bytes, expected 6 and 3 a component", len(b))
	}
	if b[0] != 8 {
		return fmt.Errorf("%d bits a sample, expected 8", b[0])
	}
	j.h, j.w, j.progressive = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:])), progressive
	n := int(b[5])
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d components, expected 1, 3 or 4", n)
	}
	if err := checkSize(j.w, j.h, maxPixels, len(j.data)); err != nil {
		return err
	}
	j.hMax, j.vMax = 1, 1
	var comps []*jpegComponent
	for b = b[6:]; len(b) > 0; b = b[3:] {
		c := &jpegComponent{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), quantID: b[2]}
		for k := range c.missing {
			c.missing[k] = 16
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quantID > 3 {
			return fmt.Errorf("component %d: sampling %d×%d, quantisation table %d; expected 1 to 4 and 0 to 3", c.id, c.h, c.v, c.quantID)
		}
		j.hMax, j.vMax = max(j.hMax, c.h), max(j.vMax, c.v)
		comps = append(comps, c)
	}
	j.mcuW, j.mcuH = ceil(j.w, 8*j.hMax), ceil(j.h, 8*j.vMax)
	blocks := 0
	for _, c := range comps {
		if j.hMax%c.h != 0 || j.vMax%c.v != 0 {
			return fmt.Errorf("component %d: sampling %d×%d of %d×%d, expected whole quotients", c.id, c.h, c.v, j.hMax, j.vMax)
		}
		c.w, c.rows = ceil(j.w*c.h, j.hMax), ceil(j.h*c.v, j.vMax)
		c.bw, c.bh = ceil(c.w, 8), ceil(c.rows, 8)
		blocks += c.bw * c.bh
	}
	codes := 2 // a block takes a code for DC and one for AC, each of a bit at least
	if progressive {
		codes = 1
	}
	if blocks*codes > 8*len(j.data) {
		return fmt.Errorf("%d blocks of 8×8 pixels in %d bytes: the file is cut short", blocks, len(j.data))
	}
	for _, c := range comps {
		c.stride = j.mcuW * c.h * 8
		if progressive {
			c.coef = make([]int16, c.stride*j.mcuH*c.v*8)
		} else {
			c.plane = make([]byte, c.stride*j.mcuH*c.v*8)
		}
	}
	j.comps = comps
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// zigzag is the natural place of each coefficient, figure A.6.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// quantTables reads DQT.
func (j *jpegImage) quantTables(b []byte) error {
	for len(b) > 0 {
		id, wide := b[0]&15, b[0]>>4
		n := 64 * (1 + int(wide))
		if id > 3 || wide > 1 || len(b) < 1+n {
			return fmt.Errorf("quantisation table %d of %d bytes, expected 0 to 3 and %d", id, len(b)-1, n)
		}
		var t [64]int32
		for i, at := range zigzag {
			if wide == 0 {
				t[at] = int32(b[1+i])
			} else {
				t[at] = int32(binary.BigEndian.Uint16(b[1+2*i:]))
			}
		}
		j.quant[id] = &t
		b = b[1+n:]
	}
	return nil
}

// huffmanTables reads DHT.
func (j *jpegImage) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]&15 > 3 || b[0]>>4 > 1 {
			return fmt.Errorf("a Huffman table %#x of %d bytes, expected class 0 or 1, number 0 to 3, 16 counts", b[0], len(b)-1)
		}
		n := 0
		for _, v := range b[1:17] {
			n += int(v)
		}
		if n > 256 || len(b) < 17+n {
			return fmt.Errorf("a Huffman table of %d codes in %d bytes", n, len(b)-17)
		}
		t, err := newHuffman(b[1:17], b[17:17+n])
		if err != nil {
			return err
		}
		if id := b[0] & 15; b[0]>>4 == 0 {
			for _, v := range b[17 : 17+n] {
				if v > 15 {
					return fmt.Errorf("a Huffman table of DC differences of %d bits, expected at most 15", v)
				}
			}
			j.dc[id] = t
		} else {
			j.ac[id] = t
		}
		b = b[17+n:]
	}
	return nil
}

// finish turns the coefficients into samples and the samples into colours.
func (j *jpegImage) finish() (image.Image, error) {
	if j.comps == nil {
		return nil, errors.New("no frame, expected a picture before the end")
	}
	for i, c := range j.comps {
		if c.quant == nil {
			return nil, fmt.Errorf("component %d of %d is in no scan", i+1, len(j.comps))
		}
		if !j.progressive {
			continue
		}
		for k, bits := range c.missing[:10] { // libjpeg would guess these from the neighbours
			if bits > 0 {
				return nil, fmt.Errorf("progressive scans that give all bits of coefficient %d of component %d are missing", k, i+1)
			}
		}
		c.plane = make([]byte, len(c.coef))
		across := c.stride / 8
		parallel(len(c.coef)/64/across, c.stride*8, func(from, to int) {
			for by := from; by < to; by++ {
				for bx := range across {
					block := (*[64]int16)(c.coef[64*(by*across+bx):])
					idct(block, c.quant, c.plane[8*(by*c.stride+bx):], c.stride)
				}
			}
		})
		c.coef = nil
	}
	return j.colours(), nil
}
