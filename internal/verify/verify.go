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
	"slices"
	"strings"
	"time"
)

// A Summary counts the cases of a run.
type Summary struct {
	Passed, Failed, NotYet int
	Comparisons            int // arrays, files and properties compared in all
	Seconds                float64
}

// folder lists the cases of one folder of a set; its name is "" for the files at the top.
type folder struct {
	name  string
	cases func(s *set) []Case
}

// folders are all that a set may hold.
var folders = []folder{
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

// A Case is one line of the table.
type Case struct {
	Name   string
	NotYet string // why it cannot be run yet; empty for a case that runs
	run    func(ctx context.Context, c *check)
}

// later returns a case that cannot be run yet.
func later(name, reason string) Case { return Case{Name: name, NotYet: reason} }

// Cases lists what Run would do with the set in dir.
func Cases(dir string) ([]Case, error) {
	s, err := openSet(dir)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return s.plan(), nil
}

// Run runs every case of the set in dir and writes a table to out. The error is nil only if every case that
// can be run passes and the set holds nothing unknown.
func Run(ctx context.Context, dir string, out io.Writer) (Summary, error) {
	return RunOnly(ctx, dir, "", out)
}

// RunOnly is Run for the cases whose names begin with prefix, such as "tiny" or "full: VAE". Unless all are run, what
// the set holds beyond them is not judged. A prefix without a case is an error.
func RunOnly(ctx context.Context, dir, prefix string, out io.Writer) (Summary, error) {
	start := time.Now()
	s, err := openSet(dir)
	if err != nil {
		return Summary{}, err
	}
	defer s.close()
	var sum Summary
	cases := slices.DeleteFunc(s.plan(), func(c Case) bool { return !strings.HasPrefix(c.Name, prefix) })
	if len(cases) == 0 && prefix == "" {
		return Summary{}, fmt.Errorf("verify: %s: no reference data in it", dir)
	}
	if len(cases) == 0 {
		return Summary{}, fmt.Errorf("verify: %s: no case begins with %q", dir, prefix)
	}
	width := 4
	for _, c := range cases {
		width = max(width, len([]rune(c.Name)))
	}
	table := &table{out: out, width: width, sum: &sum}
	table.head()
	for _, c := range cases {
		if err := ctx.Err(); err != nil {
			return sum, err
		}
		table.row(c, runCase(ctx, s, c))
	}
	for _, u := range s.unknown() {
		if prefix != "" {
			break
		}
		table.row(Case{Name: u.name}, &check{problems: []string{u.problem}})
	}
	if err := ctx.Err(); err != nil {
		return sum, err
	}
	sum.Seconds = time.Since(start).Seconds()
	table.foot()
	if table.err != nil {
		return sum, table.err
	}
	if sum.Failed > 0 {
		return sum, fmt.Errorf("verify: %s: %d of %d cases failed", dir, sum.Failed, sum.Passed+sum.Failed)
	}
	return sum, nil
}

// runCase runs one case; a panic in it is a failure of that case alone.
func runCase(ctx context.Context, s *set, c Case) (result *check) {
	result = &check{set: s}
	if c.NotYet != "" {
		result.notYet = c.NotYet
		return result
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(abort); !ok {
				result.problem("internal error: %v", r)
			}
		}
	}()
	c.run(ctx, result)
	if len(result.problems) == 0 && result.comparisons == 0 && result.notYet == "" {
		result.problem("nothing was compared")
	}
	return result
}

// table writes the rows as they come.
type table struct {
	out   io.Writer
	width int
	sum   *Summary
	err   error
}

func (t *table) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, format, args...)
	}
}

func (t *table) head() {
	t.printf("%-*s  %10s  %10s  %s\n", t.width, "case", "error", "tolerance", "result")
}

func (t *table) row(c Case, r *check) {
	t.sum.Comparisons += r.comparisons
	largest, tolerance := "-", "-"
	if r.measured {
		largest, tolerance = fmt.Sprintf("%.2e", r.worst.err), fmt.Sprintf("%.2e", r.worst.tol)
		if r.worst.tol == 0 {
			tolerance = "exact"
		}
	} else if r.comparisons > 0 {
		largest, tolerance = "0", "exact"
	}
	result := "pass"
	switch {
	case len(r.problems) > 0:
		result = "FAIL"
		t.sum.Failed++
	case r.notYet != "":
		result = "not yet: " + r.notYet
		t.sum.NotYet++
	default:
		t.sum.Passed++
		if r.comparisons > 1 {
			result += fmt.Sprintf(" (%d compared", r.comparisons)
			if r.measured && r.worst.label != "" {
				result += ", nearest to its limit: " + r.worst.label
			}
			result += ")"
		}
	}
	t.printf("%-*s  %10s  %10s  %s\n", t.width, c.Name, largest, tolerance, result)
	for i, p := range r.problems {
		if i == maxProblems {
			t.printf("%-*s  and %d more\n", 2, "", len(r.problems)-i)
			break
		}
		t.printf("%-*s  %s\n", 2, "", strings.ReplaceAll(p, "\n", "; "))
	}
}

// maxProblems bounds what is printed of one case.
const maxProblems = 12

func (t *table) foot() {
	t.printf("%d passed, %d failed, %d not yet; %d comparisons in %.1f s\n",
		t.sum.Passed, t.sum.Failed, t.sum.NotYet, t.sum.Comparisons, t.sum.Seconds)
}

// abort ends a case whose files cannot be read; the problem has been noted.
type abort struct{}
