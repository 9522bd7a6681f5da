package nsd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Sessions chooses recording sessions, which count from 1. The zero value is no choice, which means all unless who asks says
// otherwise.
type Sessions struct {
	All   bool  `json:"all,omitempty"`   // all, said in so many words
	First int   `json:"first,omitempty"` // sessions 1 to First
	List  []int `json:"list,omitempty"`  // or exactly these, ascending
}

// IsZero says whether nothing was chosen.
func (s Sessions) IsZero() bool { return !s.All && s.First == 0 && s.List == nil }

// Of lists the chosen sessions, ascending, which may have others than the known ones; all of these where no number was said.
func (s Sessions) Of(known []int) []int {
	switch {
	case s.List != nil:
		return s.List
	case s.First == 0:
		return known
	}
	var first []int
	for n := 1; n <= s.First; n++ {
		first = append(first, n)
	}
	return first
}

// ParseSessions reads nothing, "all", a number of sessions from the first on as "37", or a list of numbers and ranges, "1-10,12".
func ParseSessions(text string) (Sessions, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "all" {
		return Sessions{All: text == "all"}, nil
	}
	fail := func() (Sessions, error) {
		return Sessions{}, fmt.Errorf("%q, expected all, a number of sessions as 37, or a list as 1-10,12", text)
	}
	const most = 999
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > most {
			return fail()
		}
		return Sessions{First: n}, nil
	}
	var s Sessions
	for part := range strings.SplitSeq(text, ",") {
		lo, hi, isRange := strings.Cut(strings.TrimSpace(part), "-")
		a, err := strconv.Atoi(lo)
		b := a
		if err == nil && isRange {
			b, err = strconv.Atoi(hi)
		}
		if err != nil || a < 1 || b < a || b > most {
			return fail()
		}
		for n := a; n <= b; n++ {
			s.List = append(s.List, n)
		}
	}
	slices.Sort(s.List)
	if len(slices.Compact(slices.Clone(s.List))) != len(s.List) {
		return fail()
	}
	return s, nil
}

// String is how ParseSessions reads the choice, with a space after each comma; but a list of one session is its number.
func (s Sessions) String() string {
	switch {
	case s.List != nil:
		return Ranges(s.List)
	case s.First > 0:
		return strconv.Itoa(s.First)
	}
	return "all"
}

// Ranges writes ascending numbers as people do: "1-10, 12".
func Ranges(n []int) string {
	var parts []string
	for i := 0; i < len(n); {
		k := i
		for k+1 < len(n) && n[k+1] == n[k]+1 {
			k++
		}
		if k == i {
			parts = append(parts, strconv.Itoa(n[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", n[i], n[k]))
		}
		i = k + 1
	}
	return strings.Join(parts, ", ")
}

// Named writes sessions with their noun: session 3, sessions 1-2, 5.
func Named(n []int) string {
	if len(n) == 1 {
		return "session " + Ranges(n)
	}
	return "sessions " + Ranges(n)
}

// Listed writes sessions so that ParseSessions reads exactly them: one alone would be the number of the first ones.
func Listed(n []int) string {
	if len(n) == 1 && n[0] != 1 {
		return fmt.Sprintf("%d-%d", n[0], n[0])
	}
	return strings.ReplaceAll(Ranges(n), " ", "")
}
