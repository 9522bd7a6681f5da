package clip

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The two tokens that frame a text. A text may also contain them: they become these tokens there too.
const (
	StartOfText = "<|startoftext|>"
	EndOfText   = "<|endoftext|>"
)

// A Tokenizer turns text into CLIP's byte-pair tokens, as transformers' CLIPTokenizer does:
//
//	text ──► NFC, white space to one blank, lower case ──► words, single digits, punctuation
//	     ──► bytes as letters, "</w>" on the last ──► merges by rank ──► ids
//
// It works with any vocabulary and is safe for concurrent use.
// Source: https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py.
type Tokenizer struct {
	vocab      map[string]int32
	tokens     []string // by id; "" where the vocabulary has a gap
	merges     map[pair]merge
	byteIDs    [256]int32 // id of a byte inside a word
	lastIDs    [256]int32 // id of a byte that ends a word
	start, end int32
}

// NewTokenizer reads the two files of a tokenizer folder, vocab.json (token to id) and merges.txt (a pair
// per line, most frequent first). The vocabulary must hold StartOfText and EndOfText. A byte that it lacks
// becomes EndOfText, CLIP's token for the unknown.
func NewTokenizer(vocabJSON, mergesTXT []byte) (*Tokenizer, error) {
	var vocab map[string]int32
	if err := json.Unmarshal(vocabJSON, &vocab); err != nil {
		return nil, fmt.Errorf("clip: vocab.json: want an object of token to id: %w", err)
	}
	merges := mergeLines(mergesTXT)
	if len(merges) == 0 {
		for token := range vocab {
			if word := strings.TrimSuffix(token, endOfWord); utf8.RuneCountInString(word) > 1 && token != StartOfText && token != EndOfText {
				return nil, fmt.Errorf("clip: merges.txt holds no merge, want those that make the %d tokens of vocab.json", len(vocab))
			}
		}
	}
	return newTokenizer(vocab, merges)
}

// openAIMerges is the number of merges of CLIP's vocabulary; the published file lists more.
const openAIMerges = 49152 - 256 - 2

// maxMergesFile bounds what a compressed merges file may unpack to; the published one has 3 MB.
const maxMergesFile = 64 << 20

// NewTokenizerOpenAI reads OpenAI's bpe_simple_vocab_16e6.txt, compressed by gzip or not, whose
// vocabulary follows from the merges: 256 bytes, the same at the end of a word, the merges, start and end.
func NewTokenizerOpenAI(file []byte) (*Tokenizer, error) {
	if bytes.HasPrefix(file, []byte{0x1F, 0x8B}) {
		z, err := gzip.NewReader(bytes.NewReader(file))
		if err != nil {
			return nil, fmt.Errorf("clip: merges file: %w", err)
		}
		if file, err = io.ReadAll(io.LimitReader(z, maxMergesFile+1)); err != nil {
			return nil, fmt.Errorf("clip: merges file: %w", err)
		}
		if len(file) > maxMergesFile {
			return nil, fmt.Errorf("clip: merges file unpacks to more than %d bytes", maxMergesFile)
		}
	}
	merges := mergeLines(file)
	if len(merges) > openAIMerges {
		merges = merges[:openAIMerges]
	}
	vocab := make(map[string]int32, 514+len(merges))
	add := func(token string) { vocab[token] = int32(len(vocab)) }
	for _, b := range byteOrder {
		add(string(byteLetters[b]))
	}
	for _, b := range byteOrder {
		add(string(byteLetters[b]) + endOfWord)
	}
	for i, line := range merges {
		token := strings.ReplaceAll(line, " ", "")
		if _, dup := vocab[token]; dup {
			return nil, fmt.Errorf("clip: merges file: line %d makes token %q, which exists", i+2, token)
		}
		add(token)
	}
	add(StartOfText)
	add(EndOfText)
	return newTokenizer(vocab, merges)
}

