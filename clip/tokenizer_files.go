package clip

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"percept/internal/cause"
)

// vocabulary holds the tables of a tokenizer; it does not change once made.
type vocabulary struct {
	vocab      map[string]int32
	tokens     map[int32]string
	merges     map[pair]merge
	byteIDs    [256]int32 // id of a byte inside a word
	lastIDs    [256]int32 // id of a byte that ends a word
	start, end int32
	unknown    int32 // of a byte that the vocabulary lacks
	padding    int32
	size       int // highest id + 1
	length     int // of a padded text; 0 where no file tells it

	// Added tokens: those looked for in a text as it was given and in what was cleaned of it, all of them in a text as it
	// was given, and the same without the two that frame a text.
	given, cleaned, all, taught tokenSet
	unusual                     string // see Tokenizer.Settings
}

// NewTokenizer reads the two files of a tokenizer folder, vocab.json (token to id) and merges.txt (a pair
// per line, most frequent first). The vocabulary must hold StartOfText and EndOfText. A byte that it lacks
// becomes EndOfText, CLIP's token for the unknown.
func NewTokenizer(vocabJSON, mergesTXT []byte) (*Tokenizer, error) {
	vocab, merges, err := readPair(vocabJSON, mergesTXT)
	if err != nil {
		return nil, err
	}
	return newTokenizer(vocab, merges, usualSettings())
}

// readPair reads vocab.json and merges.txt.
func readPair(vocabJSON, mergesTXT []byte) (map[string]int32, [][2]string, error) {
	var vocab map[string]int32
	if err := json.Unmarshal(vocabJSON, &vocab); err != nil {
		return nil, nil, fmt.Errorf("clip: vocab.json: expected an object of token to id: %w", cause.OfJSON(err))
	}
	merges, err := mergeLines(mergesTXT, len(mergesTXT))
	if err != nil {
		return nil, nil, err
	}
	if len(merges) == 0 {
		for token := range vocab {
			word := strings.TrimSuffix(token, endOfWord)
			if utf8.RuneCountInString(word) > 1 && token != StartOfText && token != EndOfText {
				return nil, nil, fmt.Errorf("clip: merges.txt holds no merge, expected those that make the %d tokens of vocab.json", len(vocab))
			}
		}
	}
	return vocab, merges, nil
}

const (
	// openAIMerges is the number of merges of CLIP's vocabulary; the published file lists more.
	openAIMerges = 49152 - 256 - 2
	// maxUnpacked is how many times a compressed merges file may grow; the published one does 2.4 times.
	maxUnpacked = 8
)

// NewTokenizerOpenAI reads OpenAI's bpe_simple_vocab_16e6.txt, compressed by gzip or not, whose
// vocabulary follows from the merges: 256 bytes, the same at the end of a word, the merges, start and end.
func NewTokenizerOpenAI(file []byte) (*Tokenizer, error) {
	if bytes.HasPrefix(file, []byte{0x1F, 0x8B}) {
		z, err := gzip.NewReader(bytes.NewReader(file))
		if err != nil {
			return nil, fmt.Errorf("clip: merges file: %w", err)
		}
		limit := maxUnpacked * len(file)
		if file, err = io.ReadAll(io.LimitReader(z, int64(limit)+1)); err != nil {
			return nil, fmt.Errorf("clip: merges file: %w", err)
		}
		if len(file) > limit {
			return nil, fmt.Errorf("clip: merges file unpacks to more than %d times its size", maxUnpacked)
		}
	}
	merges, err := mergeLines(file, openAIMerges)
	if err != nil {
		return nil, err
	}
	vocab := make(map[string]int32, 514+len(merges))
	add := func(token string) { vocab[token] = int32(len(vocab)) }
	for _, b := range byteOrder {
		add(string(byteLetters[b]))
	}
	for _, b := range byteOrder {
		add(string(byteLetters[b]) + endOfWord)
	}
	for i, m := range merges {
		token := m[0] + m[1]
		if _, dup := vocab[token]; dup {
			return nil, fmt.Errorf("clip: merges file: merge %d makes token %.40q, which exists", i+1, token)
		}
		add(token)
	}
	add(StartOfText)
	add(EndOfText)
	return newTokenizer(vocab, merges, usualSettings())
}

