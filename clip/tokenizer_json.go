package clip

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"percept/internal/cause"
)

// tokenizerJSON is what of a tokenizer.json decides ids. Padding and truncation are those of each call, but for their side.
type tokenizerJSON struct {
	Added         []addedJSON     `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Padding       *struct {
		Direction string `json:"direction"`
	} `json:"padding"`
	Truncation *struct {
		Direction string `json:"direction"`
	} `json:"truncation"`
	Model struct {
		Type    string           `json:"type"`
		Dropout *float64         `json:"dropout"`
		Prefix  string           `json:"continuing_subword_prefix"`
		Suffix  *string          `json:"end_of_word_suffix"`
		Bytes   bool             `json:"byte_fallback"`
		Ignore  bool             `json:"ignore_merges"`
		Vocab   map[string]int32 `json:"vocab"`
		Merges  mergeList        `json:"merges"`
	} `json:"model"`
}

// addedJSON is an added token as files describe it.
type addedJSON struct {
	addedToken
	ID         int32 `json:"id"`
	Normalized *bool `json:"normalized"`
}

// token returns the token with what the library takes for a key that is lacking: those that are not special are looked for
// in the cleaned text.
func (a *addedJSON) token(id int32) addedToken {
	t := a.addedToken
	t.id, t.Normalized = id, !t.Special
	if a.Normalized != nil {
		t.Normalized = *a.Normalized
	}
	return t
}

// mergeList reads merges as tokenizers writes them, pairs of tokens, and as it did until 2024, two tokens with a blank
// between.
type mergeList [][2]string

// UnmarshalJSON is part of json.Unmarshaler. A vocabulary has as many merges as words: they are cut out of the text instead of
// being decoded one by one.
func (l *mergeList) UnmarshalJSON(b []byte) error {
	text := jsonText(b)
	if !text.take('[') {
		return errors.New("merges: expected a list of pairs of tokens")
	}
	quotes := 4 // of a pair
	if strings.HasPrefix(string(text), `"`) {
		quotes = 2
	}
	merges := make(mergeList, 0, bytes.Count(b, []byte{'"'})/quotes)
	for !text.take(']') {
		m, err := text.merge()
		if err != nil {
			return fmt.Errorf("merge %d: %w", len(merges)+1, err)
		}
		merges = append(merges, m)
		text.take(',')
	}
	*l = merges
	return nil
}

// jsonText is the rest of a JSON text that is known to be valid, without white space at its beginning.
type jsonText string

// take cuts a sign off, if it comes next, and the white space behind it.
func (t *jsonText) take(sign byte) bool {
	if *t == "" || (*t)[0] != sign {
		return false
	}
	*t = jsonText(strings.TrimLeft(string((*t)[1:]), " \t\r\n"))
	return true
}

// text cuts a string off.
func (t *jsonText) text() (string, bool) {
	if *t == "" || (*t)[0] != '"' {
		return "", false
	}
	end, escaped := 1, false
	for ; end < len(*t) && (*t)[end] != '"'; end++ {
		if (*t)[end] == '\\' {
			end, escaped = end+1, true
		}
	}
	if end >= len(*t) {
		return "", false
	}
	quoted := string((*t)[:end+1])
	*t = (*t)[end:]
	t.take('"')
	if !escaped && utf8.ValidString(quoted) {
		return quoted[1:end], true
	}
	var plain string
	return plain, json.Unmarshal([]byte(quoted), &plain) == nil
}

// merge cuts two tokens off: a list of them, or one text with a blank between.
func (t *jsonText) merge() (m [2]string, err error) {
	begin := string(*t)
	ok := false
	if t.take('[') {
		var ok1, ok2 bool
		m[0], ok1 = t.text()
		t.take(',')
		m[1], ok2 = t.text()
		ok = ok1 && ok2 && t.take(']')
	} else if text, is := t.text(); is {
		m[0], m[1], ok = strings.Cut(text, " ")
		ok = ok && !strings.Contains(m[1], " ")
	}
	if !ok || m[0] == "" || m[1] == "" {
		return m, fmt.Errorf("%.40q, expected two tokens", begin)
	}
	return m, nil
}

// clipNormalizer, clipPattern and clipByteLevel are the steps that this package follows.
const (
	clipNormalizer = `{"type":"Sequence","normalizers":[{"type":"NFC"},` +
		`{"type":"Replace","pattern":{"Regex":"\\s+"},"content":" "},{"type":"Lowercase"}]}`
	clipSpecials = `<\|startoftext\|>|<\|endoftext\|>|`
	clipPattern  = `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`
)