// mergeLines returns the lines that hold merges: all but the version line and empty ones.
func mergeLines(b []byte) []string {
	var lines []string
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || i == 0 && (strings.HasPrefix(line, "#version") || strings.HasPrefix(line, `"bpe_simple_vocab`)) {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

func newTokenizer(vocab map[string]int32, merges []string) (*Tokenizer, error) {
	t := &Tokenizer{vocab: vocab, merges: make(map[pair]merge, len(merges))}
	if err := t.indexTokens(); err != nil {
		return nil, err
	}
	var ok bool
	if t.start, ok = vocab[StartOfText]; !ok {
		return nil, fmt.Errorf("clip: the vocabulary has no %s", StartOfText)
	}
	if t.end, ok = vocab[EndOfText]; !ok {
		return nil, fmt.Errorf("clip: the vocabulary has no %s", EndOfText)
	}
	for b := range 256 {
		letter := string(byteLetters[b])
		t.byteIDs[b], t.lastIDs[b] = t.id(letter), t.id(letter+endOfWord)
	}
	for rank, line := range merges {
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("clip: merge %d is %.60q, want two tokens", rank+1, line)
		}
		for _, token := range []string{left, right, left + right} {
			if _, ok := vocab[token]; !ok {
				return nil, fmt.Errorf("clip: merge %d is %.60q, but the vocabulary has no %.60q", rank+1, line, token)
			}
		}
		p := pair{vocab[left], vocab[right]}
		if _, dup := t.merges[p]; !dup {
			t.merges[p] = merge{int32(rank), vocab[left+right]}
		}
	}
	return t, nil
}

// maxID bounds the table of tokens by id; CLIP has 49408.
const maxID = 1 << 22

// indexTokens makes the table of tokens by id and refuses ids that cannot be a row of an embedding.
func (t *Tokenizer) indexTokens() error {
	highest := int32(-1)
	for token, id := range t.vocab {
		if id < 0 || id >= maxID {
			return fmt.Errorf("clip: token %q has id %d, want 0 to %d", token, id, maxID-1)
		}
		highest = max(highest, id)
	}
	t.tokens = make([]string, highest+1)
	for token, id := range t.vocab {
		if other := t.tokens[id]; other != "" {
			return fmt.Errorf("clip: tokens %q and %q both have id %d", min(token, other), max(token, other), id)
		}
		t.tokens[id] = token
	}
	return nil
}

// id returns the id of a token, that of EndOfText where the vocabulary lacks it.
func (t *Tokenizer) id(token string) int32 {
	if id, ok := t.vocab[token]; ok {
		return id
	}
	return t.end
}

// Start returns the id of StartOfText.
func (t *Tokenizer) Start() int32 { return t.start }

// End returns the id of EndOfText, which also fills up short texts.
func (t *Tokenizer) End() int32 { return t.end }

// Size returns the number of rows that an embedding table for these ids needs.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// Token returns the text of an id, with "</w>" where it ends a word; "" for an id without token.
func (t *Tokenizer) Token(id int32) string {
	if id < 0 || int(id) >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// Encode returns the ids of a text between Start and End, however many.
func (t *Tokenizer) Encode(text string) []int32 {
	ids := []int32{t.start}
	text = strings.ToValidUTF8(text, "\uFFFD")
	for text != "" {
		at, special := nextSpecial(text)
		for _, piece := range split(normalise(text[:at])) {
			ids = t.appendWord(ids, piece)
		}
		if special != "" {
			ids = append(ids, t.vocab[special])
		}
		text = text[at+len(special):]
	}
	return append(ids, t.end)
}

// Pad brings ids to length n: short ones are filled up with End, as Stable Diffusion v1 does, long ones are
// cut and still end with End; truncated says whether tokens were lost. n is at least 2.
func (t *Tokenizer) Pad(ids []int32, n int) (padded []int32, truncated bool) {
	padded = make([]int32, max(n, 0))
	for i := copy(padded, ids); i < n; i++ {
		padded[i] = t.end
	}
	if len(ids) > n && n > 0 {
		padded[n-1] = t.end
		truncated = true
	}
	return padded, truncated
}

// nextSpecial finds the first special token of a text; at is the text's length where there is none.
func nextSpecial(text string) (at int, special string) {
	at = len(text)
	for _, s := range []string{StartOfText, EndOfText} {
		if i := strings.Index(text, s); i >= 0 && i < at {
			at, special = i, s
		}
	}
	return at, special
}

// Merges returns the number of merges.
func (t *Tokenizer) Merges() int { return len(t.merges) }
