package weights

import (
	"fmt"
	"strings"
)

// A FormatError says what is wrong with a file as a file: cut short, not of the format, inconsistent.
type FormatError struct {
	File   string
	Reason string // what was found and what was expected, one line
}

func (e *FormatError) Error() string { return fmt.Sprintf("weights: %s: %s", e.File, e.Reason) }

// A MissingError says that a file lacks a tensor that the model wants.
type MissingError struct {
	File string
	Name string
	Want []int
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("weights: %s: no tensor %s, expected one of shape %v", e.File, e.Name, e.Want)
}

// A ShapeError says that a tensor of a file has another shape than the model wants.
type ShapeError struct {
	File      string
	Name      string
	Got, Want []int
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("weights: %s: %s: shape %v in the file, expected %v", e.File, e.Name, e.Got, e.Want)
}

// NonFinite counts the values of a tensor that are not numbers a model can compute with.
type NonFinite struct {
	Name     string
	NaN, Inf int
}

// Unreadable says why a tensor that a model wants has no values here: its type, or how it was saved.
type Unreadable struct {
	Name, Why string
}

// A CheckError lists everything that keeps a file from being the weights of a model.
type CheckError struct {
	File       string
	Missing    []MissingError
	Misshapen  []ShapeError
	Unreadable []Unreadable
	Unexpected []string
	NonFinite  []NonFinite
}

// Error names the file and the counts on the first line, then each tensor on a line of its own.
func (e *CheckError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "weights: %s: does not fit the model: %s", e.File, e.Summary())
	for _, m := range e.Missing {
		fmt.Fprintf(&b, "\n  missing     %s %v", m.Name, m.Want)
	}
	for _, m := range e.Misshapen {
		fmt.Fprintf(&b, "\n  misshapen   %s %v in the file, expected %v", m.Name, m.Got, m.Want)
	}
	for _, u := range e.Unreadable {
		fmt.Fprintf(&b, "\n  unreadable  %s: %s", u.Name, u.Why)
	}
	for _, n := range e.Unexpected {
		fmt.Fprintf(&b, "\n  unexpected  %s", n)
	}
	for _, n := range e.NonFinite {
		fmt.Fprintf(&b, "\n  not finite  %s: %d NaN, %d Inf", n.Name, n.NaN, n.Inf)
	}
	return b.String()
}

// Summary is the count of what is wrong: "2 missing, 1 unexpected".
func (e *CheckError) Summary() string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	add(len(e.Missing), "missing")
	add(len(e.Misshapen), "misshapen")
	add(len(e.Unreadable), "unreadable")
	add(len(e.Unexpected), "unexpected")
	add(len(e.NonFinite), "not finite")
	return strings.Join(parts, ", ")
}

// Empty says that nothing is wrong. It may be asked of nil.
func (e *CheckError) Empty() bool {
	return e == nil || len(e.Missing)+len(e.Misshapen)+len(e.Unreadable)+len(e.Unexpected)+len(e.NonFinite) == 0
}
