package clip

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"percept/internal/cause"
)

// The files of a tokenizer folder that decide ids, as transformers calls them.
const (
	tokenizerFile = "tokenizer.json"
	vocabFile     = "vocab.json"
	mergesFile    = "merges.txt"
	configFile    = "tokenizer_config.json"
	specialsFile  = "special_tokens_map.json"
	addedFile     = "added_tokens.json"
)

// NewTokenizerFolder makes the tokenizer of a folder of transformers out of its files by name, with the ids that
// transformers 5.24's CLIPTokenizer has for that folder: of tokenizer.json, where there is one, else of vocab.json and
// merges.txt; with the added tokens and the padding token that tokenizer_config.json or, in folders of earlier
// releases, special_tokens_map.json and added_tokens.json name. Settings that this package does not follow are errors that
// name them.
func NewTokenizerFolder(files map[string][]byte) (*Tokenizer, error) {
	vocab, merges, known, err := folderVocabulary(files)
	if err != nil {
		return nil, err
	}
	s, err := folderSettings(files, known)
	if err != nil {
		return nil, err
	}
	return newTokenizer(vocab, merges, s)
}

// folderVocabulary returns vocabulary and merges, and what tokenizer.json says besides; nil where there is none.
func folderVocabulary(files map[string][]byte) (map[string]int32, [][2]string, *tokenizerJSON, error) {
	if file, ok := files[tokenizerFile]; ok {
		j, err := readTokenizerJSON(file)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("clip: %s: %w", tokenizerFile, err)
		}
		return j.Model.Vocab, j.Model.Merges, j, nil
	}
	for _, name := range []string{vocabFile, mergesFile} {
		if _, ok := files[name]; !ok {
			return nil, nil, nil, fmt.Errorf("clip: no %s, expected %s, or %s and %s", name, tokenizerFile, vocabFile, mergesFile)
		}
	}
	vocab, merges, err := readPair(files[vocabFile], files[mergesFile])
	return vocab, merges, nil, err
}

// settings are what a tokenizer folder says besides its vocabulary.
type settings struct {
	unknown, padding string
	added            []addedToken // in the order in which they are added; the last of the same content counts
	length           int          // of a padded text; 0 where it is not told
}

// usualSettings are those of a vocabulary by itself.
func usualSettings() *settings {
	return &settings{unknown: EndOfText, padding: EndOfText,
		added: []addedToken{{Content: StartOfText, Special: true, id: noID}, {Content: EndOfText, Special: true, id: noID}}}
}

// noID is the id of an added token for which no file names one.
const noID = -1

// folderSettings reads what the files say as CLIPTokenizer.from_pretrained of transformers 5.24 does.
func folderSettings(files map[string][]byte, j *tokenizerJSON) (*settings, error) {
	config := map[string]json.RawMessage{}
	if err := parseFile(files, configFile, &config); err != nil {
		return nil, err
	}
	f, err := folderSpecials(files, config)
	if err != nil {
		return nil, err
	}
	added, err := folderAdded(files, config, f, j)
	if err != nil {
		return nil, err
	}
	named, extra := f.named, f.extra
	if len(extra) == 0 {
		extra = f.older
	}
	for _, name := range [...]string{"bos_token", "eos_token", "unk_token", "pad_token"} {
		if _, ok := named[name]; !ok {
			token := EndOfText
			if name == "bos_token" {
				token = StartOfText
			}
			named[name] = &namedToken{addedToken{Content: token, Special: true, id: noID}, true}
		}
	}
	s := usualSettings()
	s.added = added
	for name, want := range map[string]string{"bos_token": StartOfText, "eos_token": EndOfText} {
		if n := named[name]; n != nil && n.Content != want {
			return nil, fmt.Errorf("clip: %s: %s is %.40q, expected %s", configFile, name, n.Content, want)
		}
	}
	if n := named["unk_token"]; n != nil {
		s.unknown = n.Content
	}
	if n := named["pad_token"]; n != nil {
		s.padding = n.Content
	}
	s.addSpecials(named, extra)
	return s, s.readConfig(config, j)
}

