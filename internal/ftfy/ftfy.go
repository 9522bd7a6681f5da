package ftfy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"percept/internal/htmlentity"
)

// maxSegment is the number of characters that are fixed at once at most; a line is one segment.
const maxSegment = 1_000_000

// A text is gone over as often as it takes, but no further than minWork bytes and maxRounds times its length: only
// text that was written for it, such as a megabyte of nested entities, comes near, and stays half fixed.
const (
	minWork   = 1 << 24
	maxRounds = 64
)

// Fix repairs a text. Bytes that are no UTF-8 become U+FFFD before.
func Fix(text string) string {
	if isPlain(text) {
		return text
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	f := fixer{unescape: true, work: minWork + maxRounds*len(text)}
	var out strings.Builder
	out.Grow(len(text))
	for text != "" {
		segment := firstSegment(text)
		text = text[len(segment):]
		// A "<" says that the text is HTML, whose entities have to stay, from here to its end.
		f.unescape = f.unescape && !strings.Contains(segment, "<")
		out.WriteString(f.fixSegment(segment))
	}
	return out.String()
}

// isPlain says that a text has nothing that could be fixed: printable ASCII without "&".
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c == '&' || c >= 0x7F || c < ' ' && c != '\n' && c != '\t' && c != '\f' {
			return false
		}
	}
	return true
}

// firstSegment returns a text's first line, or the start of one that is too long.
func firstSegment(text string) string {
	if end := strings.IndexByte(text, '\n') + 1; end > 0 {
		text = text[:end]
	}
	if len(text) <= maxSegment {
		return text
	}
	n := 0
	for i := range text {
		if n == maxSegment {
			return text[:i]
		}
		n++
	}
	return text
}

type fixer struct {
	unescape bool
	work     int // bytes that may still be gone over
}

// afford pays for going over n bytes.
func (f *fixer) afford(n int) bool {
	f.work -= n
	return f.work > 0
}

// fixSegment applies all fixes in turn until none changes anything.
func (f *fixer) fixSegment(text string) string {
	for {
		before := text
		if f.unescape {
			text = unescapeHTML(text)
		}
		text = f.fixEncoding(text)
		if !isASCII(text) {
			text = fixCharacters(text)
		}
		text = lineBreaks.Replace(text)
		text = removeTerminalEscapes(text)
		text = removeControls(text)
		text = NFC(text)
		if text == before || !f.afford(len(text)) {
			return text
		}
	}
}

// unescapeHTML decodes the entities that end with a semicolon, and some that were put into upper case.
func unescapeHTML(text string) string {
	const longest = 24 // letters and digits of an entity
	var out strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '&' {
			continue
		}
		end := i + 1
		if end < len(text) && text[end] == '#' {
			end++
		}
		name := end
		for end < len(text) && end-name < longest && (isASCIILetter(rune(text[end])) || '0' <= text[end] && text[end] <= '9') {
			end++
		}
		if end == name || end == len(text) || text[end] != ';' {
			continue
		}
		if char, ok := entity(text[i+1 : end+1]); ok {
			out.WriteString(text[done:i])
			out.WriteString(char)
			done, i = end+1, end
		}
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// entity returns what an entity such as "eacute;" or "#233;" stands for.
func entity(name string) (string, bool) {
	if name[0] == '#' {
		char := htmlentity.Unescape("&" + name)
		return char, !strings.Contains(char, ";") // else only the start of it was a number, or it is ";" itself
	}
	if char, ok := htmlentity.Lookup(name); ok {
		return char, true
	}
	// EACUTE; is no entity, but eacute; is.
	if lower := strings.ToLower(name); name == strings.ToUpper(name) && htmlentity.Unescape("&"+name) == "&"+name {
		if char, ok := htmlentity.Lookup(lower); ok {
			return upper(char), true
		}
	}
	return "", false
}

// upperSpecial are the letters of entities whose upper case is more than one letter.
var upperSpecial = strings.NewReplacer("ß", "SS", "ŉ", "ʼN", "ﬀ", "FF", "ﬁ", "FI", "ﬂ", "FL", "ﬃ", "FFI", "ﬄ", "FFL")

func upper(s string) string { return strings.ToUpper(upperSpecial.Replace(s)) }

// fixCharacters replaces characters for themselves: C1 controls, ligatures, full and half width forms, curly
// quotes, in this order.
func fixCharacters(text string) string {
	text = controls1252(text)
	var out strings.Builder
	out.Grow(len(text))
	for _, r := range text {
		if parts, ok := ligatures[r]; ok {
			for _, p := range parts {
				out.WriteRune(straight(p))
			}
			continue
		}
		switch {
		case r == 0x3000: // ideographic space
			out.WriteByte(' ')
		case 0xFF01 <= r && r < 0xFFF0:
			for _, p := range norm.NFKC.String(string(r)) {
				out.WriteRune(straight(p))
			}
		default:
			out.WriteRune(straight(r))
		}
	}
	return out.String()
}

// straight returns the straight form of a curly quote, other characters as they are.
func straight(r rune) rune {
	switch {
	case r == 0x02BC || 0x2018 <= r && r <= 0x201B:
		return '\''
	case 0x201C <= r && r <= 0x201F:
		return '"'
	}
	return r
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")

// removeTerminalEscapes removes what sets colours on a terminal: ESC, "[", numbers, a letter.
func removeTerminalEscapes(text string) string {
	var out strings.Builder
	for {
		i := strings.Index(text, "\x1b[")
		if i < 0 {
			break
		}
		end := i + 2
		for end < len(text) {
			r, size := utf8.DecodeRuneInString(text[end:])
			if r != ';' && !unicode.Is(unicode.Nd, r) {
				break
			}
			end += size
		}
		if end < len(text) && isASCIILetter(rune(text[end])) {
			out.WriteString(text[:i])
			text = text[end+1:]
			continue
		}
		out.WriteString(text[:end]) // what was read holds no other escape
		text = text[end:]
	}
	if out.Len() == 0 {
		return text
	}
	out.WriteString(text)
	return out.String()
}

// removeControls removes characters without a shape or a meaning in text.
func removeControls(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20 && r != '\t' && r != '\n' && r != '\f' && r != '\r', r == 0x7F,
			0x206A <= r && r <= 0x206F, // deprecated
			r == 0xFEFF,                // byte order mark
			0xFFF9 <= r && r <= 0xFFFC: // annotations, objects
			return -1
		}
		return r
	}, text)
}
