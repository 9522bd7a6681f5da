package ftfy

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// NFC composes a text as Unicode defines it. The package norm alone would break up a letter with more than 30
// combining marks (its "stream-safe" format), which other implementations do not.
func NFC(text string) string {
	switch {
	case isASCII(text):
		return text
	case hasManyMarks(text):
		return compose(decompose(text))
	}
	return norm.NFC.String(text)
}

// safeMarks is a number of combining characters in a row that norm can take, each of which may decompose to three.
const safeMarks = 8

func hasManyMarks(text string) bool {
	marks := 0
	for i, r := range text {
		if r < 0x300 || norm.NFC.PropertiesString(text[i:]).BoundaryBefore() {
			marks = 0
		} else if marks++; marks > safeMarks {
			return true
		}
	}
	return false
}

type mark struct {
	r   rune
	ccc uint8
}

// decompose returns the characters of NFD.
func decompose(text string) []mark {
	var out []mark
	for i, r := range text {
		p := norm.NFD.PropertiesString(text[i : i+utf8.RuneLen(r)])
		parts := []rune{r}
		if d := p.Decomposition(); d != nil {
			parts = []rune(string(d))
		}
		for _, r := range parts {
			out = append(out, mark{r, norm.NFD.PropertiesString(string(r)).CCC()})
		}
	}
	for i := 0; i < len(out); i++ {
		j := i
		for j < len(out) && out[j].ccc != 0 {
			j++
		}
		slices.SortStableFunc(out[i:j], func(a, b mark) int { return cmp.Compare(a.ccc, b.ccc) })
		i = j
	}
	return out
}

// compose is the canonical composition of Unicode's section 3.11.
func compose(in []mark) string {
	out := make([]mark, 0, len(in))
	starter := -1 // index in out
	for _, m := range in {
		if starter >= 0 {
			last := out[len(out)-1]
			blocked := len(out)-1 > starter && (last.ccc >= m.ccc || last.ccc == 0)
			if !blocked {
				if r, ok := composed(out[starter].r, m.r); ok {
					out[starter].r = r
					continue
				}
			}
		}
		if m.ccc == 0 {
			starter = len(out)
		}
		out = append(out, m)
	}
	b := make([]byte, 0, len(out)*3)
	for _, m := range out {
		b = utf8.AppendRune(b, m.r)
	}
	return string(b)
}

// composed returns the character that two characters compose to.
func composed(a, b rune) (rune, bool) {
	s := norm.NFC.String(string(a) + string(b))
	r, n := utf8.DecodeRuneInString(s)
	return r, n == len(s)
}
