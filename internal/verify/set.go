package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"percept/weights"
)

// A set is a folder of reference values. It remembers which of its files, tensors and keys the cases have
// asked for: the rest is unknown.
type set struct {
	dir    string
	files  map[string]bool // every file, by slash-separated path; true where a case knows it
	stores map[string]*weights.Store
	broken []unknown // what listing the cases came across
}

// unknown is a part of a set that no case knows, or that a case needs and the set lacks.
type unknown struct{ name, problem string }

// openSet lists the files of a folder.
func openSet(dir string) (*set, error) {
	st, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("verify: %s: no such folder of reference data", dir)
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("verify: %s: not a folder", dir)
	}
	s := &set{dir: dir, files: map[string]bool{}, stores: map[string]*weights.Store{}}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		s.files[filepath.ToSlash(rel)] = false
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("verify: %s: %w", dir, err)
	}
	if len(s.files) == 0 {
		return nil, fmt.Errorf("verify: %s: the folder is empty, expected reference data", dir)
	}
	return s, nil
}

func (s *set) close() {
	for _, st := range s.stores {
		_ = st.Close() // read only
	}
}

// plan lists the cases of all folders.
func (s *set) plan() []testCase {
	var cases []testCase
	for _, f := range folders {
		if f.name != "" && len(s.under(f.name+"/")) == 0 {
			s.lacks(f.name+"/", fmt.Errorf("the set has no such folder"))
			continue
		}
		cases = append(cases, f.cases(s)...)
	}
	return cases
}

// lacks notes what keeps cases from being listed.
func (s *set) lacks(name string, err error) { s.broken = append(s.broken, unknown{name, err.Error()}) }

// has reports whether the set holds a file.
func (s *set) has(file string) bool {
	_, ok := s.files[file]
	return ok
}

// under returns the files whose paths begin with prefix, sorted.
func (s *set) under(prefix string) []string {
	var list []string
	for f := range s.files {
		if strings.HasPrefix(f, prefix) {
			list = append(list, f)
		}
	}
	slices.Sort(list)
	return list
}

// knows tells that a case uses the files whose paths begin with prefix.
func (s *set) knows(prefix string) {
	for _, f := range s.under(prefix) {
		s.files[f] = true
	}
}

// path is where a file lies on disk; it is known from now on.
func (s *set) path(file string) string {
	if s.has(file) {
		s.files[file] = true
	}
	return filepath.Join(s.dir, filepath.FromSlash(file))
}

// read returns a file.
func (s *set) read(file string) ([]byte, error) {
	b, err := os.ReadFile(s.path(file))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read, expected a file of the reference set", s.path(file))
	}
	return b, nil
}

// json decodes a file; a key that v has no place for is an error.
func (s *set) json(file string, v any) error {
	b, err := s.read(file)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%s: %w", s.path(file), err)
	}
	return nil
}

// open returns the tensors of a file; it stays open until the set is closed.
func (s *set) open(file string) (*weights.Store, error) {
	if st := s.stores[file]; st != nil {
		return st, nil
	}
	st, err := weights.Open(s.path(file))
	if err == nil {
		s.stores[file] = st
	}
	return st, err
}

// unknown lists what has been missed and, after all cases have run, what nobody asked for.
func (s *set) unknown() []unknown {
	list := slices.Clone(s.broken)
	for f, claimed := range s.files {
		if !claimed {
			list = append(list, unknown{f, "unknown file: no case uses it"})
		}
	}
	for f, st := range s.stores {
		for _, name := range st.Unused() {
			list = append(list, unknown{f + ": " + name, "unknown tensor: no case uses it"})
		}
	}
	slices.SortFunc(list, func(a, b unknown) int { return strings.Compare(a.name, b.name) })
	return list
}

// open returns the tensors of a file, or ends the case.
func (c *check) open(file string) *weights.Store { return must(c.set.open(file)) }

// float32s reads a tensor, or ends the case.
func (c *check) float32s(file, name string) []float32 { return must(c.open(file).Float32(name)) }

// float64s reads a tensor in double precision, or ends the case.
func (c *check) float64s(file, name string) []float64 { return must(c.open(file).Float64(name)) }

// ints reads a tensor of integers, or ends the case.
func (c *check) ints(file, name string) []int64 { return must(c.open(file).Int64(name)) }

// holds reports whether a file has a tensor.
func (c *check) holds(file, name string) bool {
	_, _, ok := c.open(file).Info(name)
	return ok
}

// shape returns a tensor's shape, or ends the case where it has not the expected number of dimensions.
func (c *check) shape(file, name string, dims int) []int {
	_, shape, ok := c.open(file).Info(name)
	if !ok {
		c.must(fmt.Errorf("%s: no tensor %s", c.set.path(file), name))
	}
	if len(shape) != dims {
		c.must(fmt.Errorf("%s: %s has shape %v, expected %d dimensions", c.set.path(file), name, shape, dims))
	}
	return shape
}

// fromJSON decodes a file, or ends the case.
func fromJSON[T any](c *check, file string) (v T) {
	c.must(c.set.json(file, &v))
	return v
}

// rows reads a matrix of token ids.
func (c *check) rows(file, name string) [][]int32 {
	width := c.shape(file, name, 2)[1]
	if width == 0 {
		c.must(fmt.Errorf("%s: %s has no columns", c.set.path(file), name))
	}
	return slices.Collect(slices.Chunk(converted[int32](c.ints(file, name)), width))
}

// seed is the one that the set's generated weights and inputs come from.
func (c *check) seed() uint64 {
	return must(strconv.ParseUint(fromJSON[generatorChecks](c, generatorFile).Seed, 0, 64))
}

// measured is the error of a second computation of a reference value, as the report files give it.
type measured struct {
	MaxAbs        float64 `json:"max_abs"`
	RMS           float64 `json:"rms_ref"`
	MaxAbsOverRMS float64 `json:"max_abs_over_rms"`
	RelL2         float64 `json:"rel_l2"`
}

func (m measured) tolerance() float64 { return tolerance(m.MaxAbs, m.RMS) }
