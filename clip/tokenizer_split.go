package clip

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// appendText appends the tokens of a cleaned text, cut into the pieces that merges never cross by CLIP's pattern
//
//	<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
//
// OpenAI and the CLIPTokenizer of 2022 ignore case in it, by which ſ is an s, and take the special tokens for
// themselves. In transformers today they stem from upper case letters if they come up here; those are cut up again.
func (t *Tokenizer) appendText(ids []int32, text string) []int32 {
	fold := t.cleaning.ignoresCase()
	for text != "" {
		if n := specialLen(text, fold); n > 0 {
			if !fold {
				ids = t.appendWord(ids, text[:2]) // <|
				ids = t.appendWord(ids, text[2:n-2])
				ids = t.appendWord(ids, text[n-2:n]) // |>
			} else if text[:n] == StartOfText || text[:n] == EndOfText {
				ids = append(ids, t.vocab[text[:n]])
			} else {
				ids = t.appendWord(ids, text[:n])
			}
			text = text[n:]
			continue
		}
		n := contractionLen(text, fold)
		if n == 0 {
			var r rune
			r, n = utf8.DecodeRuneInString(text)
			switch class := classOf(r, fold); class {
			case classSpace:
				text = text[n:]
				continue
			case classNumber: // one at a time
			default:
				n += runLen(text[n:], class, fold)
			}
		}
		ids = t.appendWord(ids, text[:n])
		text = text[n:]
	}
	return ids
}

// specialLen returns the length of a special token at the start of text, 0 if there is none.
func specialLen(text string, fold bool) int {
	if text[0] != '<' {
		return 0
	}
	return max(prefixLen(text, StartOfText, fold), prefixLen(text, EndOfText, fold))
}

// contractionLen returns the length of an English contraction at the start of text, 0 if there is none.
func contractionLen(text string, fold bool) int {
	if text[0] != '\'' {
		return 0
	}
	for _, c := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if n := prefixLen(text, c, fold); n > 0 {
			return n
		}
	}
	return 0
}

// prefixLen returns the length of a prefix at the start of text, 0 if it is not there; with fold an s of the
// prefix may be ſ in the text, which is the only other letter in lower case that matches one of the pattern's.
func prefixLen(text, prefix string, fold bool) int {
	n := 0
	for i := range len(prefix) {
		switch {
		case n < len(text) && text[n] == prefix[i]:
			n++
		case fold && prefix[i] == 's' && strings.HasPrefix(text[n:], "ſ"):
			n += len("ſ")
		default:
			return 0
		}
	}
	return n
}

type runeClass int

const (
	classOther runeClass = iota // neither of the following: punctuation, symbols, marks, controls
	classLetter
	classNumber
	classSpace
)

// classOf returns the class of a character. With case ignored, Python's regex lets the combining iota U+0345
// match none of the pattern's classes, neither as the mark that it is nor as the letter whose upper case it
// shares: it separates words like a blank.
func classOf(r rune, fold bool) runeClass {
	switch {
	case r < utf8.RuneSelf:
		return asciiClass[r]
	case unicode.IsLetter(r):
		return classLetter
	case unicode.IsNumber(r):
		return classNumber
	case unicode.IsSpace(r), fold && r == 0x0345:
		return classSpace
	}
	return classOther
}

var asciiClass = func() (table [utf8.RuneSelf]runeClass) {
	for r := range rune(utf8.RuneSelf) {
		switch {
		case unicode.IsLetter(r):
			table[r] = classLetter
		case unicode.IsNumber(r):
			table[r] = classNumber
		case unicode.IsSpace(r):
			table[r] = classSpace
		}
	}
	return table
}()

// runLen returns the bytes at the start of text that are of one class.
func runLen(text string, class runeClass, fold bool) int {
	for i, r := range text {
		if classOf(r, fold) != class {
			return i
		}
	}
	return len(text)
}
