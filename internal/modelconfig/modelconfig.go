// Package modelconfig reads the config.json files of diffusers and transformers, in which most keys have one
// value that Percept's networks have: another is an error that says so, a key without influence is passed over.
package modelconfig

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"percept/internal/cause"
	"percept/internal/pyjson"
)

// Fixed has keys that make another network with any value but these, spelled as in JSON. The first is the one
// that messages name.
type Fixed map[string][]string

// Parse reads a configuration over the values that the library takes for keys that a file lacks. model, such as
// "unet", begins every error. Keys that are null are errors where T has them, but for those that may be.
func Parse[T interface{ Validate() error }](model string, data []byte, defaults T, fixed Fixed, mayBeNull ...string) (T, error) {
	var none T
	data = pyjson.Standard(data)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return none, fmt.Errorf("%s: config: %w", model, cause.OfJSON(err))
	}
	wrong := Problems{Model: model}
	for _, key := range slices.Sorted(maps.Keys(fixed)) {
		if raw, ok := keys[key]; ok && !slices.Contains(fixed[key], string(raw)) {
			wrong.Add("%s is %s, only %s is supported", key, raw, fixed[key][0])
		}
	}
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("json"); string(keys[key]) == "null" && !slices.Contains(mayBeNull, key) {
			wrong.Add("%s is null", key)
		}
	}
	if err := wrong.Err(); err != nil {
		return none, err
	}
	c := defaults
	if err := json.Unmarshal(data, &c); err != nil {
		return none, fmt.Errorf("%s: config: %w", model, cause.OfJSON(err))
	}
	if err := c.Validate(); err != nil {
		return none, err
	}
	return c, nil
}

// Problems collects what is wrong with a configuration.
type Problems struct {
	Model string // begins the error
	list  []string
}

// Add adds a problem, which names the key.
func (p *Problems) Add(format string, args ...any) {
	p.list = append(p.list, fmt.Sprintf(format, args...))
}

// Positive adds a problem where a number is not positive.
func (p *Problems) Positive(key string, v int) {
	if v <= 0 {
		p.Add("%s is %d, expected a positive number", key, v)
	}
}

// Err is nil without problems, else one line with all of them.
func (p *Problems) Err() error {
	if len(p.list) == 0 {
		return nil
	}
	return fmt.Errorf("%s: config: %s", p.Model, strings.Join(p.list, "; "))
}
