package htmlentity

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func read(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestLookupEqualsPython(t *testing.T) {
	var names map[string]string
	read(t, "names.json", &names)
	for name, want := range names {
		if got, ok := Lookup(name); !ok || got != want {
			t.Errorf("Lookup(%q) = %+q %v, want %+q", name, got, ok, want)
		}
		// A piece of a name, and more than one, are names only where the table says so.
		for _, other := range []string{name + "x", strings.TrimSuffix(name, ";") + "x;", name[:len(name)/2], strings.ToUpper(name)} {
			want, isName := names[other]
			if got, ok := Lookup(other); ok != isName || ok && got != want {
				t.Errorf("Lookup(%q) = %+q %v, want %+q %v", other, got, ok, want, isName)
			}
		}
	}
}

func TestUnescapeEqualsPython(t *testing.T) {
	var cases [][2]string
	read(t, "cases.json", &cases)
	for _, c := range cases {
		if got := Unescape(c[0]); got != c[1] {
			t.Errorf("Unescape(%+q)\n got %+q\nwant %+q", c[0], got, c[1])
		}
	}
}

// A number of any length is one character; Python gives up on more than 4300 digits.
func TestUnescapeLongNumber(t *testing.T) {
	for number, want := range map[string]string{strings.Repeat("9", 1<<16): "\uFFFD", strings.Repeat("0", 1<<16) + "65": "A"} {
		if got := Unescape("&#" + number + ";"); got != want {
			t.Errorf("&#%.5s…: %+q, want %+q", number, got, want)
		}
	}
}

func FuzzUnescape(f *testing.F) {
	var cases [][2]string
	read(f, "cases.json", &cases)
	for _, c := range cases[200:400] {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Unescape(text)
		if len(got) > 2*len(text) {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%+q became %+q", text, got)
		}
		if !strings.Contains(text, "&") && got != text {
			t.Fatalf("%+q became %+q", text, got)
		}
	})
}
