package freesurfer

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"percept/fmri/internal/source"
)

// Label is a list of vertices, or of points in a volume.
type Label struct {
	Comment string
	Index   []int32      // vertex numbers; -1 for points of a volume
	XYZ     [][3]float32 // millimetres
	Values  []float32    // a statistic for each
}

// ReadLabel reads a label file: a comment, the number of rows, then rows of index, x, y, z and value.
func ReadLabel(path string) (*Label, error) {
	b, err := source.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseLabel(path, b)
}

func parseLabel(path string, b []byte) (*Label, error) {
	l := &Label{}
	line, want := 0, -1
	for text := range bytes.Lines(b) {
		line++
		fail := func(format string, args ...any) (*Label, error) {
			return nil, fmt.Errorf("%s: FreeSurfer label, line %d: %s", path, line, fmt.Sprintf(format, args...))
		}
		trimmed := strings.TrimSpace(string(text))
		if line == 1 {
			if !strings.HasPrefix(trimmed, "#") {
				return fail("%.40q, expected a comment that begins with #", trimmed)
			}
			l.Comment = strings.TrimSpace(trimmed[1:])
			continue
		}
		words := strings.Fields(trimmed)
		switch {
		case len(words) == 0:
		case want < 0:
			n, err := strconv.Atoi(trimmed)
			if err != nil || n < 0 || n > len(b)/10 { // a row has at least five numbers and four blanks
				return fail("%.40q, expected the number of rows, which the file's %d bytes can hold", trimmed, len(b))
			}
			want = n
		case len(l.Index) == want:
			return fail("more than %d rows", want)
		default:
			if err := l.row(words); err != nil {
				return fail("%.60q: %v", trimmed, err)
			}
		}
	}
	if want < 0 || len(l.Index) < want {
		return nil, fmt.Errorf("%s: FreeSurfer label: ends after %d rows, expected %d", path, len(l.Index), max(want, 0))
	}
	return l, nil
}

func (l *Label) row(words []string) error {
	if len(words) != 5 {
		return fmt.Errorf("%d columns, expected index, x, y, z and value", len(words))
	}
	v, err := strconv.ParseInt(words[0], 10, 32)
	if err != nil || v < -1 {
		return fmt.Errorf("vertex %q, expected a number from 0, or -1", words[0])
	}
	var x [4]float32
	for i, w := range words[1:] {
		f, err := strconv.ParseFloat(w, 32)
		if err != nil {
			return fmt.Errorf("%q is not a number", w)
		}
		x[i] = float32(f)
	}
	l.Index = append(l.Index, int32(v))
	l.XYZ = append(l.XYZ, [3]float32{x[0], x[1], x[2]})
	l.Values = append(l.Values, x[3])
	return nil
}
