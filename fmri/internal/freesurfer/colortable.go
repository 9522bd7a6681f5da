package freesurfer

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"percept/fmri/internal/source"
)

// ColorEntry is one region of a colour table.
type ColorEntry struct {
	Number     int
	Name       string
	R, G, B, A uint8 // A is 255 where the region is opaque
}

// code is how an annot file names the region.
func (e ColorEntry) code() int32 { return int32(e.R) | int32(e.G)<<8 | int32(e.B)<<16 }

// ReadColorTable reads a table of lines "number name" or "number name red green blue transparency"; names have no blanks
// unless the colour is missing, as in NSD's tables. Empty lines and those that begin with # are passed over.
// FreeSurfer's fourth number is 0 where the region is opaque.
func ReadColorTable(path string) ([]ColorEntry, error) {
	b, err := source.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseColorTable(path, b)
}

func parseColorTable(path string, b []byte) ([]ColorEntry, error) {
	var table []ColorEntry
	seen := map[int]bool{}
	line := 0
	for text := range bytes.Lines(bytes.TrimPrefix(b, []byte("\ufeff"))) {
		line++
		words := strings.Fields(string(text))
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		fail := func(format string, args ...any) ([]ColorEntry, error) {
			return nil, fmt.Errorf("%s: colour table, line %d: %s", path, line, fmt.Sprintf(format, args...))
		}
		n, err := strconv.Atoi(words[0])
		if err != nil || n < 0 || n > math.MaxInt32 || len(words) < 2 {
			return fail("%.60q, expected a number from 0 and a name", strings.TrimSpace(string(text)))
		}
		if seen[n] {
			return fail("number %d is there twice", n)
		}
		seen[n] = true
		e := ColorEntry{Number: n, A: 255}
		if rgbt, ok := colour(words); ok {
			e.Name = words[1]
			e.R, e.G, e.B, e.A = rgbt[0], rgbt[1], rgbt[2], 255-rgbt[3]
		} else {
			for _, w := range words[2:] {
				if _, err := strconv.Atoi(w); err == nil && len(words) == 6 {
					return fail("%.60q, expected a colour of numbers from 0 to 255", strings.TrimSpace(string(text)))
				}
			}
			e.Name = strings.Join(words[1:], " ")
		}
		table = append(table, e)
	}
	if len(table) == 0 {
		return nil, fmt.Errorf("%s: colour table: no line with a number and a name", path)
	}
	return table, nil
}

// colour is the last four of six words, if they are all numbers from 0 to 255.
func colour(words []string) (rgbt [4]uint8, ok bool) {
	if len(words) != 6 {
		return rgbt, false
	}
	for i, w := range words[2:] {
		v, err := strconv.ParseUint(w, 10, 8)
		if err != nil {
			return rgbt, false
		}
		rgbt[i] = uint8(v)
	}
	return rgbt, true
}
