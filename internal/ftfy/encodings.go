package ftfy

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// substitute is the byte that a sloppy encoding reads as U+FFFD.
const substitute = 0x1A

// encoding is one of a byte a character; ASCII is the same in all.
type encoding struct {
	name   string
	sloppy bool
	high   [128]rune     // what bytes 80 to FF stand for
	bytes  map[rune]byte // the other way round
}

var encodings = sync.OnceValue(func() []*encoding {
	var list []*encoding
	for _, t := range encodingTables {
		e := &encoding{name: t.name, sloppy: t.sloppy, bytes: make(map[rune]byte, 129)}
		i := 0
		for _, r := range t.high {
			e.high[i] = r
			e.bytes[r] = byte(0x80 + i)
			i++
		}
		if t.sloppy {
			e.bytes[utf8.RuneError] = substitute
		}
		list = append(list, e)
	}
	return list
})

const windows1252 = 1 // index of encodings

// encode returns the bytes that would be read as text; ok is false where there are none.
func (e *encoding) encode(text string) (b []byte, ok bool) {
	b = make([]byte, 0, len(text))
	for _, r := range text {
		if r < 0x80 && !(e.sloppy && r == substitute) {
			b = append(b, byte(r))
			continue
		}
		c, ok := e.bytes[r]
		if !ok {
			return nil, false
		}
		b = append(b, c)
	}
	return b, true
}

// controls1252 reads C1 controls as sloppy Windows-1252 does.
func controls1252(text string) string {
	return strings.Map(func(r rune) rune {
		if 0x80 <= r && r <= 0x9F {
			return encodings()[windows1252].high[r-0x80]
		}
		return r
	}, text)
}

// decodeVariants reads UTF-8 that may hold characters as pairs of surrogates of three bytes each (CESU-8) and
// U+0000 as C0 80 (Java). ftfy finds those two by a pattern whose "end of text" also fits before a final line
// break; so C0, and a pair without its last byte, swallow that line break, and so they do here.
func decodeVariants(b []byte) (string, bool) {
	var out strings.Builder
	for len(b) > 0 {
		switch {
		case b[0] == 0xC0:
			if len(b) < 2 || b[1] != 0x80 && !(b[1] == '\n' && len(b) == 2) {
				return "", false
			}
			out.WriteByte(0)
			b = b[2:]
		case b[0] == 0xED && len(b) >= 6 && isSurrogatePair(b):
			out.WriteRune(0x10000 + rune(b[1]&0x0F)<<16 + rune(b[2]&0x3F)<<10 + rune(b[4]&0x0F)<<6 + rune(b[5]&0x3F))
			b = b[6:]
		default:
			r, n := utf8.DecodeRune(b)
			if r == utf8.RuneError && n <= 1 {
				return "", false
			}
			out.WriteRune(r)
			b = b[n:]
		}
	}
	return out.String(), true
}

// isSurrogatePair says whether b, of 6 bytes at least, begins with the two surrogates of one character.
func isSurrogatePair(b []byte) bool {
	last := b[5]&0xC0 == 0x80 || b[5] == '\n' && len(b) == 6
	return b[0] == 0xED && b[1]&0xF0 == 0xA0 && b[2]&0xC0 == 0x80 && b[3] == 0xED && b[4]&0xF0 == 0xB0 && last
}
