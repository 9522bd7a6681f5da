package clip

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalise is NFC, each run of white space to one blank, lower case, rune by rune: a final sigma stays σ,
// and İ is the one letter that becomes two.
func normalise(text string) string {
	var b strings.Builder
	space := false
	for _, r := range norm.NFC.String(text) {
		if unicode.IsSpace(r) {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		space = false
		if r == 'İ' {
			b.WriteString("i\u0307")
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// split cuts a normalised text into the pieces that merges never cross, by CLIP's pattern
//
//	's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
//
// In transformers' pattern the special tokens come first. In a normalised text they can only stem from
// upper case letters, which makes them no special tokens; they are cut out and cut up again.
func split(text string) []string {
	var pieces []string
	for text != "" {
		if n := specialLen(text); n > 0 {
			pieces = append(pieces, text[:2], text[2:n-2], text[n-2:n]) // "<|", the word, "|>"
			text = text[n:]
			continue
		}
		n := contractionLen(text)
		if n == 0 {
			var r rune
			r, n = utf8.DecodeRuneInString(text)
			switch class := classOf(r); class {
			case classSpace:
				text = text[n:]
				continue
			case classNumber: // one at a time
			default:
				n += runLen(text[n:], class)
			}
		}
		pieces = append(pieces, text[:n])
		text = text[n:]
	}
	return pieces
}

// specialLen returns the length of a special token at the start of text, 0 if there is none.
func specialLen(text string) int {
	for _, s := range []string{StartOfText, EndOfText} {
		if strings.HasPrefix(text, s) {
			return len(s)
		}
	}
	return 0
}

// contractionLen returns the length of an English contraction at the start of text, 0 if there is none.
func contractionLen(text string) int {
	for _, c := range []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(text, c) {
			return len(c)
		}
	}
	return 0
}

type runeClass int

const (
	classOther runeClass = iota // neither of the following: punctuation, symbols, marks, controls
	classLetter
	classNumber
	classSpace
)

func classOf(r rune) runeClass {
	switch {
	case unicode.IsLetter(r):
		return classLetter
	case unicode.IsNumber(r):
		return classNumber
	case unicode.IsSpace(r):
		return classSpace
	}
	return classOther
}

// runLen returns the bytes at the start of text that are of one class.
func runLen(text string, class runeClass) int {
	for i, r := range text {
		if classOf(r) != class {
			return i
		}
	}
	return len(text)
}
