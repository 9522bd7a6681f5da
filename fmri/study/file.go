package study

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"percept/internal/cause"
	"percept/internal/spelling"
)

// A File is an experiment file that was read. What it asks for need not be possible: Check says so.
type File struct {
	Path   string
	Config Config // keys that were left out have the values of Example

	lines  map[string]int // of each key and section
	faults Faults         // unknown keys and values of another type
}

// Read reads a configuration file. The error is *Faults where the file is one of TOML: everything that is wrong with it by itself.
// Paths in it count from its folder.
func Read(path string) (Config, error) {
	f, err := Open(path)
	if err != nil {
		return Config{}, err
	}
	return f.Config, f.check(f.Config.faults())
}

// Open reads an experiment file without judging its values. The error is that of a file that cannot be read or is no TOML.
func Open(path string) (*File, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, expected an experiment file", path, cause.Of(err))
	}
	f, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f.Path = path
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &f.Config
	paths := []*string{&c.Model, &c.Load.Tokenizer, &c.Load.Config, &c.Features.From}
	if c.Simulate == nil {
		paths = append(paths, &c.Data)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return f, nil
}

// maxFile is far above what anybody writes by hand.
const maxFile = 4 << 20

// readBounded reads a file or a stream that ends.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = fmt.Errorf("larger than %d MiB", maxFile>>20)
	}
	return b, err
}

// Parse reads a configuration. The error is *Faults where the text is TOML.
func Parse(text []byte) (Config, error) {
	f, err := parse(text)
	if err != nil {
		return Config{}, err
	}
	return f.Config, f.check(f.Config.faults())
}

// check is the file's own faults and others, each with its line.
func (f *File) check(others *Faults) error {
	all := Faults{File: f.Path, All: slices.Clone(f.faults.All)}
	for _, one := range others.All {
		if !f.faults.about(one.Key) { // else it is a consequence
			all.All = append(all.All, one)
		}
	}
	all.place(f.lines)
	return all.err()
}

func parse(text []byte) (*File, error) {
	f, given, err := readKeys(text)
	if err == nil {
		f.Config.fillIn(given, defaults())
	}
	return f, err
}

// defaults are the values of keys that a file leaves out: those of Example.
var defaults = sync.OnceValue(func() Config {
	f, _, err := readKeys([]byte(Example))
	if err != nil || len(f.faults.All) > 0 {
		panic(fmt.Sprintf("study: the example: %v %v", err, f.faults.All))
	}
	return f.Config
})

// fillIn gives keys that are not given their defaults d. Those of names and of text whose absence says the same, as sessions, stay
// empty; [[fit]] stands in place of early and higher.
func (c *Config) fillIn(given map[string]bool, d Config) {
	fill(given, "seed", &c.Seed, d.Seed)
	if c.Simulate == nil {
		fill(given, "features.size", &c.Features.Size, d.Features.Size) // simulated pictures have the model's own
	}
	if !given["fit"] {
		fill(given, "decode.atlas", &c.Decode.Atlas, d.Decode.Atlas)
		fill(given, "decode.early", &c.Decode.Early, d.Decode.Early)
		fill(given, "decode.higher", &c.Decode.Higher, d.Decode.Higher)
	}
	fill(given, "decode.folds", &c.Decode.Folds, d.Decode.Folds)
	fill(given, "decode.alphas", &c.Decode.Alphas, d.Decode.Alphas)
	fill(given, "decode.min_ncsnr", &c.Decode.MinNCSNR, d.Decode.MinNCSNR)
	fill(given, "render.steps", &c.Render.Steps, d.Render.Steps)
	fill(given, "render.strength", &c.Render.Strength, d.Render.Strength)
	fill(given, "render.guidance", &c.Render.Guidance, d.Render.Guidance)
	fill(given, "render.images", &c.Render.Images, d.Render.Images)
	fill(given, "score.bootstrap", &c.Score.Bootstrap, d.Score.Bootstrap)
	fill(given, "score.permutations", &c.Score.Permutations, d.Score.Permutations)
	fill(given, "score.scenes", &c.Score.Scenes, d.Score.Scenes)
}

func fill[T any](given map[string]bool, key string, to *T, value T) {
	if !given[key] {
		*to = value
	}
}

// readKeys reads TOML. It goes on after keys that there are not and values of another type, which become faults of the file.
func readKeys(text []byte) (f *File, given map[string]bool, err error) {
	var all map[string]any
	var at *toml.DecodeError
	switch err := toml.Unmarshal(text, &all); {
	case errors.As(err, &at):
		line, column := at.Position()
		return nil, nil, fmt.Errorf("line %d, column %d: %s, expected TOML", line, column, strings.TrimPrefix(at.Error(), "toml: "))
	case err != nil:
		return nil, nil, err
	}
	f = &File{lines: lines(text)}
	given = map[string]bool{}
	assignAll(&f.faults, given, "", all, reflect.ValueOf(&f.Config).Elem())
	return f, given, nil
}

