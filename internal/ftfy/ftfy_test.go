package ftfy

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The cases were made by testdata/make_cases.py with ftfy 6.3.1; more files cases_*.jsonl may lie beside them.
func cases(t testing.TB) [][2]string {
	t.Helper()
	files, err := filepath.Glob("testdata/cases*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	var all [][2]string
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for d := json.NewDecoder(bufio.NewReader(f)); d.More(); {
			var c [2]string
			if err := d.Decode(&c); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, c)
		}
	}
	return all
}

func TestFixEqualsFtfy(t *testing.T) {
	for _, c := range cases(t) {
		if got := Fix(c[0]); got != c[1] {
			t.Errorf("Fix(%+q)\n got %+q\nwant %+q", c[0], got, c[1])
		}
	}
}

// By ftfy 6.3.1 all of them.
func TestFix(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "A man riding a wave.", "A man riding a wave."},
		{"Windows-1252", "cafÃ© â€œhelloâ€\u009d", "café \"hello\""},
		{"twice", "cafÃƒÂ©", "café"},
		{"lost bytes", "â€œ like this â€�", "\" like this �"},
		{"blank for A0", "voilÃ  le travail, Ã la mode", "voilà le travail, à la mode"},
		{"MacRoman", "caf√© √† la", "café à la"},
		{"Windows-1251", "вЂ”РџСЂРёРІРµС‚", "—Привет"},
		{"in parts", "日本 cafÃ© ž", "日本 café ž"},
		{"surrogates of three bytes", "smile í\u00a0½í¸\u0080", "smile 😀"},
		{"zero of two bytes", "aÀ\u0080b â€™", "ab '"},
		{"zero and a line break", "xÀ\n", "xÀ\n"},
		{"entities", "&lt;b&gt; &amp;amp; &EACUTE; &notit; &amp &#59;", "<b> & É &notit; &amp &#59;"},
		{"entities of HTML stay, to the end", "a &amp; b\n<p>&amp;\n&amp;", "a & b\n<p>&amp;\n&amp;"},
		{"line breaks", "a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd…e"},
		{"terminal", "\x1b[36;44mblue\x1b[0m \x1b[3", "blue [3"},
		{"controls", "a\x00b\x7fc\ufeffd\u206ae\tf\fg\vh", "abcde\tf\fgh"},
		{"widths", "ＬＯＵＤ　ﾀｰﾝ ￥", "LOUD ターン ¥"},
		{"ligatures", "ﬂuﬃeﬆ ŉ ǅ æ", "fluffiest 'n Dž æ"},
		{"quotes", "“a” ‘b’ „c‟ ʼ «d»", "\"a\" 'b' \"c\" ' «d»"},
		{"composition", "e\u0301 \u212b \u1112\u1161\u11ab", "é Å 한"},
		{"no UTF-8", "a\xffb", "a\ufffdb"},
	}
	for _, tt := range tests {
		if got := Fix(tt.text); got != tt.want {
			t.Errorf("%s: Fix(%+q) = %+q, want %+q", tt.name, tt.text, got, tt.want)
		}
	}
}

// A line is cut after a million characters: the sequence across the cut is not seen.
func TestFixCutsLongLines(t *testing.T) {
	got := Fix(strings.Repeat("x", maxSegment-1) + "Ã© Ã©")
	if want := "Ã© é"; !strings.HasSuffix(got, want) || len(got) != maxSegment-1+len(want) {
		t.Errorf("ends with %+q, want %+q", got[maxSegment-1:], want)
	}
	if got := firstSegment(strings.Repeat("é", maxSegment+5)); utf8.RuneCountInString(got) != maxSegment {
		t.Errorf("%d characters, want %d", utf8.RuneCountInString(got), maxSegment)
	}
}

// Text that would be fixed twenty thousand times comes to an end, if half fixed.
func TestFixEnds(t *testing.T) {
	for name, text := range map[string]string{
		"nested entities": "&" + strings.Repeat("amp;", 20_000),
		"chained letters": strings.Repeat("a ", 10) + "Ã" + strings.Repeat("ƒ", 20_000),
		"escapes":         strings.Repeat("\x1b[", 20_000),
		"marks":           "Ã©" + strings.Repeat("\u0301\u0344\u0323", 10_000),
	} {
		if got := Fix(text); len(got) > 2*len(text) {
			t.Errorf("%s: %d bytes from %d", name, len(got), len(text))
		}
	}
}

func TestSequencesFitTheMatcher(t *testing.T) {
	n := 0
	for _, s := range append(suspicious, atStart...) {
		n += len(s)
	}
	if max := 64 * len(bits{}); n > max {
		t.Errorf("%d positions, at most %d", n, max)
	}
}

func TestIsBad(t *testing.T) {
	tests := []struct {
		text string
		want bool
	}{
		{"", false}, {"café", false}, {"Œuvre", false}, {"cŒ", false}, {"cŒ\n", true},
		{"Ã la", true}, {"xÃ la", true}, {"x Ã la", true}, {"X Ã la", false}, {"\nÂ ", false},
		{"a\u0080", true}, {"×²", true}, {"x×y²", false}, {"2 £", false}, {"é£", true},
	}
	for _, tt := range tests {
		if got := isBad(tt.text); got != tt.want {
			t.Errorf("isBad(%+q) = %v, want %v", tt.text, got, tt.want)
		}
	}
}

// Above 30 marks in a row, norm inserts U+034F; NFC must not, and agree with norm below.
func TestNFC(t *testing.T) {
	for _, s := range []string{"", "abc", "e\u0301", "\u0344", "q\u0323\u0307 q\u0307\u0323", "\u09c7\u09be", "가\u11a8",
		"\u1100\u1161\u11a8", "\U0001d15e", "x\u0301\u0345\u0323"} {
		if got, want := NFC(s), norm.NFC.String(s); got != want {
			t.Errorf("NFC(%+q) = %+q, want %+q", s, got, want)
		}
		if got, want := compose(decompose(s)), norm.NFC.String(s); got != want {
			t.Errorf("by hand, NFC(%+q) = %+q, want %+q", s, got, want)
		}
	}
	many := strings.Repeat("\u0301", 40)
	if got, want := NFC("e"+many), "é"+many[2:]; got != want {
		t.Errorf("many marks: %+q, want %+q", got, want)
	}
	vowels := strings.Repeat("\u1161", 40)
	if got, want := NFC("\u1100"+vowels), "가"+vowels[3:]; got != want {
		t.Errorf("many vowels: %+q, want %+q", got, want)
	}
}

// Fixing ends, gives UTF-8 of a bounded length, and a fixed line stays as it is.
func FuzzFix(f *testing.F) {
	for _, c := range cases(f)[:200] {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Fix(text)
		if !utf8.ValidString(got) {
			t.Fatalf("%q became %q, no UTF-8", text, got)
		}
		if len(got) > 16*len(text) {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
		if !strings.ContainsAny(text+got, "\n<") {
			if again := Fix(got); again != got {
				t.Fatalf("%+q became %+q and then %+q", text, got, again)
			}
		}
	})
}

func BenchmarkFix(b *testing.B) {
	for name, text := range map[string]string{
		"caption":  "A man riding a wave on top of a surfboard.",
		"quotes":   "A man’s “wave” on top of a café.",
		"mojibake": "A manâ€™s â€œwaveâ€\u009d on top of a cafÃ©.",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Fix(text)
			}
		})
	}
}
