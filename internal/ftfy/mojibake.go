package ftfy

import (
	"bytes"
	"strings"
	"sync"
	"unicode/utf8"
)

// fixEncoding undoes wrong decodings until none is left.
func (f *fixer) fixEncoding(text string) string {
	for {
		fixed := f.fixEncodingOnce(text)
		if fixed == text || !f.afford(len(fixed)) {
			return fixed
		}
		text = fixed
	}
}

// fixEncodingOnce undoes one wrong decoding, in ftfy's order of what is likely.
func (f *fixer) fixEncodingOnce(text string) string {
	if isASCII(text) || !isBad(text) {
		return text
	}
	// The whole text is UTF-8 that was read in an encoding of one byte a character.
	for _, e := range encodings() {
		b, ok := e.encode(text)
		if !ok {
			continue
		}
		if fixed, ok := decodeAltered(e, b); ok {
			return fixed
		}
	}
	// Parts of it are.
	if fixed := f.fixParts(text); fixed != text {
		return fixed
	}
	// Windows-1252 was read as Latin-1, or some of its bytes were.
	return controls1252(text)
}

// decodeAltered reads the bytes of a text as UTF-8, after what else may have happened to them.
func decodeAltered(e *encoding, b []byte) (string, bool) {
	if e.name != "macroman" { // where it would take a dash and a blank for a letter
		b, _ = restoreA0(b)
	}
	if e.sloppy {
		b = replaceLossy(b)
	}
	if bytes.IndexByte(b, 0xED) >= 0 || bytes.IndexByte(b, 0xC0) >= 0 {
		return decodeVariants(b)
	}
	return string(b), utf8.Valid(b) // no surrogates, no long forms
}

// role says what part of a UTF-8 sequence a character may stand for, when it was read in a wrong encoding.
type role uint8

const (
	starts2 role = 1 << iota
	starts3
	starts4
	continues
	strictlyContinues
)

var roles = sync.OnceValue(func() map[rune]role {
	m := map[rune]role{}
	for _, t := range []struct {
		chars string
		role  role
	}{{firstOf2, starts2}, {firstOf3, starts3}, {firstOf4, starts4}, {continuation, continues}, {continuationStrict, strictlyContinues}} {
		for _, r := range t.chars {
			m[r] |= t.role
		}
	}
	return m
})

// sequencesLen returns the length in bytes of the run of sequences at the start of text that look like UTF-8.
func sequencesLen(text string, roles map[rune]role) int {
	n := 0
	for n < len(text) {
		first, size := utf8.DecodeRuneInString(text[n:])
		role := roles[first]
		found := 0
		for more := range 3 {
			if role&(starts2<<more) != 0 {
				if k := continuationsLen(text[n+size:], more+1, roles); k > 0 {
					found = size + k
					break
				}
			}
		}
		if found == 0 {
			break
		}
		n += found
	}
	return n
}

// continuationsLen returns the length in bytes of count continuations at the start of text, 0 if there are less.
func continuationsLen(text string, count int, roles map[rune]role) int {
	n := 0
	for range count {
		r, size := utf8.DecodeRuneInString(text[n:])
		if roles[r]&continues == 0 {
			return 0
		}
		n += size
	}
	return n
}

// fixParts fixes the parts of a text that look like UTF-8 read in a wrong encoding, each for itself. A part
// that follows a likely continuation is left alone: it is the middle of some other garble.
func (f *fixer) fixParts(text string) string {
	roles := roles()
	var out strings.Builder
	done := 0
	before := role(0)
	for i := 0; i < len(text); {
		n := 0
		if before&strictlyContinues == 0 {
			n = sequencesLen(text[i:], roles)
		}
		if n == 0 {
			r, size := utf8.DecodeRuneInString(text[i:])
			before = roles[r]
			i += size
			continue
		}
		part := text[i : i+n]
		if n < len(text) && isBad(part) {
			out.WriteString(text[done:i])
			out.WriteString(f.fixEncoding(part))
			done = i + n
		}
		i += n
		last, _ := utf8.DecodeLastRuneInString(part)
		before = roles[last]
	}
	out.WriteString(text[done:])
	return out.String()
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
