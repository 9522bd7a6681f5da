package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// openSingle opens a checkpoint file as the folder it would be.
func openSingle(file string, o ModelOptions) (_ *Folder, err error) {
	if o.Variant != "" {
		return nil, &FormatError{file, fmt.Sprintf("a single file, of which there is no variant %s", o.Variant)}
	}
	s, err := Open(file)
	if err != nil {
		return nil, err
	}
	f := &Folder{Dir: file, Parts: map[Component]*Part{}, made: map[string][]byte{}, stores: []*Store{s}}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	contents := s.Contents()
	if err := contents.supported(file, o); err != nil {
		return nil, err
	}
	if o.EMA {
		if s, err = s.UseEMA(); err != nil {
			return nil, err
		}
	}
	if err := checkSchedule(s); err != nil {
		return nil, err
	}
	name := filepath.Base(file)
	if o.EMA {
		name += " (EMA)"
	}
	f.use(name, os.DirFS(filepath.Dir(file)), filepath.Base(file))
	for _, c := range o.wanted() {
		if _, ok := contents.Dialects[c]; !ok && o.Partial {
			continue
		}
		if err := f.addPart(c, s, o); err != nil {
			return nil, err
		}
	}
	if len(f.Parts) == 0 {
		return nil, &FormatError{file, "no U-Net, VAE or text encoder of Stable Diffusion v1: " +
			"no names that the original code or diffusers gives them"}
	}
	f.made[schedulerFile] = []byte(schedulerConfig)
	if err := f.takeIfThere(o.Config, schedulerFile); err != nil {
		return nil, err
	}
	return f, f.findTokenizer(o)
}

// addPart adds a component of the file s.
func (f *Folder) addPart(c Component, s *Store, o ModelOptions) error {
	view, err := s.Component(c)
	if err != nil {
		return err
	}
	name := string(c) + "/config.json"
	p := &Part{Store: view, File: f.stores[0], ConfigFile: fmt.Sprintf("%s (configuration of the %s, inferred)", f.Dir, c.Title())}
	if err := f.takeIfThere(o.Config, name); err != nil {
		return err
	}
	if b, ok := f.made[name]; ok {
		p.Config, p.ConfigFile = b, filepath.Join(o.Config, filepath.FromSlash(name))
	} else if p.Config, err = InferConfig(view, c); err != nil {
		return err
	}
	f.made[name] = p.Config
	f.Parts[c] = p
	return nil
}

// takeIfThere makes a file of dir, unless that is empty, a file of the model.
func (f *Folder) takeIfThere(dir, name string) error {
	if dir == "" {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(dir); err != nil {
			return pathError(dir, err)
		}
		return nil
	case err != nil:
		return pathError(filepath.Join(dir, filepath.FromSlash(name)), err)
	}
	f.made[name] = b
	f.use(name, os.DirFS(dir), name)
	return nil
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
		"merges.txt (those of openai/clip-vit-large-patch14) or " + openAIVocabulary + ".gz (of OpenAI's CLIP repository), " +
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
	_, err = os.Stat(filepath.Join(path, "vocab.json"))
	_, err2 := os.Stat(filepath.Join(path, "merges.txt"))
	return err == nil && err2 == nil
}

// setTokenizer makes the pair of a folder, or what follows from OpenAI's file, the model's tokenizer.
func (f *Folder) setTokenizer(path string, o ModelOptions) error {
	info, err := os.Stat(path)
	if err != nil {
		return pathError(path, err)
	}
	f.used = slices.DeleteFunc(f.used, func(m ModelFile) bool { return strings.HasPrefix(m.Name, "tokenizer/") })
	for _, name := range []string{openAIVocabulary + ".gz", openAIVocabulary} {
		if st, err := os.Stat(filepath.Join(path, name)); info.IsDir() && !isTokenizer(path) && err == nil {
			path, info = filepath.Join(path, name), st
		}
	}
	if info.IsDir() {
		if !isTokenizer(path) {
			sub := filepath.Join(path, "tokenizer")
			if !isTokenizer(sub) {
				return &FormatError{path, "no tokenizer, expected vocab.json and merges.txt, or the file " + openAIVocabulary + ".gz"}
			}
			path = sub
		}
		for _, name := range []string{vocabFile, mergesFile} {
			base := filepath.Base(name)
			if f.made[name], err = os.ReadFile(filepath.Join(path, base)); err != nil {
				return pathError(filepath.Join(path, base), err)
			}
			f.use(name, os.DirFS(path), base)
		}
		return nil
	}
	if info.Size() > maxVocabularyFile {
		return &FormatError{path, fmt.Sprintf("%d bytes, expected OpenAI's %s.gz (1.3 MB)", info.Size(), openAIVocabulary)}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return pathError(path, err)
	}
	if o.Vocabulary == nil {
		return &FormatError{path, "OpenAI's vocabulary file, expected vocab.json and merges.txt where nothing makes them of it"}
	}
	vocab, merges, err := o.Vocabulary(b)
	if err != nil {
		return &FormatError{path, strings.TrimPrefix(err.Error(), "clip: ")}
	}
	f.made[vocabFile], f.made[mergesFile] = vocab, merges
	f.use("tokenizer/"+openAIVocabulary, os.DirFS(filepath.Dir(path)), filepath.Base(path))
	return nil
}