// addSpecials adds the special tokens that are not added by a file of their own.
func (s *settings) addSpecials(named map[string]*namedToken, extra []namedToken) {
	own := map[string]bool{}
	for _, a := range s.added {
		own[a.Content] = true
	}
	var seen []namedToken
	add := func(n *namedToken) {
		if n != nil && !own[n.Content] && !slices.Contains(seen, *n) {
			seen = append(seen, *n)
			s.added = append(s.added, n.addedToken)
		}
	}
	for _, name := range specialNames {
		add(named[name])
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !slices.Contains(specialNames, name) {
			add(named[name])
		}
	}
	for i := range extra {
		add(&extra[i])
	}
}

// readConfig reads the settings that are no tokens.
func (s *settings) readConfig(config map[string]json.RawMessage, j *tokenizerJSON) error {
	sides := map[string]string{"padding_side": "right", "truncation_side": "right"}
	if j != nil && j.Padding != nil {
		sides["padding_side"] = strings.ToLower(j.Padding.Direction)
	}
	if j != nil && j.Truncation != nil {
		sides["truncation_side"] = strings.ToLower(j.Truncation.Direction)
	}
	for _, name := range slices.Sorted(maps.Keys(sides)) {
		side := sides[name]
		if raw, ok := config[name]; ok && json.Unmarshal(raw, &side) != nil || side != "right" {
			return fmt.Errorf("clip: %s is %.40q, expected right", name, side)
		}
	}
	if raw := string(config["split_special_tokens"]); raw != "" && raw != "false" && raw != "null" {
		return fmt.Errorf("clip: %s: split_special_tokens is %.40s, expected false", configFile, raw)
	}
	var length float64
	raw, ok := config["model_max_length"]
	if !ok {
		raw, ok = config["max_len"]
	}
	if ok && string(raw) != "null" {
		if err := json.Unmarshal(raw, &length); err != nil || length < 2 {
			return fmt.Errorf("clip: %s: model_max_length is %.40s, expected a number of tokens from 2 on", configFile, raw)
		}
	}
	if length <= maxID { // transformers writes 1e30 for a length that it does not know
		s.length = int(length)
	}
	return nil
}

// folderAdded returns the added tokens by id, of the first place that has them.
func folderAdded(files map[string][]byte, config map[string]json.RawMessage, f *specials, j *tokenizerJSON) ([]addedToken, error) {
	byID := map[int32]addedToken{}
	if raw, ok := config["added_tokens_decoder"]; ok {
		var decoder map[int32]addedJSON
		if err := json.Unmarshal(raw, &decoder); err != nil {
			return nil, fmt.Errorf("clip: %s: added_tokens_decoder: %w", configFile, cause.OfJSON(err))
		}
		for id, a := range decoder {
			byID[id] = a.token(id)
		}
	} else {
		var ids map[string]int32
		if err := parseFile(files, addedFile, &ids); err != nil {
			return nil, err
		}
		special := map[string]bool{}
		for _, name := range specialNames {
			if n := f.named[name]; n != nil {
				special[n.Content] = true
			}
		}
		for _, n := range f.extra {
			special[n.Content] = true
		}
		for content, id := range ids {
			byID[id] = addedToken{Content: content, Normalized: !special[content], Special: special[content]}
		}
		if j != nil {
			for _, a := range j.Added {
				byID[a.ID] = a.token(a.ID)
			}
		}
	}
	var added []addedToken
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		a := byID[id]
		a.id = id
		added = append(added, a)
	}
	return added, nil
}

// parseFile reads a JSON file into v where there is one.
func parseFile(files map[string][]byte, name string, v any) error {
	file, ok := files[name]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(file, v); err != nil {
		return fmt.Errorf("clip: %s: %w", name, cause.OfJSON(err))
	}
	return nil
}
