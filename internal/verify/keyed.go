package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// keyed is a JSON object whose keys name cases; each key that is asked for is taken out, so that what
// is left at the end is unknown.
type keyed struct {
	c    *check
	file string
	left map[string]json.RawMessage
}

// keyed reads a JSON object, or ends the case.
func (c *check) keyed(file string) *keyed {
	return &keyed{c, file, fromJSON[map[string]json.RawMessage](c, file)}
}

// take decodes a key and removes it; it ends the case where the key is missing.
func (k *keyed) take(key string, v any) {
	raw, ok := k.left[key]
	if !ok {
		k.c.must(fmt.Errorf("%s: no key %q", k.c.set.path(k.file), key))
	}
	delete(k.left, key)
	if err := json.Unmarshal(raw, v); err != nil {
		k.c.must(fmt.Errorf("%s: key %q: %w", k.c.set.path(k.file), key, err))
	}
}

// fill takes every key that a struct has a tag for.
func (k *keyed) fill(v any) {
	s := reflect.ValueOf(v).Elem()
	for i := range s.NumField() {
		if key, ok := s.Type().Field(i).Tag.Lookup("json"); ok {
			k.take(key, s.Field(i).Addr().Interface())
		}
	}
}

// take decodes a key and removes it, or ends the case.
func take[T any](k *keyed, key string) (v T) {
	k.take(key, &v)
	return v
}

// end reports the keys that are left, but for those that need no check of their own: remarks, and those of cases in
// other functions. A known key that ends in "*" stands for all that begin so.
func (k *keyed) end(known ...string) {
	for _, key := range slices.Sorted(maps.Keys(k.left)) {
		if !slices.ContainsFunc(known, func(p string) bool {
			prefix, all := strings.CutSuffix(p, "*")
			return key == p || all && strings.HasPrefix(key, prefix)
		}) {
			k.c.problem("%s: unknown key %q: no case uses it", k.file, key)
		}
	}
}
