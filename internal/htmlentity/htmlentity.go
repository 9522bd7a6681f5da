// Package htmlentity decodes HTML's character references as Python's html.unescape does, which follows the HTML 5
// standard a little differently from Go's package html.
package htmlentity

import (
	"html"
	"strings"
	"unicode/utf8"
)

// Lookup returns what a named reference stands for. The name is without "&"; "eacute;" and, for the names of
// old HTML, "eacute" without the semicolon are two names.
func Lookup(name string) (string, bool) {
	if len(name) < 2 || len(name) > longestName || !isName(name) {
		return "", false
	}
	switch name {
	case "semi;":
		return ";", true
	case "nGt;": // html leaves out the two that are longer than their names
		return "≫⃒", true
	case "nLt;":
		return "≪⃒", true
	}
	// html holds the standard's table and takes the longest name that fits. With a semicolon the whole fits
	// if the semicolon is gone; without, if one character is left, as those names stand for one each.
	char := html.UnescapeString("&" + name)
	if strings.HasSuffix(name, ";") {
		return char, !strings.HasSuffix(char, ";")
	}
	return char, utf8.RuneCountInString(char) == 1
}

// longestName is the length of "CounterClockwiseContourIntegral;".
const longestName = 32

// isName says whether a name has the letters and digits of one, and a semicolon at its end at most.
func isName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && !(c == ';' && i == len(name)-1) {
			return false
		}
	}
	return true
}

// Unescape decodes all references of a text, once.
func Unescape(text string) string {
	at := strings.IndexByte(text, '&')
	if at < 0 {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	for at >= 0 {
		out.WriteString(text[:at])
		text = text[at+1:]
		var n int
		if strings.HasPrefix(text, "#") {
			n = writeNumber(&out, text)
		} else {
			n = writeNamed(&out, text)
		}
		text = text[n:]
		at = strings.IndexByte(text, '&')
	}
	out.WriteString(text)
	return out.String()
}

// writeNumber writes what a numeric reference stands for and returns its length after "&". Text that is none
// is left, but for its "&", which is written.
func writeNumber(out *strings.Builder, text string) int {
	const tooBig = utf8.MaxRune + 1
	base, n := 10, 1
	if len(text) > 1 && (text[1] == 'x' || text[1] == 'X') {
		base, n = 16, 2
	}
	first, code := n, 0
	for ; n < len(text); n++ {
		d := digit(text[n])
		if d >= base {
			break
		}
		code = min(code*base+d, tooBig)
	}
	if n == first {
		out.WriteByte('&')
		return 0
	}
	if n < len(text) && text[n] == ';' {
		n++
	}
	out.WriteString(character(code))
	return n
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return 16
}

// windows1252 is what numbers 80 to 9F stand for by the HTML standard, its table of replacements.
var windows1252 = [32]rune{
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
}

// character returns what a number stands for, "" for those that the standard calls errors and that Python drops.
func character(code int) string {
	switch {
	case code == 0, code > utf8.MaxRune, 0xD800 <= code && code <= 0xDFFF:
		return "\uFFFD"
	case 0x80 <= code && code <= 0x9F:
		return string(windows1252[code-0x80])
	case code < 0x20 && code != '\t' && code != '\n' && code != '\f' && code != '\r', code == 0x7F,
		0xFDD0 <= code && code <= 0xFDEF, code&0xFFFE == 0xFFFE:
		return ""
	}
	return string(rune(code))
}

// writeNamed writes what a named reference stands for and returns its length after "&". A name without a
// semicolon may be followed by anything, so the longest start that is a name counts; text that is none is left,
// but for its "&", which is written.
func writeNamed(out *strings.Builder, text string) int {
	n, chars := 0, 0
	for n < len(text) && chars < 32 && !strings.ContainsRune("\t\n\f <&#;", rune(text[n])) {
		_, size := utf8.DecodeRuneInString(text[n:])
		n += size
		chars++
	}
	if n > 0 && n < len(text) && text[n] == ';' {
		n++
	}
	for end := n; end > 1; end-- {
		if end < n && end > longestOld {
			end = longestOld
		}
		if char, ok := Lookup(text[:end]); ok {
			out.WriteString(char)
			return end
		}
	}
	out.WriteByte('&')
	return 0
}

// longestOld is the length of the longest name without a semicolon, "frac12" and others.
const longestOld = 6
