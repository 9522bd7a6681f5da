package verify

import (
	"encoding/json"
	"fmt"
	"maps"
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
	k := &keyed{c: c, file: file}
	c.json(file, &k.left)
	return k
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

// skip removes keys that need no check of their own: remarks, and those of cases in other functions.
func (k *keyed) skip(keys ...string) {
	for _, key := range keys {
		delete(k.left, key)
	}
}

// skipPrefix removes all keys that begin so.
func (k *keyed) skipPrefix(prefix string) {
	for key := range k.left {
		if strings.HasPrefix(key, prefix) {
			delete(k.left, key)
		}
	}
}

// end reports what is left.
func (k *keyed) end() {
	for _, key := range slices.Sorted(maps.Keys(k.left)) {
		k.c.problem("%s: unknown key %q: no case uses it", k.file, key)
	}
}
