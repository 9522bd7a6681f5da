package nn

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"percept/internal/spelling"
)

// A NameError says that a graph has no node of a name, or none that a glob fits.
type NameError struct {
	Name    string
	Nearest []string // the names that are most alike
}

func (e *NameError) Error() string {
	return fmt.Sprintf("nn: no node %q; nearest are %s", e.Name, strings.Join(e.Nearest, ", "))
}

// compileGlob translates the globs of Program.OnNode. ** beside a dot takes the dot along, so that
// "**.a" also fits "a" and "a.**" also fits "a".
func compileGlob(glob string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`\A`)
	for s := glob; s != ""; {
		switch {
		case strings.HasPrefix(s, "**.") && (len(s) == len(glob) || glob[len(glob)-len(s)-1] == '.'):
			b.WriteString(`(?:.*\.)?`)
			s = s[3:]
		case s == ".**":
			b.WriteString(`(?:\..*)?`)
			s = ""
		case strings.HasPrefix(s, "**"):
			b.WriteString(`.*`)
			s = s[2:]
		case s[0] == '*':
			b.WriteString(`[^.]*`)
			s = s[1:]
		case s[0] == '?':
			b.WriteString(`[^.]`)
			s = s[1:]
		case s[0] == '[' && strings.IndexByte(s, ']') > 1:
			end := strings.IndexByte(s, ']') + 1
			b.WriteString(s[:end])
			s = s[end:]
		default:
			b.WriteString(regexp.QuoteMeta(s[:1]))
			s = s[1:]
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("nn: pattern %q: %w", glob, err)
	}
	return re, nil
}

// nearest returns the three names with the least edit distance.
func nearest(name string, names []string) []string {
	type scored struct {
		name string
		d    int
	}
	all := make([]scored, len(names))
	for i, n := range names {
		all[i] = scored{n, spelling.Distance(name, n)}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(a.d, b.d) })
	var out []string
	for _, s := range all[:min(3, len(all))] {
		out = append(out, s.name)
	}
	return out
}
