package clip

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The vocabulary and the expected ids were made by testdata/tokenizer.py with transformers' CLIPTokenizer.
func testTokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := NewTokenizer(readTestdata(t, "tokenizer_vocab.json"), readTestdata(t, "tokenizer_merges.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type tokenizerCase struct {
	Text string  `json:"text"`
	IDs  []int32 `json:"ids"`
}

func tokenizerCases(t testing.TB) []tokenizerCase {
	t.Helper()
	var cases []tokenizerCase
	if err := json.Unmarshal(readTestdata(t, "tokenizer_cases.json"), &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestEncodeEqualsTransformers(t *testing.T) {
	tok := testTokenizer(t)
	for _, c := range tokenizerCases(t) {
		if got := tok.Encode(c.Text); !slices.Equal(got, c.IDs) {
			t.Errorf("Encode(%q)\n got %v\nwant %v", c.Text, got, c.IDs)
		}
	}
}

// OpenAI's file holds the merges alone; the vocabulary that follows from them is the same.
func TestTokenizerFromOpenAIsFile(t *testing.T) {
	want := testTokenizer(t)
	_, merges, _ := strings.Cut(string(readTestdata(t, "tokenizer_merges.txt")), "\n")
	plain := []byte(`"bpe_simple_vocab_16e6.txt#version: 0.2` + "\n" + merges)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"plain": plain, "gzip": packed.Bytes()} {
		got, err := NewTokenizerOpenAI(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !maps.Equal(got.tokens, want.tokens) {
			t.Errorf("%s: another vocabulary", name)
		}
		for _, c := range tokenizerCases(t)[:30] {
			if ids := got.Encode(c.Text); !slices.Equal(ids, c.IDs) {
				t.Errorf("%s: Encode(%q) = %v, want %v", name, c.Text, ids, c.IDs)
			}
		}
	}
}

func TestPad(t *testing.T) {
	tok := testTokenizer(t)
	s, e := tok.Start(), tok.End()
	tests := []struct {
		name      string
		in, want  []int32
		truncated bool
	}{
		{"short", []int32{s, 5, e}, []int32{s, 5, e, e, e}, false},
		{"fits", []int32{s, 5, 6, 7, e}, []int32{s, 5, 6, 7, e}, false},
		{"one too many", []int32{s, 5, 6, 7, 8, e}, []int32{s, 5, 6, 7, e}, true},
		{"empty text", []int32{s, e}, []int32{s, e, e, e, e}, false},
	}
	for _, tt := range tests {
		got, truncated := tok.Pad(tt.in, 5)
		if !slices.Equal(got, tt.want) || truncated != tt.truncated {
			t.Errorf("%s: %v %v, want %v %v", tt.name, got, truncated, tt.want, tt.truncated)
		}
	}
}

func TestTokenizerRejects(t *testing.T) {
	tests := []struct{ name, vocab, merges, says string }{
		{"no JSON", "{", "", "vocab.json"},
		{"no start", `{"<|endoftext|>":0}`, "", StartOfText},
		{"no end", `{"<|startoftext|>":0}`, "", EndOfText},
		{"negative id", `{"<|startoftext|>":0,"<|endoftext|>":-1}`, "", "id -1"},
		{"huge id", `{"<|startoftext|>":0,"<|endoftext|>":2000000000}`, "", "id 2000000000"},
		{"same id", `{"<|startoftext|>":1,"<|endoftext|>":1}`, "", "both have id 1"},
		{"half a merge", `{"<|startoftext|>":0,"<|endoftext|>":1,"a":2}`, "#version: 0.2\na", "two tokens"},
		{"three tokens", `{"<|startoftext|>":0,"<|endoftext|>":1,"a":2}`, "a a a", "two tokens"},
		{"merge into nothing", `{"<|startoftext|>":0,"<|endoftext|>":1,"a":2}`, "a a", `no "aa"`},
	}
	for _, tt := range tests {
		_, err := NewTokenizer([]byte(tt.vocab), []byte(tt.merges))
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line that says %q", tt.name, err, tt.says)
		}
	}
	if _, err := NewTokenizerOpenAI([]byte{0x1F, 0x8B, 0}); err == nil {
		t.Error("a broken gzip file was accepted")
	}
}

// A word of any length costs little more than its length.
func TestLongWord(t *testing.T) {
	tok := testTokenizer(t)
	if n := len(tok.Encode(strings.Repeat("ride", 50_000))); n < 3 {
		t.Errorf("%d tokens", n)
	}
}

// Decoding the tokens gives the normalised text back, without its blanks.
func FuzzTokenizer(f *testing.F) {
	tok := testTokenizer(f)
	for _, c := range tokenizerCases(f) {
		f.Add(c.Text)
	}
	letters := map[rune]byte{}
	for b, r := range byteLetters {
		letters[r] = byte(b)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ids := tok.Encode(text)
		if len(ids) < 2 || ids[0] != tok.Start() || ids[len(ids)-1] != tok.End() {
			t.Fatalf("not framed: %v", ids)
		}
		if strings.Contains(text, "<|") || !utf8.ValidString(text) {
			return
		}
		var b []byte
		for _, id := range ids[1 : len(ids)-1] {
			for _, r := range strings.TrimSuffix(tok.Token(id), endOfWord) {
				b = append(b, letters[r])
			}
		}
		if want := strings.ReplaceAll(normalise(text), " ", ""); string(b) != want {
			t.Fatalf("%q became %q, want %q", text, b, want)
		}
		if padded, _ := tok.Pad(ids, 77); len(padded) != 77 {
			t.Fatalf("padded to %d", len(padded))
		}
	})
}