// readTokenizerJSON reads a tokenizer.json and refuses what is not CLIP's: CLIPTokenizer would not follow it, other
// programs would.
func readTokenizerJSON(file []byte) (*tokenizerJSON, error) {
	j := &tokenizerJSON{}
	if err := json.Unmarshal(file, j); err != nil {
		return nil, fmt.Errorf("expected a file of the tokenizers library: %w", cause.OfJSON(err))
	}
	m := &j.Model
	switch {
	case m.Type != "BPE" && (m.Type != "" || m.Merges == nil):
		return nil, fmt.Errorf("model.type is %.40q, expected BPE", m.Type)
	case m.Suffix == nil || *m.Suffix != endOfWord:
		return nil, fmt.Errorf("model.end_of_word_suffix is %s, expected %q", orNull(m.Suffix), endOfWord)
	case m.Prefix != "":
		return nil, fmt.Errorf("model.continuing_subword_prefix is %.40q, expected none", m.Prefix)
	case m.Dropout != nil && *m.Dropout != 0:
		return nil, fmt.Errorf("model.dropout is %g, expected none", *m.Dropout)
	case m.Bytes:
		return nil, fmt.Errorf("model.byte_fallback is true, expected false")
	case m.Ignore:
		return nil, fmt.Errorf("model.ignore_merges is true, expected false")
	case len(m.Vocab) == 0:
		return nil, fmt.Errorf("model.vocab has no tokens, expected an object of token to id")
	case !sameJSON(j.Normalizer, clipNormalizer):
		return nil, fmt.Errorf("normalizer is %s, expected CLIP's (NFC, white space to one blank, lower case)", brief(j.Normalizer))
	case !isClipPreTokenizer(j.PreTokenizer):
		return nil, fmt.Errorf("pre_tokenizer is %s, expected CLIP's (a Split by its pattern, then ByteLevel)", brief(j.PreTokenizer))
	case !isClipPostProcessor(j.PostProcessor):
		return nil, fmt.Errorf("post_processor is %s, expected CLIP's (%s before, %s behind a text)",
			brief(j.PostProcessor), StartOfText, EndOfText)
	}
	return j, nil
}

func orNull(s *string) string {
	if s == nil {
		return "null"
	}
	return fmt.Sprintf("%.40q", *s)
}

// brief is the beginning of a JSON value, on one line.
func brief(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.Len() == 0 {
		return "missing"
	}
	if b.Len() > 100 {
		return fmt.Sprintf("%.100s…", b.String())
	}
	return b.String()
}

func sameJSON(raw json.RawMessage, want string) bool {
	var a, b any
	return json.Unmarshal(raw, &a) == nil && json.Unmarshal([]byte(want), &b) == nil && reflect.DeepEqual(a, b)
}

// isClipPreTokenizer accepts the pattern with and without the two special tokens, which make no difference: letters and
// other characters are cut from one another in ByteLevel.
func isClipPreTokenizer(raw json.RawMessage) bool {
	var p struct {
		Type  string `json:"type"`
		Steps []struct {
			Type    string `json:"type"`
			Pattern struct {
				Regex string `json:"Regex"`
			} `json:"pattern"`
			Behavior string `json:"behavior"`
			Invert   bool   `json:"invert"`
			Prefix   bool   `json:"add_prefix_space"`
			UseRegex *bool  `json:"use_regex"`
		} `json:"pretokenizers"`
	}
	if json.Unmarshal(raw, &p) != nil || p.Type != "Sequence" || len(p.Steps) != 2 {
		return false
	}
	split, level := p.Steps[0], p.Steps[1]
	return split.Type == "Split" && strings.TrimPrefix(split.Pattern.Regex, clipSpecials) == clipPattern &&
		split.Behavior == "Removed" && split.Invert &&
		level.Type == "ByteLevel" && !level.Prefix && (level.UseRegex == nil || *level.UseRegex)
}

// isClipPostProcessor accepts none, in whose place CLIPTokenizer puts its own.
func isClipPostProcessor(raw json.RawMessage) bool {
	if len(raw) == 0 || string(raw) == "null" {
		return true
	}
	var p struct {
		Type   string            `json:"type"`
		Sep    []json.RawMessage `json:"sep"`
		Cls    []json.RawMessage `json:"cls"`
		Single []map[string]struct {
			ID string `json:"id"`
		} `json:"single"`
	}
	if json.Unmarshal(raw, &p) != nil {
		return false
	}
	names := func(pair []json.RawMessage, token string) bool {
		return len(pair) == 2 && sameJSON(pair[0], fmt.Sprintf("%q", token))
	}
	switch p.Type {
	case "RobertaProcessing", "BertProcessing":
		return names(p.Cls, StartOfText) && names(p.Sep, EndOfText)
	case "TemplateProcessing":
		var ids []string
		for _, step := range p.Single {
			ids = append(ids, step["SpecialToken"].ID+step["Sequence"].ID)
		}
		return slices.Equal(ids, []string{StartOfText, "A", EndOfText})
	}
	return false
}
