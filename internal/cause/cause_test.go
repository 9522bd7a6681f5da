package cause

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "file")
	_, open := os.Open(path)
	rename := os.Rename(path, path+"2")
	other := errors.New("other")
	for _, c := range []struct {
		err  error
		want string
	}{{open, "no such file or directory"}, {fmt.Errorf("reading: %w", open), "no such file or directory"},
		{rename, "no such file or directory"}, {other, "other"}} {
		if got := Of(c.err); got.Error() != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestOfJSON(t *testing.T) {
	long := strings.Repeat("3", 1000)
	var into struct {
		N    int32
		U    []uint64
		S    string
		F    float64
		B    bool
		Deep struct{ N int }
	}
	for _, c := range []struct{ text, want string }{
		{`{"N": "x"}`, "N is string, expected a whole number"},
		{`{"N": ` + long + `}`, "N is number 33333333333333333333333333333333333333333333333333333…, expected a whole number"},
		{`{"U": [-3]}`, "expected a whole number from 0 on"},
		{`{"U": {}}`, "U is object, expected a list"},
		{`{"S": 1}`, "S is number, expected a text"},
		{`{"F": []}`, "F is array, expected a number"},
		{`{"B": 0}`, "B is number, expected true or false"},
		{`{"Deep": {"N": 1.5}}`, "Deep.N is number 1.5, expected a whole number"},
		{`{"Deep": 3}`, "Deep is number, expected an object"},
		{`[]`, "it is array, expected an object"},
		{`{"N" 3}`, "byte 6: invalid character '3' after object key"},
		{`{"N": 3`, "byte 7: unexpected end of JSON input"},
	} {
		err := json.Unmarshal([]byte(c.text), &into)
		if err == nil {
			t.Errorf("%s: no error", c.text)
			continue
		}
		if got := OfJSON(err).Error(); !strings.Contains(got, c.want) || len(got) > 200 {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}
