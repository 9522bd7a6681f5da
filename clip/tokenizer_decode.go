package clip

import (
	"strings"
	"unicode/utf8"

	"percept/internal/ftfy"
)

// letterBytes is byteLetters the other way round.
var letterBytes = func() map[rune]byte {
	m := make(map[rune]byte, 256)
	for b, r := range byteLetters {
		m[r] = byte(b)
	}
	return m
}()

// Decode returns the text of ids: a blank after each word, none at the ends, special tokens as they are called, as
// transformers' decode does. It gives Encode's cleaned text back but for its blanks: "3.14" comes out as "3 . 1 4".
// Bytes that are no UTF-8, as of a letter whose tokens were cut, become U+FFFD; ids without token nothing.
func (t *Tokenizer) Decode(ids []int32) string {
	var b []byte
	for _, id := range ids {
		b = t.appendBytes(b, t.tokens[id])
	}
	text := strings.ReplaceAll(validUTF8(b), endOfWord, " ")
	return strings.TrimFunc(text, ftfy.IsSpace)
}

// appendBytes appends the bytes that a token's letters stand for; a token with other letters is text itself.
func (t *Tokenizer) appendBytes(b []byte, token string) []byte {
	before := len(b)
	for _, r := range token {
		c, ok := letterBytes[r]
		if !ok {
			return append(b[:before], token...)
		}
		b = append(b, c)
	}
	return b
}

// validUTF8 replaces each start of a UTF-8 sequence that does not go on, and each other byte that is none, by
// U+FFFD, as Unicode recommends and Python and Rust do.
func validUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			for n < min(len(b), utf8.UTFMax-1) && startsRune(b[:n+1]) { // the longest start of a sequence is replaced as a whole
				n++
			}
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return out.String()
}

// startsRune says whether some bytes that follow b make a character.
func startsRune(b []byte) bool {
	var full [utf8.UTFMax]byte
	// The bounds on the second byte differ from lead to lead; beyond it 80 is as good as any.
	for n := len(b) + 1; n <= utf8.UTFMax; n++ {
		copy(full[:], b)
		for i := len(b); i < n; i++ {
			full[i] = 0x80
		}
		if utf8.Valid(full[:n]) {
			return true
		}
	}
	return false
}