// FilesFromOpenAI returns the pair vocab.json and merges.txt that says what OpenAI's bpe_simple_vocab_16e6.txt, compressed
// by gzip or not, says, for NewTokenizer and for other programs.
// Source: https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py.
func FilesFromOpenAI(file []byte) (vocabJSON, mergesTXT []byte, err error) {
	t, err := NewTokenizerOpenAI(file)
	if err != nil {
		return nil, nil, err
	}
	if len(t.merges) == 0 {
		return nil, nil, errors.New("clip: no merges, expected OpenAI's vocabulary file")
	}
	var v bytes.Buffer
	e := json.NewEncoder(&v)
	e.SetEscapeHTML(false)
	for id := range int32(t.size) {
		v.WriteString(", ")
		if err := e.Encode(t.tokens[id]); err != nil {
			return nil, nil, err
		}
		v.Truncate(v.Len() - 1) // the end of the line
		fmt.Fprintf(&v, ": %d", id)
	}
	v.WriteByte('}')
	lines := make([]string, len(t.merges))
	for p, m := range t.merges {
		lines[m.rank] = t.tokens[p.left] + " " + t.tokens[p.right]
	}
	vocabJSON = v.Bytes()[1:]
	vocabJSON[0] = '{'
	return vocabJSON, []byte("#version: 0.2\n" + strings.Join(lines, "\n") + "\n"), nil
}

// mergeLines returns the first lines, at most limit, that hold merges: all but the version line and empty ones.
func mergeLines(file []byte, limit int) ([][2]string, error) {
	const shortest = len("a b\n")
	lines := make([][2]string, 0, min(limit, len(file)/shortest+1, bytes.Count(file, []byte("\n"))+1))
	for i, rest := 0, string(file); rest != "" && len(lines) < limit; i++ {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" || i == 0 && (strings.HasPrefix(line, "#version") || strings.HasPrefix(line, `"bpe_simple_vocab`)) {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("clip: merge %d is %.40q, expected two tokens", len(lines)+1, line)
		}
		lines = append(lines, [2]string{left, right})
	}
	return lines, nil
}

func newTokenizer(vocab map[string]int32, merges [][2]string, s *settings) (*Tokenizer, error) {
	v := &vocabulary{vocab: vocab, merges: make(map[pair]merge, min(len(merges), len(vocab)))}
	if err := v.indexTokens(); err != nil {
		return nil, err
	}
	for _, token := range []string{StartOfText, EndOfText} {
		if _, ok := vocab[token]; !ok {
			return nil, fmt.Errorf("clip: the vocabulary has no %s", token)
		}
	}
	v.start, v.end = vocab[StartOfText], vocab[EndOfText]
	if err := v.apply(s); err != nil {
		return nil, err
	}
	for b := range 256 {
		letter := string(byteLetters[b])
		v.byteIDs[b], v.lastIDs[b] = v.id(letter), v.id(letter+endOfWord)
	}
	for rank, m := range merges {
		left, right := m[0], m[1]
		for _, token := range []string{left, right, left + right} {
			if _, ok := vocab[token]; !ok {
				return nil, fmt.Errorf("clip: merge %d is %.40q, but the vocabulary has no %.40q", rank+1, left+" "+right, token)
			}
		}
		p := pair{vocab[left], vocab[right]}
		if _, dup := v.merges[p]; !dup {
			v.merges[p] = merge{int32(rank), vocab[left+right]}
		}
	}
	return &Tokenizer{vocabulary: v}, nil
}

// maxID bounds the ids, which are rows of an embedding; CLIP has 49408.
const maxID = 1 << 22

// indexTokens makes the table of tokens by id and refuses ids that cannot be a row of an embedding.
func (v *vocabulary) indexTokens() error {
	v.tokens = make(map[int32]string, len(v.vocab))
	for token, id := range v.vocab {
		if id < 0 || id >= maxID {
			return fmt.Errorf("clip: token %.40q has id %d, expected 0 to %d", token, id, maxID-1)
		}
		if other, dup := v.tokens[id]; dup {
			return fmt.Errorf("clip: tokens %.40q and %.40q both have id %d", min(token, other), max(token, other), id)
		}
		v.tokens[id] = token
		v.size = max(v.size, int(id)+1)
	}
	return nil
}

// id returns the id of a token, that of the unknown where the vocabulary lacks it.
func (v *vocabulary) id(token string) int32 {
	if id, ok := v.vocab[token]; ok {
		return id
	}
	return v.unknown
}