// lines finds the line of every key and section of TOML that can be read.
func lines(text []byte) map[string]int {
	at := map[string]int{}
	var p unstable.Parser
	p.Reset(text)
	section, count := "", map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			parts = append(parts, string(it.Node().Data))
			if line == 0 {
				line = p.Shape(it.Node().Raw).Start.Line
			}
		}
		key := strings.Join(parts, ".")
		switch e.Kind {
		case unstable.Table:
			section = key
		case unstable.ArrayTable:
			count[key]++
			section = fmt.Sprintf("%s.%d", key, count[key])
		case unstable.KeyValue:
			if section != "" {
				key = section + "." + key
			}
			at[key] = line
			continue
		default:
			continue
		}
		at[section] = line
		if _, ok := at[key]; !ok {
			at[key] = line
		}
	}
	return at
}

// assignAll puts the values of a table into a struct by the names in its tags, and notes which keys were given.
func assignAll(faults *Faults, given map[string]bool, section string, table map[string]any, v reflect.Value) {
	for _, name := range slices.Sorted(maps.Keys(table)) {
		key := strings.TrimPrefix(section+"."+name, ".")
		given[key] = true
		if field := fieldOf(v, name); field.IsValid() {
			assign(faults, given, key, table[name], field)
			continue
		}
		have := keys(v.Type())
		expected := strings.Join(have, ", ")
		if near := spelling.Nearest(name, have, len(name)/2+1); near != "" {
			expected = near + "? There are " + expected
		}
		faults.say(key, "%s: unknown key, expected %s", inFile(key), expected)
	}
}

func fieldOf(v reflect.Value, name string) reflect.Value {
	if i := slices.Index(keys(v.Type()), name); i >= 0 {
		return v.Field(i)
	}
	return reflect.Value{}
}

// keys are the names of a struct's fields in the file.
func keys(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		names = append(names, name)
	}
	return names
}

// assign gives a field its value, or notes of which type it should have been.
func assign(faults *Faults, given map[string]bool, key string, x any, to reflect.Value) {
	wrong := func(expected string) { faults.add(key, shown(x), "%s", expected) }
	switch to.Kind() {
	case reflect.String:
		if s, ok := x.(string); ok {
			to.SetString(s)
			return
		}
		wrong(`text in quotes`)
	case reflect.Bool:
		if b, ok := x.(bool); ok {
			to.SetBool(b)
			return
		}
		wrong("true or false")
	case reflect.Int:
		if n, ok := x.(int64); ok {
			to.SetInt(n)
			return
		}
		wrong("a whole number")
	case reflect.Uint64:
		if n, ok := x.(int64); ok && n >= 0 {
			to.SetUint(uint64(n))
			return
		}
		wrong(fmt.Sprintf("a whole number from 0 to %d", math.MaxInt64))
	case reflect.Float64:
		switch n := x.(type) {
		case int64:
			to.SetFloat(float64(n))
			return
		case float64:
			to.SetFloat(n)
			return
		}
		wrong("a number")
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		assign(faults, given, key, x, to.Elem())
	case reflect.Struct:
		if table, ok := x.(map[string]any); ok {
			assignAll(faults, given, key, table, to)
			return
		}
		faults.say(key, "%s = %v, expected a section [%s]", key, shown(x), key)
	case reflect.Slice:
		assignList(faults, given, key, x, to)
	}
}

// assignList gives a field of a list its values.
func assignList(faults *Faults, given map[string]bool, key string, x any, to reflect.Value) {
	list, ok := x.([]any)
	ofTables := to.Type().Elem().Kind() == reflect.Struct
	switch {
	case !ok && ofTables:
		faults.say(key, "%s = %v, expected sections [[%s]]", key, shown(x), key)
		return
	case !ok:
		faults.add(key, shown(x), "a list in brackets")
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list), len(list)))
	for i, one := range list {
		if ofTables {
			assign(faults, given, fmt.Sprintf("%s.%d", key, i+1), one, to.Index(i))
		} else {
			assign(faults, given, key, one, to.Index(i))
		}
	}
}

// shown is a value as people write it, in one line of bounded length.
func shown(x any) any {
	s, ok := x.(string)
	if !ok {
		s = fmt.Sprint(x)
	}
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	if ok {
		return s // which add puts in quotes
	}
	return literal(s)
}

// literal is text that is shown without quotes.
type literal string
