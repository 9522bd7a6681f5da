package clip

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// smallVocabulary is a file like OpenAI's bpe_simple_vocab_16e6.txt, of 522 tokens.
const smallVocabulary = "\"bpe_simple_vocab_16e6.txt#version: 0.2\nt h\nth e</w>\na n\nan d</w>\nh o\nho u\nhou s\nhous e</w>\n"

// The pair that follows from OpenAI's file makes the tokenizer that the file itself makes.
func TestFilesFromOpenAI(t *testing.T) {
	vocab, merges, err := FilesFromOpenAI([]byte(smallVocabulary))
	if err != nil {
		t.Fatal(err)
	}
	if v, m := string(vocab), string(merges); !strings.HasPrefix(v, `{"!": 0, "\"": 1, "#": 2, `) ||
		!strings.HasSuffix(v, `, "house</w>": 519, "<|startoftext|>": 520, "<|endoftext|>": 521}`) ||
		!strings.Contains(v, `, "<": 27, "=": 28, ">": 29, `) || !strings.HasPrefix(m, "#version: 0.2\nt h\nth e</w>\n") ||
		!strings.HasSuffix(m, "\nhous e</w>\n") {
		t.Errorf("written as %s and %s", v, m)
	}
	pair, err := NewTokenizer(vocab, merges)
	direct, err2 := NewTokenizerOpenAI([]byte(smallVocabulary))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	if pair.Size() != direct.Size() || pair.Merges() != direct.Merges() || pair.Size() != 256+256+8+2 {
		t.Errorf("%d tokens, %d merges; want %d, %d", pair.Size(), pair.Merges(), direct.Size(), direct.Merges())
	}
	for id := range int32(direct.Size()) {
		if pair.Token(id) != direct.Token(id) {
			t.Errorf("token %d is %q, want %q", id, pair.Token(id), direct.Token(id))
		}
	}
	if got, want := pair.Encode("The house and <tent> é"), direct.Encode("The house and <tent> é"); !slices.Equal(got, want) {
		t.Errorf("ids %v, want %v", got, want)
	}
}

func TestFilesFromOpenAIRejects(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "no merges",
		"\x1f\x8bnot gzip":         "gzip",
		"t h\nth x</w>\nt h\n":     "which exists",
		"t h\nthe end\n":           `has no "the"`,
		"a b c\n":                  "two tokens",
		"#version: 0.2\nt hello\n": `has no "hello"`,
	} {
		_, _, err := FilesFromOpenAI([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: %v, want one line with %q", text, err, want)
		}
	}
}

// A vocabulary file makes a vocabulary without gaps, or is refused in one line.
func FuzzFilesFromOpenAI(f *testing.F) {
	f.Add([]byte(smallVocabulary))
	f.Add([]byte("#version: 0.2\r\nt h\r\nth e</w>\r\n"))
	f.Add([]byte{0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1, 0, 0, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		vocab, merges, err := FilesFromOpenAI(b)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %q", err)
			}
			return
		}
		var ids map[string]int
		if err := json.Unmarshal(vocab, &ids); err != nil {
			t.Fatal(err)
		}
		n := strings.Count(string(merges), "\n") - 1
		if len(ids) != 512+n+2 {
			t.Fatalf("%d tokens of %d merges", len(ids), n)
		}
		seen := make([]bool, len(ids))
		for _, id := range ids {
			seen[id] = true
		}
		if slices.Contains(seen, false) {
			t.Fatal("an id is missing")
		}
	})
}
