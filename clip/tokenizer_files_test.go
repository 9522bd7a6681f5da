package clip

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"runtime"
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
	f.Add([]byte(strings.Repeat("\x19", 100) + " " + strings.Repeat("\x19", 100)))
	f.Fuzz(func(t *testing.T, file []byte) {
		useTokenizer(t, func() (*Tokenizer, error) { return NewTokenizerOpenAI(file) })
	})
}

func useTokenizer(t *testing.T, open func() (*Tokenizer, error)) {
	tok, err := open()
	if err != nil {
		if strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000 {
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

// Opening a file takes no more than 16 times its size, whatever it says.
func TestTokenizerAllocates(t *testing.T) {
	special := `"<|startoftext|>":0,"<|endoftext|>":1`
	var vocab strings.Builder
	vocab.WriteString("{" + special)
	for i := range 20_000 {
		fmt.Fprintf(&vocab, `,"%x":%d`, i, i+2)
	}
	vocab.WriteString("}")
	packed := gzipped(t, bytes.Repeat([]byte("a b\n"), 1<<20))
	for name, open := range map[string]func() (int, error){
		"short tokens": func() (int, error) {
			_, err := NewTokenizer([]byte(vocab.String()), []byte("0 1\n"))
			return vocab.Len(), err
		},
		"one large id": func() (int, error) {
			vocab := `{"<|startoftext|>":0,"<|endoftext|>":4194303}`
			_, err := NewTokenizer([]byte(vocab), nil)
			return len(vocab), err
		},
		"the same merge": func() (int, error) {
			vocab, merges := "{"+special+`,"a":2,"aa":3}`, strings.Repeat("a a\n", 20_000)
			_, err := NewTokenizer([]byte(vocab), []byte(merges))
			return len(vocab) + len(merges), err
		},
		"short lines": func() (int, error) {
			merges := strings.Repeat("a\n", 20_000)
			_, err := NewTokenizer([]byte("{"+special+"}"), []byte(merges))
			return len(merges), err
		},
		"compressed": func() (int, error) {
			_, err := NewTokenizerOpenAI(packed)
			return len(packed), err
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		size, err := open()
		runtime.ReadMemStats(&after)
		const tables = 1 << 17 // of bytes, maps and a gzip reader, however small the file
		allocated := int(after.TotalAlloc-before.TotalAlloc) - size
		t.Logf("%s: %d bytes, %d allocated (%v)", name, size, allocated, err)
		if allocated > 16*size+tables {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, allocated, size)
		}
	}
}
