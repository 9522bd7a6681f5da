package clip

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

// A few bytes that unpack to many are refused before those are there.
func TestTokenizerOpenAIRejectsBombs(t *testing.T) {
	_, err := NewTokenizerOpenAI(gzipped(t, make([]byte, 1<<22)))
	if err == nil || !strings.Contains(err.Error(), "unpacks to more than") {
		t.Errorf("%v", err)
	}
}

func TestTokenizerKeepsGaps(t *testing.T) {
	tok, err := NewTokenizer([]byte(`{"<|startoftext|>":5,"<|endoftext|>":4000000,"a</w>":0}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Size() != 4000001 || tok.Token(3) != "" || tok.Token(-1) != "" || tok.Token(5) != StartOfText {
		t.Errorf("size %d, tokens %q %q", tok.Size(), tok.Token(3), tok.Token(5))
	}
}

// Files of any content make a tokenizer that encodes, or an error of one line.
func FuzzNewTokenizer(f *testing.F) {
	f.Add(readTestdata(f, "tokenizer_vocab.json"), readTestdata(f, "tokenizer_merges.txt"))
	f.Add([]byte(`{"<|startoftext|>":0,"<|endoftext|>":1,"a":2,"aa</w>":3,"a</w>":9}`), []byte("#version: 0.2\na a</w>\n"))
	f.Add([]byte(`{"<|startoftext|>":0,"<|endoftext|>":4194303}`), []byte("\r\n"))
	f.Add([]byte(`{}`), []byte("a"))
	f.Fuzz(func(t *testing.T, vocab, merges []byte) {
		useTokenizer(t, func() (*Tokenizer, error) { return NewTokenizer(vocab, merges) })
	})
}

func FuzzNewTokenizerOpenAI(f *testing.F) {
	_, merges, _ := bytes.Cut(readTestdata(f, "tokenizer_merges.txt"), []byte("\n"))
	f.Add(merges)
	f.Add(gzipped(f, merges))
	f.Add([]byte{0x1F, 0x8B, 8, 0})
	f.Add([]byte("a b\na b\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		useTokenizer(t, func() (*Tokenizer, error) { return NewTokenizerOpenAI(file) })
	})
}

func useTokenizer(t *testing.T, open func() (*Tokenizer, error)) {
	tok, err := open()
	if err != nil {
		if strings.Contains(err.Error(), "\n") || len(err.Error()) > 500 {
			t.Fatalf("not one short line: %q", err)
		}
		return
	}
	ids := tok.Encode("aa a's <|endoftext|> é aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	for _, id := range ids {
		if id < 0 || int(id) >= tok.Size() {
			t.Fatalf("id %d of %d", id, tok.Size())
		}
	}
	tok.Decode(ids)
}
