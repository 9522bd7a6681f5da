package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
