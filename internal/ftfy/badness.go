package ftfy

import (
	"strings"
	"sync"
	"unicode"
)

// charSet is one position of a suspicious sequence.
type charSet struct {
	chars string          // the characters, or
	other func(rune) bool // a test for all characters
}

func in(chars ...string) charSet { return charSet{chars: strings.Join(chars, "")} }

var (
	upperASCII  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lowerASCII  = "abcdefghijklmnopqrstuvwxyz"
	space       = charSet{other: IsSpace}
	wordChar    = charSet{other: isWord}
	noLatin     = charSet{other: func(r rune) bool { return !isASCIILetter(r) }}
	noLineBreak = charSet{other: func(r rune) bool { return r != '\n' }}
)

// atStart are sequences that count at the start of a text alone.
var atStart = [][]charSet{{in("ÃÂ"), in(" ")}}

// suspicious are the sequences that hardly ever occur in text that was decoded rightly: ftfy's heuristic of
// "badness", as a table. Letters that look Latin but are Cyrillic or Greek are escaped.
var suspicious = [][]charSet{
	{in(c1)},
	{in(bad, lowerAccented, upperAccented, box, startPunct, endPunct, currency, numeric, law), in(bad)},
	{in(lowerASCII, upperASCII), in(lowerCommon, upperCommon), in(bad)},
	{in(bad), in(lowerAccented, upperAccented, box, startPunct, endPunct, currency, numeric, law)},
	{in(lowerAccented, lowerCommon, box, endPunct, currency, numeric), in(upperAccented)},
	{in(box, endPunct, currency, numeric), in(lowerAccented)},
	{in(lowerAccented, box, endPunct), in(currency)},
	{space, in(upperAccented), in(currency)},
	{in(upperAccented, box), in(numeric, law)},
	{in(lowerAccented, upperAccented, box, currency, endPunct), in(startPunct), in(numeric)},
	{in(lowerAccented, upperAccented, currency, numeric, box, law), in(endPunct), in(startPunct)},
	{in(currency, numeric, box), in(startPunct)},
	{in(lowerASCII), in(upperAccented), in(startPunct, currency)},
	{in(box), in(kaomoji)},
	{in(lowerAccented, upperAccented, currency, numeric, startPunct, endPunct, law), in(box)},
	{in(box), in(endPunct)},
	{in(lowerAccented, upperAccented), in(startPunct, endPunct), wordChar},
	{in("Œœ"), noLatin},
	{in(upperAccented), in("°")},

	// Two bytes read as Windows-1252, and × before a superscript.
	{in("ÂÃÎÐ"), in("€œŠš¢£Ÿž\u00a0\u00ad®©°·»–—´", startPunct, endPunct)},
	{in("×"), in("²³")},
	// Arabic read as Windows-1252: four characters, as the second and fourth are common.
	{in("ØÙ"), in("ŸŠ®°µ»", common, currency, bad, numeric, startPunct),
		in("ØÙ"), in("ŸŠ®°µ»", common, currency, bad, numeric, startPunct)},
	// The scripts of South Asia read as Windows-1252.
	{in("à"), in("²µ¹¼½¾")},
	// MacRoman.
	{in("√"), in("±∂†≠®™´≤≥¥µø")},
	{in("≈"), in("°¢")},
	{in("‚"), in("Ä"), in("ìîïòôúùû†°¢π")},
	{in("‚"), in("âó"), in("àä°ê")},
	// Windows-1251: punctuation, Latin-1 and Cyrillic, and that twice over beside a Latin letter.
	{in("\u0432"), in("\u0402")},
	{in("\u0412\u0413\u0420\u0421"), in("°µ", c1, bad, startPunct, endPunct, currency), in("\u0412\u0413\u0420\u0421")},
	{in("\u0413"), in("\u045e"), in("\u0412"), in("\u0402"), in("\u0412"), noLineBreak, in(" ", lowerASCII, upperASCII)},
	// à, á and the no-break space read as Windows-1252.
	{in("Ã"), in("\u00a0¡")},
	{in(lowerASCII), in("ÃÂ"), in(" ")},
	{in(lowerASCII), space, in("ÃÂ"), in(" ")},
	// Â before the character that it belongs to.
	{in(".,?!", lowerASCII, endPunct), in("Â"), in(" ", startPunct, endPunct)},
	// Windows-1253 and Windows-1257.
	{in("\u03b2"), in("€"), in("™\u00a0\u0386\u00ad®°")},
	{in("\u0392\u0393\u039e\u039f"), in("°", c1, bad, startPunct, endPunct, currency), in("\u0392\u0393\u039e\u039f")},
	{in("ā"), in("€")},
}

// bits has a bit for every position of every suspicious sequence.
type bits [2]uint64

func (b *bits) set(i int)              { b[i/64] |= 1 << (i % 64) }
func (b bits) and(c bits) bits         { return bits{b[0] & c[0], b[1] & c[1]} }
func (b bits) or(c bits) bits          { return bits{b[0] | c[0], b[1] | c[1]} }
func (b bits) shifted() bits           { return bits{b[0] << 1, b[1]<<1 | b[0]>>63} }
func (b bits) meets(c bits) bool       { return b[0]&c[0]|b[1]&c[1] != 0 }
func (b bits) without(c bits) (d bits) { return bits{b[0] &^ c[0], b[1] &^ c[1]} }

// matcher looks for all sequences at once: bit i is set while the text read last fits the start of a
// sequence up to position i (the shift-and method, Baeza-Yates and Gonnet 1992, doi:10.1145/135239.135243).
type matcher struct {
	fits        map[rune]bits // positions that a character fits, by character
	tests       []positionTest
	first, last bits // where sequences begin and end
	onlyFirst   bits // where those of atStart begin
}

type positionTest struct {
	position int
	fits     func(rune) bool
}

var newMatcher = sync.OnceValue(func() *matcher {
	m := &matcher{fits: map[rune]bits{}}
	n := 0
	add := func(sequence []charSet) {
		m.first.set(n)
		for _, set := range sequence {
			for _, r := range set.chars {
				b := m.fits[r]
				b.set(n)
				m.fits[r] = b
			}
			if set.other != nil {
				m.tests = append(m.tests, positionTest{n, set.other})
			}
			n++
		}
		m.last.set(n - 1)
	}
	for _, s := range atStart {
		add(s)
	}
	m.onlyFirst = m.first
	for _, s := range suspicious {
		add(s)
	}
	for r, b := range m.fits {
		m.fits[r] = b.or(m.tested(r))
	}
	return m
})

// tested returns the positions whose test a character passes.
func (m *matcher) tested(r rune) (b bits) {
	for _, t := range m.tests {
		if t.fits(r) {
			b.set(t.position)
		}
	}
	return b
}

// isBad says whether a text holds a suspicious sequence.
func isBad(text string) bool {
	m := newMatcher()
	var state bits
	start := m.first
	for _, r := range text {
		fits, ok := m.fits[r]
		if !ok {
			fits = m.tested(r)
		}
		state = state.shifted().or(start).and(fits)
		if state.meets(m.last) {
			return true
		}
		start = m.first.without(m.onlyFirst)
	}
	return false
}

// IsSpace is Python's str.isspace: Unicode's White_Space and the four separators of ASCII.
func IsSpace(r rune) bool { return unicode.IsSpace(r) || 0x1C <= r && r <= 0x1F }

// isWord is \w of Python's re.
func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

func isASCIILetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
