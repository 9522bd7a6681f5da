package clip

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"percept/internal/ftfy"
	"percept/internal/htmlentity"
)

// Cleaning is what is done to a text before it is cut into words. Published models differ in it; on plain
// English captions all give the same tokens.
type Cleaning int

const (
	// CleanTransformers is that of transformers' CLIPTokenizer today: NFC, white space to one blank, lower
	// case letter by letter. Special tokens are found in the text as it was given.
	CleanTransformers Cleaning = iota
	// CleanOpenAI is that of OpenAI's simple_tokenizer: ftfy, HTML references decoded twice, white space,
	// lower case. Special tokens are found after it, so that they may be written in upper case.
	CleanOpenAI
	// CleanFtfy is that of the CLIPTokenizer of 2022, which the published Stable Diffusion v1 code used, with
	// ftfy installed: ftfy for the text between special tokens, white space, lower case. Special tokens are found
	// in the text as it was given and once more in what was cleaned.
	CleanFtfy
)

var cleaningNames = [...]string{"transformers", "openai", "ftfy"}

// String returns "transformers", "openai" or "ftfy".
func (c Cleaning) String() string {
	if c < 0 || int(c) >= len(cleaningNames) {
		return fmt.Sprintf("Cleaning(%d)", int(c))
	}
	return cleaningNames[c]
}

// ParseCleaning returns the cleaning that String names.
func ParseCleaning(s string) (Cleaning, error) {
	if i := slices.Index(cleaningNames[:], s); i >= 0 {
		return Cleaning(i), nil
	}
	return 0, fmt.Errorf("clip: cleaning %.60q, expected %s", s, strings.Join(cleaningNames[:], ", "))
}

// ignoresCase says whether the pattern that cuts text into words ignores case.
func (c Cleaning) ignoresCase() bool { return c == CleanOpenAI || c == CleanFtfy }

// piece cleans a whole text for CleanOpenAI, and what lies between special tokens for the others.
func (c Cleaning) piece(text string) string {
	switch c {
	case CleanOpenAI: // simple_tokenizer's basic_clean, whitespace_clean and lower
		text = htmlentity.Unescape(htmlentity.Unescape(ftfy.Fix(text)))
	case CleanFtfy:
		text = ftfy.Fix(text)
	default:
		return normalise(text)
	}
	return lower(collapse(strings.TrimFunc(text, ftfy.IsSpace)))
}

// normalise is NFC, white space to one blank and lower case, letter by letter: a final sigma stays σ.
func normalise(text string) string {
	if isLowerASCII(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range collapse(ftfy.NFC(text)) {
		writeLower(&b, r)
	}
	return b.String()
}

// collapse makes one blank of each run of white space.
func collapse(text string) string {
	if isLowerASCII(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	blank := false
	for _, r := range text {
		if unicode.IsSpace(r) {
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		}
		blank = false
		b.WriteRune(r)
	}
	return b.String()
}

// isLowerASCII says that neither collapse nor lower would change a text.
func isLowerASCII(text string) bool {
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' || c < ' ' || c == ' ' && i > 0 && text[i-1] == ' ' {
			return false
		}
	}
	return true
}

// writeLower writes the lower case of a letter; İ is the one letter that becomes two.
func writeLower(b *strings.Builder, r rune) {
	if r == 'İ' {
		b.WriteString("i\u0307")
		return
	}
	b.WriteRune(unicode.ToLower(r))
}

// lower is Python's str.lower: letter by letter, but a sigma at the end of a word becomes ς.
func lower(text string) string {
	if isLowerASCII(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i, r := range text {
		if r == 'Σ' && endsWord(text[:i], text[i+len("Σ"):]) {
			b.WriteRune('ς')
			continue
		}
		writeLower(&b, r)
	}
	return b.String()
}

// endsWord is Unicode's condition Final_Sigma: a cased letter before and none after, whatever marks between.
func endsWord(before, after string) bool {
	isOther := func(r rune) bool { return !isCaseIgnorable(r) }
	i := strings.LastIndexFunc(before, isOther)
	if i < 0 {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(before[i:]); !isCased(r) {
		return false
	}
	if i = strings.IndexFunc(after, isOther); i < 0 {
		return true
	}
	r, _ := utf8.DecodeRuneInString(after[i:])
	return !isCased(r)
}

// isCased is Unicode's property Cased.
func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Uppercase, unicode.Other_Lowercase)
}

// isCaseIgnorable is Unicode's property Case_Ignorable; the characters listed have the word breaks MidLetter,
// MidNumLet and Single_Quote.
func isCaseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·\u0387\u055F\u05F4‘’․‧\uFE13\uFE52\uFE55＇．：", r)
}
