package clip

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is a text that is one token wherever it stands, found before the rest is cut into words: the two
// that frame a text, and words that a fine-tuned model was taught, such as "<cat-toy>". The fields are those of the
// tokenizers library's AddedToken.
type addedToken struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // not as a part of a word
	LStrip     bool   `json:"lstrip"`      // takes the white space before it
	RStrip     bool   `json:"rstrip"`      // takes the white space behind it
	Normalized bool   `json:"normalized"`  // looked for in the cleaned text, not in the text as it was given
	Special    bool   `json:"special"`
	id         int32
}

// tokenSet finds tokens in a text; those with the same first byte are together, the longest first.
type tokenSet map[byte][]addedToken

// newTokenSet is the set of tokens, whose contents pass through clean first. Two that become the same are an error: which
// of them a text is would be left to chance, as it is in the tokenizers library.
func newTokenSet(tokens []addedToken, clean func(string) string) (tokenSet, error) {
	set, first := tokenSet{}, map[string]string{}
	for _, a := range tokens {
		content := a.Content
		if a.Content = clean(content); a.Content == "" {
			continue
		}
		if other, dup := first[a.Content]; dup {
			return nil, fmt.Errorf("clip: added tokens %.40q and %.40q are the same in a cleaned text, expected different ones", other, content)
		}
		first[a.Content] = content
		set[a.Content[0]] = append(set[a.Content[0]], a)
	}
	for _, same := range set {
		slices.SortFunc(same, func(a, b addedToken) int { return cmp.Compare(len(b.Content), len(a.Content)) })
	}
	return set, nil
}

// at returns the longest token that begins a text, nil if none does.
func (set tokenSet) at(text string) *addedToken {
	same := set[text[0]]
	for i := range same {
		if strings.HasPrefix(text, same[i].Content) {
			return &same[i]
		}
	}
	return nil
}

// split calls piece with what lies between tokens and token with their ids, from left to right. At each place the longest
// token counts, as in the tokenizers library's AddedVocabulary.
func (set tokenSet) split(text string, piece func(string), token func(int32)) {
	done := 0
	for at := 0; at < len(text); {
		a := set.at(text[at:])
		if a == nil {
			at++
			continue
		}
		start, stop := at, at+len(a.Content)
		at = stop
		if a.SingleWord && (endsInWord(text[:start]) || startsWord(text[stop:])) {
			continue
		}
		if a.LStrip {
			start = max(done, len(strings.TrimRightFunc(text[:start], unicode.IsSpace)))
		}
		if a.RStrip {
			stop = len(text) - len(strings.TrimLeftFunc(text[stop:], unicode.IsSpace))
		}
		if done < start {
			piece(text[done:start])
		}
		token(a.id)
		done = stop
	}
	if done < len(text) {
		piece(text[done:])
	}
}

func endsInWord(text string) bool {
	r, n := utf8.DecodeLastRuneInString(text)
	return n > 0 && isWord(r)
}

func startsWord(text string) bool {
	r, n := utf8.DecodeRuneInString(text)
	return n > 0 && isWord(r)
}

// isWord is \w of Unicode's regular expressions (UTS 18, annex C).
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}

// apply gives the vocabulary what a folder says besides.
func (v *vocabulary) apply(s *settings) error {
	last := map[string]int{} // a token that is added twice is the later one
	ids := make([]int32, len(s.added))
	next := int32(len(v.vocab))
	for i, a := range s.added {
		id, known := v.vocab[a.Content]
		if j, again := last[a.Content]; !known && again {
			id, known = ids[j], true
		}
		if a.Content == "" {
			continue
		}
		if !known {
			id, next = next, next+1
		}
		if a.id != noID && a.id != id {
			return fmt.Errorf("clip: added token %.40q has id %d, expected %d: CLIPTokenizer counts them on from the vocabulary's %d tokens",
				a.Content, a.id, id, len(v.vocab))
		}
		ids[i], last[a.Content] = id, i
	}
	var given, cleaned, all, taught []addedToken
	for i, a := range s.added {
		if j, ok := last[a.Content]; !ok || j != i {
			continue
		}
		if a.id = ids[i]; int(a.id) >= maxID {
			return fmt.Errorf("clip: added token %.40q has id %d, expected 0 to %d", a.Content, a.id, maxID-1)
		}
		if other, taken := v.tokens[a.id]; taken && other != a.Content {
			return fmt.Errorf("clip: tokens %.40q and %.40q both have id %d", other, a.Content, a.id)
		}
		v.tokens[a.id], v.size = a.Content, max(v.size, int(a.id)+1)
		all = append(all, a)
		if a.Content != StartOfText && a.Content != EndOfText {
			taught = append(taught, a)
		}
		if a.Normalized {
			cleaned = append(cleaned, a)
		} else {
			given = append(given, a)
		}
	}
	same := func(text string) string { return text }
	for _, set := range []struct {
		to     *tokenSet
		tokens []addedToken
		clean  func(string) string
	}{{&v.given, given, same}, {&v.cleaned, cleaned, normalise}, {&v.all, all, same}, {&v.taught, taught, same}} {
		var err error
		if *set.to, err = newTokenSet(set.tokens, set.clean); err != nil {
			return err
		}
	}
	return v.applySpecials(s, taught)
}

// applySpecials finds the ids of the tokens that have a part to play.
func (v *vocabulary) applySpecials(s *settings, taught []addedToken) error {
	var ok bool
	if v.unknown, ok = v.vocab[s.unknown]; !ok {
		return fmt.Errorf("clip: unk_token is %.40q, which the vocabulary does not have", s.unknown)
	}
	if v.padding, ok = v.vocab[s.padding]; !ok {
		i := slices.IndexFunc(taught, func(a addedToken) bool { return a.Content == s.padding })
		if i < 0 {
			return fmt.Errorf("clip: pad_token is %.40q, which the vocabulary does not have", s.padding)
		}
		v.padding = taught[i].id
	}
	v.length = s.length
	if len(taught) > 0 || v.unknown != v.end || v.padding != v.end {
		v.unusual = fmt.Sprintf("padding %d, unknown %d, added %+v", v.padding, v.unknown, taught)
	}
	return nil
}
