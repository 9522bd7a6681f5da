package study

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Fault is one thing that is wrong with an experiment.
type Fault struct {
	Key  string // in the file, as "render.size"; of the third fit "fit.3.x"
	Line int    // of the key in the file, from 1; 0 where it is not known
	Text string // what was found and what was expected, with the key in front as it stands in the file
}

// Faults is everything that is wrong with an experiment, as an error. What is known of the data and of the model is in it as well.
type Faults struct {
	File string // that the experiment was read from; empty: it was not
	All  []Fault
}

// Error is all lines.
func (f *Faults) Error() string { return strings.Join(f.Lines(), "\n") }

// Lines is a line for each fault, in the order of the file; the last counts them where there are several.
func (f *Faults) Lines() (lines []string) {
	prefix := ""
	if f.File != "" {
		prefix = f.File + ": "
	}
	for _, one := range f.All {
		at := ""
		if one.Line > 0 {
			at = fmt.Sprintf("line %d: ", one.Line)
		}
		lines = append(lines, prefix+at+strings.NewReplacer("\n", "; ", "\r", "").Replace(one.Text))
	}
	if len(lines) > 1 {
		lines = append(lines, fmt.Sprintf("%s%d faults; nothing was made", prefix, len(f.All)))
	}
	return lines
}

// err is f, or nil where nothing is wrong: a nil *Faults is an error that is not nil.
func (f *Faults) err() error {
	if len(f.All) == 0 {
		return nil
	}
	return f
}

// add notes what is wrong with the value of a key: "[render] size = 100, expected …".
func (f *Faults) add(key string, value any, expected string, args ...any) {
	if s, ok := value.(string); ok {
		value = fmt.Sprintf("%q", s)
	}
	f.say(key, "%s = %v, expected %s", inFile(key), value, fmt.Sprintf(expected, args...))
}

// say notes what is wrong in words that name the key. The same is said once.
func (f *Faults) say(key, format string, args ...any) {
	one := Fault{Key: key, Text: fmt.Sprintf(format, args...)}
	if !slices.ContainsFunc(f.All, func(o Fault) bool { return o.Text == one.Text }) {
		f.All = append(f.All, one)
	}
}

// about says whether something is wrong with a key or one below it.
func (f *Faults) about(keys ...string) bool {
	return slices.ContainsFunc(f.All, func(o Fault) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return o.Key == key || strings.HasPrefix(o.Key, key+".") })
	})
}

// place gives faults the lines of their keys, or of the nearest section around them, and their order in the file.
func (f *Faults) place(lines map[string]int) {
	for i := range f.All {
		for key := f.All[i].Key; f.All[i].Line == 0 && key != ""; {
			f.All[i].Line = lines[key]
			key = key[:max(0, strings.LastIndexByte(key, '.'))]
		}
	}
	slices.SortStableFunc(f.All, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
}

// inFile is a key as it stands in the file: "[render] size", "[[fit]] 3 x", "seed".
func inFile(key string) string {
	section, name, ok := strings.Cut(key, ".")
	if !ok {
		return key
	}
	if section == "fit" {
		number, name, _ := strings.Cut(name, ".")
		return strings.TrimSpace("[[fit]] " + number + " " + name)
	}
	return "[" + section + "] " + name
}
