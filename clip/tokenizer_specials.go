package clip

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"percept/internal/cause"
)

// specialNames are transformers' names of special tokens, in the order in which they are added to a vocabulary.
var specialNames = []string{"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"}

// namedToken is a special token as a file names it, by its text alone or with all fields.
type namedToken struct {
	addedToken
	plain bool
}

// readNamed reads a special token; nil for null. special says that the file leaves that key out of its tokens.
func readNamed(raw json.RawMessage, special bool) (*namedToken, error) {
	var text string
	switch {
	case string(raw) == "null":
		return nil, nil
	case json.Unmarshal(raw, &text) == nil:
		return &namedToken{addedToken{Content: text, Special: true, id: noID}, true}, nil
	}
	var a addedJSON
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, err
	}
	a.Special = a.Special || special
	return &namedToken{a.token(noID), false}, nil
}

// specials are special tokens by name, nil for one that is null, and those without name; older are the latter by the key of
// releases before 5, which counts only where the newer has none.
type specials struct {
	named        map[string]*namedToken
	extra, older []namedToken
}

// folderSpecials returns the special tokens that the files name.
func folderSpecials(files map[string][]byte, config map[string]json.RawMessage) (*specials, error) {
	f := &specials{named: map[string]*namedToken{}}
	if err := f.take(configFile, config, false); err != nil {
		return nil, err
	}
	if len(f.extra) == 0 {
		f.extra = f.older
	}
	f.older = nil
	if _, ok := config["added_tokens_decoder"]; ok {
		return f, nil
	}
	later := map[string]json.RawMessage{}
	if err := parseFile(files, specialsFile, &later); err != nil {
		return nil, err
	}
	return f, f.take(specialsFile, later, true)
}

// take takes the tokens of a file; special is readNamed's.
func (f *specials) take(file string, keys map[string]json.RawMessage, special bool) error {
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		raw := keys[key]
		var err error
		switch {
		case key == "extra_special_tokens":
			err = f.takeExtra(&f.extra, raw, special)
		case key == "additional_special_tokens": // the name before transformers 5
			err = f.takeExtra(&f.older, raw, special)
		case slices.Contains(specialNames, key) || strings.HasSuffix(key, "_token") && len(raw) > 0 && raw[0] == '"':
			f.named[key], err = readNamed(raw, special)
		}
		if err != nil {
			return fmt.Errorf("clip: %s: %s: expected a token: %w", file, key, cause.OfJSON(err))
		}
	}
	return nil
}

// takeExtra takes a list of tokens, or tokens by names that mean nothing here.
func (f *specials) takeExtra(to *[]namedToken, raw json.RawMessage, special bool) error {
	var list []json.RawMessage
	var byName map[string]json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		if json.Unmarshal(raw, &byName) != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			list = append(list, byName[name])
		}
	}
	for _, one := range list {
		n, err := readNamed(one, special)
		if err != nil {
			return err
		}
		if n != nil {
			*to = append(*to, *n)
		}
	}
	return nil
}
