// Package verify checks the program against a folder of reference values.
//
//	DIR ──► set (files, JSON, tensors) ──► folders: list of cases ──► run each ──► table, Summary
//	         └── what no case asked for is unknown, and a failure
//
// A folder of the set is one file of this package: it lists its cases, each a function that compares
// and says how far it was off. Sizes, seeds and tolerances come from the set's own files; the code
// knows the layout alone. Cases that the program cannot run yet are listed with the reason, so that a
// case nobody knows stands out.
//
// The tolerance of a float32 result is 10 times the error that the reference library itself has in
// float32, plus 1e-6 of the root mean square of the reference.
package verify

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// A Summary counts the cases of a run.
type Summary struct {
	Passed      int     `json:"passed"`
	Failed      int     `json:"failed"`
	NotYet      int     `json:"not_yet"`
	Comparisons int     `json:"comparisons"` // arrays, files and properties compared in all
	Seconds     float64 `json:"seconds"`
	Cases       []Case  `json:"cases"`
}

// A Case is what became of one case.
type Case struct {
	Name        string   `json:"name"`
	Result      string   `json:"result"`            // Pass, Fail or NotYet
	Error       *float64 `json:"error"`             // of the comparison nearest to its limit; nil: none, or not a number
	Tolerance   *float64 `json:"tolerance"`         // of the same; 0: exact
	Nearest     string   `json:"nearest,omitempty"` // what that compares
	Comparisons int      `json:"comparisons"`       //
	Why         string   `json:"why_not,omitempty"` // a case cannot be run yet, or not here
	Problems    []string `json:"problems,omitempty"`
}

// Results of a Case.
const (
	Pass   = "pass"
	Fail   = "fail"
	NotYet = "not yet"
)

// folders are all that a set may hold, with what lists their cases; "" is the files at the top.
var folders = []struct {
	name  string
	cases func(s *set) []testCase
}{
	{"", topCases},
	{"tiny", tinyCases},
	{"full_sd14", fullCases},
	{"schedulers", schedulerCases},
	{"tokenizer", tokenizerCases},
	{"images", imageCases},
	{"ridge", ridgeCases},
	{"metrics", metricsCases},
	{"nsd", nsdCases},
	{"formats", formatCases},
}

// A testCase is one line of the table.
type testCase struct {
	name string
	run  func(c *check)
}

// Run runs the cases of the set in dir whose names begin with prefix, such as "tiny" or "full: VAE", and writes a table
// to out; an empty prefix means all. The error is nil only if every case that can be run passes and the set holds
// nothing unknown; with a prefix, what the set holds beyond the cases is not judged. A prefix without a case is an error.
func Run(ctx context.Context, dir, prefix string, out io.Writer) (Summary, error) {
	start := time.Now()
	s, err := openSet(dir)
	if err != nil {
		return Summary{}, err
	}
	defer s.close()
	cases := slices.DeleteFunc(s.plan(), func(c testCase) bool { return !strings.HasPrefix(c.name, prefix) })
	if len(cases) == 0 && prefix == "" {
		return Summary{}, fmt.Errorf("verify: %s: no reference data in it", dir)
	} else if len(cases) == 0 {
		return Summary{}, fmt.Errorf("verify: %s: no case begins with %q", dir, prefix)
	}
	t := &report{out: out, width: 4}
	for _, c := range cases {
		t.width = max(t.width, len([]rune(c.name)))
	}
	t.printf("%-*s  %10s  %10s  %s\n", t.width, "case", "error", "tolerance", "result")
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return t.sum, err
		}
		t.row(c.name, runCase(ctx, s, c))
	}
	if prefix == "" {
		for _, u := range s.unknown() {
			t.row(u.name, &check{problems: []string{u.problem}})
		}
	}
	if err := ctx.Err(); err != nil {
		return t.sum, err
	}
	sum := &t.sum
	sum.Seconds = time.Since(start).Seconds()
	t.printf("%d passed, %d failed, %d not yet; %d comparisons in %.1f s\n", sum.Passed, sum.Failed, sum.NotYet, sum.Comparisons,
		sum.Seconds)
	if t.err == nil && sum.Failed > 0 {
		return *sum, fmt.Errorf("verify: %s: %d of %d cases failed", dir, sum.Failed, sum.Passed+sum.Failed)
	}
	return *sum, t.err
}

// runCase runs one case; a panic in it is a failure of that case alone.
func runCase(ctx context.Context, s *set, tc testCase) (c *check) {
	c = &check{ctx: ctx, set: s}
	defer func() {
		if r := recover(); r != nil {
			if a, ok := r.(abort); !ok {
				c.problem("internal error: %v", r)
			} else if a.err != nil {
				c.problem("%v", a.err)
			}
		}
		for _, end := range c.ends {
			_ = end()
		}
	}()
	tc.run(c)
	if len(c.problems) == 0 && c.comparisons == 0 {
		c.problem("nothing was compared")
	}
	return c
}

// report writes the rows as they come, and counts.
type report struct {
	out   io.Writer
	width int
	sum   Summary
	err   error
}

func (t *report) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, format, args...)
	}
}

// maxProblems bounds what is printed of one case.
const maxProblems = 12

func (t *report) row(name string, c *check) {
	t.sum.Comparisons += c.comparisons
	t.sum.Cases = append(t.sum.Cases, c.summary(name))
	largest, tolerance := "-", "-"
	if c.measured {
		largest, tolerance = fmt.Sprintf("%.2e", c.worst.err), fmt.Sprintf("%.2e", c.worst.tol)
		if c.worst.tol == 0 {
			tolerance = "exact"
		}
	} else if c.comparisons > 0 {
		largest, tolerance = "0", "exact"
	}
	result := "pass"
	switch {
	case len(c.problems) > 0:
		result = "FAIL"
		t.sum.Failed++
	case c.notYet != "":
		result = "not yet: " + c.notYet
		t.sum.NotYet++
	default:
		t.sum.Passed++
		if c.comparisons > 1 {
			result += fmt.Sprintf(" (%d compared", c.comparisons)
			if c.measured && c.worst.label != "" {
				result += ", nearest to its limit: " + c.worst.label
			}
			result += ")"
		}
	}
	t.printf("%-*s  %10s  %10s  %s\n", t.width, name, largest, tolerance, result)
	for i, p := range c.problems {
		if i == maxProblems {
			t.printf("%-*s  and %d more\n", 2, "", len(c.problems)-i)
			break
		}
		t.printf("%-*s  %s\n", 2, "", strings.ReplaceAll(p, "\n", "; "))
	}
}

// summary is what became of a case.
func (c *check) summary(name string) Case {
	s := Case{Name: name, Result: Pass, Comparisons: c.comparisons, Why: c.notYet, Problems: c.problems}
	switch {
	case len(c.problems) > 0:
		s.Result = Fail
	case c.notYet != "":
		s.Result = NotYet
	}
	if !c.measured && c.comparisons > 0 {
		s.Error, s.Tolerance = new(float64), new(float64)
	}
	if c.measured {
		s.Nearest = c.worst.label
		if !math.IsNaN(c.worst.err) && !math.IsInf(c.worst.err, 0) {
			s.Error = &c.worst.err
		}
		if !math.IsNaN(c.worst.tol) && !math.IsInf(c.worst.tol, 0) {
			s.Tolerance = &c.worst.tol
		}
	}
	return s
}
