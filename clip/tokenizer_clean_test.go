package clip

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// cleanCases is testdata/tokenizer_clean.json, made by tokenizer_clean.py with the libraries that the published
// tokenizers use.
type cleanCases struct {
	Cases []struct {
		Text         string
		Transformers []int32
		OpenAI       []int32
		Ftfy         []int32
	}
	Decoded []struct {
		IDs  []int32
		Text string
	}
}

func readCleanCases(t testing.TB) cleanCases {
	t.Helper()
	var c cleanCases
	if err := json.Unmarshal(readTestdata(t, "tokenizer_clean.json"), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCleanings(t *testing.T) {
	tok := testTokenizer(t)
	for _, c := range readCleanCases(t).Cases {
		for cleaning, want := range [][]int32{CleanTransformers: c.Transformers, CleanOpenAI: c.OpenAI, CleanFtfy: c.Ftfy} {
			if got := tok.WithCleaning(Cleaning(cleaning)).Encode(c.Text); !slices.Equal(got, want) {
				t.Errorf("%v: Encode(%+q)\n got %v\nwant %v", Cleaning(cleaning), c.Text, got, want)
			}
		}
	}
}

func TestParseCleaning(t *testing.T) {
	for _, c := range []Cleaning{CleanTransformers, CleanOpenAI, CleanFtfy} {
		if got, err := ParseCleaning(c.String()); err != nil || got != c {
			t.Errorf("ParseCleaning(%q) = %v, %v", c, got, err)
		}
	}
	if _, err := ParseCleaning("none"); err == nil || !strings.Contains(err.Error(), `"none", expected transformers, openai, ftfy`) {
		t.Errorf("ParseCleaning(none): %v", err)
	}
	if got := Cleaning(7).String(); got != "Cleaning(7)" {
		t.Errorf("%q", got)
	}
}

// Python 3.11's str.lower.
func TestLower(t *testing.T) {
	tests := []struct{ text, want string }{
		{"ABC ÀÉ ẞ K Å ǅ Ⅷ Ⓐ", "abc àé ß k å ǆ ⅷ ⓐ"},
		{"İI", "i\u0307i"},
		{"ΣΊΣΥΦΟΣ", "σίσυφος"},
		{"Σ", "σ"},
		{"ΑΣ ΑΣ. ΑΣ'Α ΑΣ\u0301 ΑΣ\u0301Α", "ας ας. ασ'α ας\u0301 ασ\u0301α"},
		{"1Σ Α\u00adΣ ⓐΣ ªΣ 日Σ", "1σ α\u00adς ⓐς ªς 日σ"},
	}
	for _, tt := range tests {
		if got := lower(tt.text); got != tt.want {
			t.Errorf("lower(%+q) = %+q, want %+q", tt.text, got, tt.want)
		}
	}
}

func TestWithCleaningSharesTheVocabulary(t *testing.T) {
	tok := testTokenizer(t)
	other := tok.WithCleaning(CleanOpenAI)
	if tok.Cleaning() != CleanTransformers || other.Cleaning() != CleanOpenAI || other.vocabulary != tok.vocabulary {
		t.Errorf("%v, %v", tok.Cleaning(), other.Cleaning())
	}
}

func TestEncodeConcurrently(t *testing.T) {
	tok := testTokenizer(t)
	cases := readCleanCases(t).Cases
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, c := range cases {
				if got := tok.WithCleaning(CleanOpenAI).Encode(c.Text); !slices.Equal(got, c.OpenAI) {
					t.Errorf("Encode(%+q) = %v", c.Text, got)
				}
			}
		})
	}
	wg.Wait()
}

// Whatever the text, the ids are framed, exist, and are no more than the bytes that cleaning can make of it.
func FuzzCleanings(f *testing.F) {
	tok := testTokenizer(f)
	for _, c := range readCleanCases(f).Cases {
		f.Add(c.Text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, cleaning := range []Cleaning{CleanTransformers, CleanOpenAI, CleanFtfy} {
			tok := tok.WithCleaning(cleaning)
			ids := tok.Encode(text)
			if len(ids) < 2 || ids[0] != tok.Start() || ids[len(ids)-1] != tok.End() {
				t.Fatalf("%v: not framed: %v", cleaning, ids)
			}
			if len(ids) > 2+4*len(text) {
				t.Fatalf("%v: %d ids from %d bytes", cleaning, len(ids), len(text))
			}
			for _, id := range ids {
				if tok.Token(id) == "" {
					t.Fatalf("%v: no token %d", cleaning, id)
				}
			}
			if cut, lost := tok.Cut(text, 7); len(cut) != 7 || lost != "" && len(ids) <= 7 || !utf8.ValidString(lost) {
				t.Fatalf("%v: Cut(%q, 7) = %v, %q", cleaning, text, cut, lost)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	text := "Two zebras are grazing in a field of tall grass, riding a WAVE at sunset."
	for _, cleaning := range []Cleaning{CleanTransformers, CleanOpenAI, CleanFtfy} {
		tok := testTokenizer(b).WithCleaning(cleaning)
		b.Run(cleaning.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tok.Encode(text)
			}
		})
	}
}
