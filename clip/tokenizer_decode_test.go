package clip

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"percept/internal/ftfy"
)

func TestDecodeEqualsTransformers(t *testing.T) {
	tok := testTokenizer(t)
	for _, c := range readCleanCases(t).Decoded {
		if got := tok.Decode(c.IDs); got != c.Text {
			t.Errorf("Decode(%v) = %q, want %q", c.IDs, got, c.Text)
		}
	}
	if got := tok.Decode([]int32{-1, 1 << 30}); got != "" {
		t.Errorf("ids without token became %q", got)
	}
}

// unblanked is what Decode gives back of a text.
func unblanked(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestDecodeInvertsEncode(t *testing.T) {
	tok := testTokenizer(t)
	inner := func(text string) string {
		ids := tok.Encode(text)
		return tok.Decode(ids[1 : len(ids)-1])
	}
	for _, text := range []string{"", "a", "a photograph of an astronaut riding a horse", "the quick brown fox"} {
		if got := inner(text); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
	if got, want := inner("It's 3.14, HE SAID!"), "it 's 3 . 1 4 , he said !"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		runes := make([]rune, rng.IntN(30))
		for i := range runes {
			if runes[i] = rune(rng.IntN(0x7F)); rng.IntN(2) == 0 {
				runes[i] = rune(rng.IntN(0x1F000))
			}
		}
		text := strings.ToValidUTF8(strings.ReplaceAll(string(runes), "<", "("), "")
		if got, want := unblanked(inner(text)), unblanked(strings.TrimFunc(normalise(text), ftfy.IsSpace)); got != want {
			t.Fatalf("%+q came back as %+q, want %+q", text, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	tok := testTokenizer(t)
	tests := []struct {
		text string
		n    int
		kept string
		lost string
	}{
		{"", 4, "", ""},
		{"the fox jumps", 20, "the fox jumps", ""},
		{"the a", 4, "the a", ""},
		{"the a the horse", 4, "the a", "the horse"},
		{"a horse", 4, "a ho", "rse"}, // two tokens of this vocabulary
		{"the horse", 2, "", "the horse"},
		{"a the <|endoftext|> horse", 4, "a the", "<|endoftext|>horse"},
	}
	for _, tt := range tests {
		ids, lost := tok.Cut(tt.text, tt.n)
		kept, _, _ := strings.Cut(strings.TrimPrefix(tok.Decode(ids), StartOfText), EndOfText)
		if len(ids) != tt.n || ids[tt.n-1] != tok.End() || strings.TrimSpace(kept) != tt.kept || lost != tt.lost {
			t.Errorf("Cut(%q, %d) = %v (%q), %q, want %q and %q", tt.text, tt.n, ids, kept, lost, tt.kept, tt.lost)
		}
	}
	// In the middle of a letter of three bytes, each a token here.
	if ids, lost := tok.Cut("ไ", 4); len(ids) != 4 || lost != "\uFFFD" {
		t.Errorf("Cut in a letter: %v, %q", ids, lost)
	}
}

// By Python's bytes.decode("utf-8", "replace").
func TestValidUTF8(t *testing.T) {
	tests := []struct{ b, want string }{
		{"a\xe0\xb8", "a\uFFFD"},
		{"\xf0\x9f\x98x", "\uFFFDx"},
		{"\xf0\x80\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
		{"\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD"},
		{"\xe2\x82\xe2\x82\xac", "\uFFFD€"},
		{"\xc3\xff\x80é", "\uFFFD\uFFFD\uFFFDé"},
		{"\xf4\x90\x80", "\uFFFD\uFFFD\uFFFD"},
	}
	for _, tt := range tests {
		if got := validUTF8([]byte(tt.b)); got != tt.want {
			t.Errorf("%+q became %+q, want %+q", tt.b, got, tt.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	tok := testTokenizer(f)
	f.Add([]byte{1, 2, 255, 3})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		ids := make([]int32, len(b))
		longest := 0
		for i, c := range b {
			ids[i] = int32(c)*3 - 2
			longest = max(longest, len(tok.Token(ids[i])))
		}
		text := tok.Decode(ids)
		if !utf8.ValidString(text) || len(text) > len(ids)*longest*len("\uFFFD") {
			t.Fatalf("%v became %q", ids, text)
		}
	})
}
