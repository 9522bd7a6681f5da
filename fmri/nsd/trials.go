package nsd

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"percept/fmri"
)

// Trial is one presentation of an image.
type Trial struct {
	Image   ImageID
	Session int // recording session, from 1 as in the files
	Index   int // 0-based within the session: the row of its betas
	Repeat  int // 0 the first time the subject sees the image
	Shared  bool
}

// Trials reads which images the subject saw, in order, from responses.tsv, and checks that the design agrees: the same
// image by nsd_expdesign.mat for every trial, or an error that names the first one that differs.
func (d *Dataset) Trials(s fmri.Subject) ([]Trial, error) {
	path := d.Paths.Responses(s)
	f, err := os.Open(path)
	if err != nil {
		return nil, missing(path, fmt.Sprintf("the list of %s's trials and the images they show", s), err)
	}
	defer f.Close()
	number, err := subjectNumber(s)
	if err != nil {
		return nil, err
	}
	design, err := d.Design()
	if err != nil {
		return nil, err
	}
	var trials []Trial
	var tenK []int
	var cols map[string]int
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for line := 1; sc.Scan(); line++ {
		text := strings.TrimRight(strings.TrimPrefix(sc.Text(), "\ufeff"), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		fields := strings.Split(text, "\t")
		if cols == nil {
			if cols, err = columns(fields, "SESSION", "73KID"); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			continue
		}
		get := func(name string) (int, bool, error) {
			c, ok := cols[name]
			if !ok {
				return 0, false, nil
			}
			if c >= len(fields) {
				return 0, false, fmt.Errorf("%s: line %d has %d columns, the header %d", path, line, len(fields), len(cols))
			}
			v, err := whole(fields[c])
			if err != nil || v < 1 {
				return 0, false, fmt.Errorf("%s: line %d: %s is %q, expected a whole number from 1", path, line, name, fields[c])
			}
			return v, true, nil
		}
		session, _, err := get("SESSION")
		if err != nil {
			return nil, err
		}
		id, _, err := get("73KID")
		if err != nil {
			return nil, err
		}
		if n, ok, err := get("SUBJECT"); err != nil {
			return nil, err
		} else if ok && n != number {
			return nil, fmt.Errorf("%s: line %d is of subject %d, expected %d", path, line, n, number)
		}
		if n, ok, err := get("10KID"); err != nil {
			return nil, err
		} else if ok {
			tenK = append(tenK, n)
		}
		tr := Trial{Image: ImageIDFrom73k(id), Session: session}
		if k := len(trials); k > 0 && trials[k-1].Session == session {
			tr.Index = trials[k-1].Index + 1
		} else if k > 0 && trials[k-1].Session > session {
			return nil, fmt.Errorf("%s: line %d: session %d after session %d", path, line, session, trials[k-1].Session)
		}
		trials = append(trials, tr)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(trials) == 0 {
		return nil, fmt.Errorf("%s: no trials in it", path)
	}
	if err := design.check(s, trials, tenK, path); err != nil {
		return nil, err
	}
	shared, seen := design.SharedSet(), make(map[ImageID]int)
	for i := range trials {
		tr := &trials[i]
		tr.Shared = shared[tr.Image]
		tr.Repeat = seen[tr.Image]
		seen[tr.Image]++
	}
	return trials, nil
}

// columns finds columns by name; those asked for must be there.
func columns(header []string, want ...string) (map[string]int, error) {
	cols := make(map[string]int)
	for i, h := range header {
		cols[strings.TrimSpace(h)] = i
	}
	for _, w := range want {
		if _, ok := cols[w]; !ok {
			return nil, fmt.Errorf("no column %s; the header is %s", w, strings.Join(header, " "))
		}
	}
	return cols, nil
}

// whole parses a whole number, also one written as a float: some exports turn columns with NaN into floats.
func whole(s string) (int, error) {
	s = strings.TrimSpace(s)
	if n, err := strconv.Atoi(s); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int(f)) {
		return 0, fmt.Errorf("%q is no whole number", s)
	}
	return int(f), nil
}

// FirstSeen is the images of the trials in the order of their first presentation.
func FirstSeen(trials []Trial) []ImageID {
	var ids []ImageID
	for _, t := range trials {
		if t.Repeat == 0 {
			ids = append(ids, t.Image)
		}
	}
	return slices.Clip(ids)
}
