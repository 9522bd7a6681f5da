package nsd

import (
	"slices"
	"testing"
)

func TestParseSessions(t *testing.T) {
	for text, want := range map[string]string{"all": "all", "": "all", "37": "37", "1-3": "1-3", "2,1": "1-2", "1-2,5, 7-8": "1-2, 5, 7-8",
		"5-5": "5"} {
		s, err := ParseSessions(text)
		if err != nil || s.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, s, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "x", "3-1", "1,1", "1-3,2", "1,", "1000", "1-1000", "1.5"} {
		if s, err := ParseSessions(text); err == nil {
			t.Errorf("%q was read as %v", text, s)
		}
	}
}

func TestSessionsOf(t *testing.T) {
	known := []int{1, 2, 4}
	for _, c := range []struct {
		s    Sessions
		want []int
		zero bool
	}{
		{Sessions{}, known, true},
		{Sessions{All: true}, known, false},
		{Sessions{First: 3}, []int{1, 2, 3}, false},
		{Sessions{List: []int{2, 5}}, []int{2, 5}, false},
	} {
		if got := c.s.Of(known); !slices.Equal(got, c.want) {
			t.Errorf("%v of %v: %v, want %v", c.s, known, got, c.want)
		}
		if c.s.IsZero() != c.zero {
			t.Errorf("%+v: zero %v", c.s, c.s.IsZero())
		}
	}
}

func FuzzParseSessions(f *testing.F) {
	for _, s := range []string{"all", "37", "1-10,12", "3-", "-", ",", "1-999,1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSessions(text)
		if err != nil || len(s.List) < 2 {
			return
		}
		again, err := ParseSessions(s.String())
		if err != nil || !slices.Equal(again.List, s.List) {
			t.Errorf("%q is %v, which is read as %v (%v)", text, s, again, err)
		}
	})
}
