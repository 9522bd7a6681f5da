package weights

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// clipMerges is the number of merges of CLIP's vocabulary: 49152 tokens but for 256 bytes and 2 of CLIP's own.
// The published file lists more.
const clipMerges = 49152 - 256 - 2

// maxVocabularyFile bounds what a vocabulary file may have, also unpacked; the published one has 3 MB.
const maxVocabularyFile = 64 << 20

// TokenizerFromOpenAI returns the pair vocab.json and merges.txt that says what OpenAI's
// bpe_simple_vocab_16e6.txt, compressed by gzip or not, says: 256 bytes as letters, the same at the end of a word, the
// merges, start and end of text. Source: https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py.
func TokenizerFromOpenAI(file []byte) (vocab, merges []byte, err error) {
	if bytes.HasPrefix(file, []byte{0x1F, 0x8B}) {
		z, err := gzip.NewReader(bytes.NewReader(file))
		if err != nil {
			return nil, nil, fmt.Errorf("a vocabulary file: %w", err)
		}
		if file, err = io.ReadAll(io.LimitReader(z, maxVocabularyFile+1)); err != nil {
			return nil, nil, fmt.Errorf("a vocabulary file: %w", err)
		}
		if len(file) > maxVocabularyFile {
			return nil, nil, fmt.Errorf("unpacks to more than %d bytes, want OpenAI's vocabulary file", maxVocabularyFile)
		}
	}
	lines := strings.Split(string(file), "\n")
	if len(lines) > 0 && (strings.HasPrefix(lines[0], "#version") || strings.HasPrefix(lines[0], `"bpe_simple_vocab`)) {
		lines = lines[1:]
	}
	var v, m strings.Builder
	m.WriteString("#version: 0.2\n")
	v.WriteByte('{')
	seen, rank := map[string]bool{}, 0
	add := func(token string) error {
		if seen[token] {
			return fmt.Errorf("token %.60q is made twice, want OpenAI's vocabulary file", token)
		}
		if seen[token] = true; len(seen) > 1 {
			v.WriteString(", ")
		}
		key, err := plainJSON(token)
		fmt.Fprintf(&v, "%s: %d", key, len(seen)-1)
		return err
	}
	letters := byteLetters()
	for _, end := range []string{"", "</w>"} {
		for _, l := range letters {
			if err := add(string(l) + end); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if line == "" || rank == clipMerges {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.ContainsAny(right, " \t") || !seen[left] || !seen[right] {
			return nil, nil, fmt.Errorf("merge %d is %.60q, want two tokens that earlier lines made", rank+1, line)
		}
		if err := add(left + right); err != nil {
			return nil, nil, err
		}
		m.WriteString(line + "\n")
		rank++
	}
	if rank == 0 {
		return nil, nil, errors.New("no merges, want OpenAI's vocabulary file")
	}
	for _, token := range []string{"<|startoftext|>", "<|endoftext|>"} {
		if err := add(token); err != nil {
			return nil, nil, err
		}
	}
	v.WriteByte('}')
	return []byte(v.String()), []byte(m.String()), nil
}

// plainJSON is a JSON string whose <, > and & stay as they are.
func plainJSON(s string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// byteLetters returns the letters that stand for bytes in CLIP's vocabulary, in its order: printable bytes of
// Latin-1 stand for themselves, the others, which come behind them, are the letters from U+0100 on.
func byteLetters() []rune {
	var letters, others []rune
	for b := rune(0); b < 256; b++ {
		if '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b {
			letters = append(letters, b)
		} else {
			others = append(others, 0x100+rune(len(others)))
		}
	}
	return append(letters, others...)
}
