package weights

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tokenizerDir is the tokenizer's folder in the layout.
const tokenizerDir = "tokenizer/"

// tokenizerNames are the files of a tokenizer folder that decide ids: transformers 5 writes the first for the next two, and
// the fourth for the last two.
var tokenizerNames = []string{
	"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
}

// vocabularies are the files, or pairs of files, with a vocabulary; of two the first is taken, as transformers 5 does.
var vocabularies = [][]string{{"tokenizer.json"}, {"vocab.json", "merges.txt"}}

// vocabularyIn returns the files of the vocabulary that there is, nil where there is none.
func vocabularyIn(has func(name string) bool) []string {
	for _, names := range vocabularies {
		if !slices.ContainsFunc(names, func(n string) bool { return !has(n) }) {
			return names
		}
	}
	return nil
}

// HasTokenizer reports whether the model has a tokenizer: tokenizer.json, or vocab.json and merges.txt.
func (f *Folder) HasTokenizer() bool {
	return vocabularyIn(func(name string) bool { return f.Has(tokenizerDir + name) }) != nil
}

// TokenizerFiles returns the files of the model's tokenizer by their names in its folder, those that there are, for
// clip.NewTokenizerFolder.
func (f *Folder) TokenizerFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range tokenizerNames {
		if !f.Has(tokenizerDir + name) {
			continue
		}
		b, err := f.Read(tokenizerDir + name)
		if err != nil {
			return nil, err
		}
		files[name] = b
	}
	if !f.HasTokenizer() {
		return nil, &FormatError{strings.TrimSuffix(f.Dir, "/") + "/tokenizer", "expected tokenizer.json, or vocab.json and merges.txt"}
	}
	return files, nil
}

// useTokenizer counts the vocabulary among the files that the model's numbers depend on. What the others change is in
// clip's Tokenizer.Settings, so that a file without effect does not make another model.
func (f *Folder) useTokenizer() {
	for _, name := range vocabularyIn(func(name string) bool { return f.Has(tokenizerDir + name) }) {
		if _, made := f.made[tokenizerDir+name]; !made {
			f.use(tokenizerDir+name, f.fsys, tokenizerDir+name)
		}
	}
}

// openAIVocabulary is the file of OpenAI's CLIP repository that the tokenizer's pair follows from.
const openAIVocabulary = "bpe_simple_vocab_16e6.txt"

// maxVocabularyFile bounds what a vocabulary file may have; the published one has 1.3 MB, and 3 MB unpacked.
const maxVocabularyFile = 64 << 20

// findTokenizer takes the tokenizer that the options name, or one beside the file.
func (f *Folder) findTokenizer(o ModelOptions) error {
	if o.Tokenizer != "" {
		return f.setTokenizer(o.Tokenizer, o)
	}
	dir := filepath.Dir(f.Dir)
	var tried []string
	if o.Config != "" {
		tried = append(tried, filepath.Join(o.Config, "tokenizer"))
	}
	vocabulary := filepath.Join(dir, openAIVocabulary)
	tried = append(tried, filepath.Join(dir, "tokenizer"), dir, vocabulary+".gz", vocabulary)
	for _, path := range tried {
		if isTokenizer(path) {
			return f.setTokenizer(path, o)
		}
	}
	if o.Partial || !slices.Contains(o.wanted(), TextEncoder) {
		return nil
	}
	return NoTokenizer(f.Dir)
}

// NoTokenizer is the error for a model that lacks its tokenizer.
func NoTokenizer(path string) error {
	return &FormatError{path, "there is no tokenizer, and a checkpoint holds none: --tokenizer has to name a folder with vocab.json and " +
		"merges.txt (those of openai/clip-vit-large-patch14), a tokenizer.json, or " + openAIVocabulary + ".gz (of OpenAI's CLIP repository), " +
		"or it has to lie beside the checkpoint"}
}

// isTokenizer reports whether there is something at path that setTokenizer takes.
func isTokenizer(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if !info.IsDir() {
		return true
	}
	return vocabularyIn(fileIn(path)) != nil
}

// fileIn says of a folder which files it has.
func fileIn(dir string) func(name string) bool {
	return func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
}

// ReadTokenizer reads the files of a tokenizer that ModelOptions.Tokenizer may name, as Folder.TokenizerFiles gives them.
func ReadTokenizer(path string, o ModelOptions) (map[string][]byte, error) {
	f := &Folder{Dir: path, Parts: map[Component]*Part{}, made: map[string][]byte{}}
	if err := f.setTokenizer(path, o); err != nil {
		return nil, err
	}
	return f.TokenizerFiles()
}

// setTokenizer makes the files of a folder, a tokenizer.json, or what follows from OpenAI's file, the model's tokenizer.
func (f *Folder) setTokenizer(path string, o ModelOptions) error {
	info, err := os.Stat(path)
	if err != nil {
		return pathError(path, err)
	}
	f.ownTokenizer = false
	f.used = slices.DeleteFunc(f.used, func(m ModelFile) bool { return strings.HasPrefix(m.Name, tokenizerDir) })
	for _, name := range []string{openAIVocabulary + ".gz", openAIVocabulary} {
		if st, err := os.Stat(filepath.Join(path, name)); info.IsDir() && !isTokenizer(path) && err == nil {
			path, info = filepath.Join(path, name), st
		}
	}
	if info.IsDir() {
		if !isTokenizer(path) {
			sub := filepath.Join(path, "tokenizer")
			if !isTokenizer(sub) {
				return &FormatError{path, "no tokenizer, expected tokenizer.json, vocab.json and merges.txt, or the file " + openAIVocabulary + ".gz"}
			}
			path = sub
		}
		return f.takeTokenizer(path)
	}
	if info.Size() > maxVocabularyFile {
		return &FormatError{path, fmt.Sprintf("%d bytes, expected a tokenizer.json or OpenAI's %s.gz (1.3 MB)", info.Size(), openAIVocabulary)}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return pathError(path, err)
	}
	if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("{")) { // tokenizer.json by itself
		f.made[tokenizerDir+"tokenizer.json"] = b
		f.use(tokenizerDir+"tokenizer.json", os.DirFS(filepath.Dir(path)), filepath.Base(path))
		return nil
	}
	if o.Vocabulary == nil {
		return &FormatError{path, "OpenAI's vocabulary file, expected vocab.json and merges.txt where nothing makes them of it"}
	}
	vocab, merges, err := o.Vocabulary(b)
	if err != nil {
		return &FormatError{path, strings.TrimPrefix(err.Error(), "clip: ")}
	}
	f.made[tokenizerDir+"vocab.json"], f.made[tokenizerDir+"merges.txt"] = vocab, merges
	f.use(tokenizerDir+openAIVocabulary, os.DirFS(filepath.Dir(path)), filepath.Base(path))
	return nil
}

// takeTokenizer makes the files of a tokenizer folder those of the model.
func (f *Folder) takeTokenizer(dir string) error {
	vocabulary := vocabularyIn(fileIn(dir))
	for _, name := range tokenizerNames {
		if !fileIn(dir)(name) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return pathError(filepath.Join(dir, name), err)
		}
		f.made[tokenizerDir+name] = b
		if slices.Contains(vocabulary, name) {
			f.use(tokenizerDir+name, os.DirFS(dir), name)
		}
	}
	return nil
}
