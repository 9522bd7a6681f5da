package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// A Folder is a model as if it lay in the layout of diffusers: unet/, vae/ and text_encoder/, each with a
// config.json and weights, tokenizer/ and scheduler/. OpenModel makes one of a single file as well.
type Folder struct {
	Dir   string // folder or file, for messages
	Parts map[Component]*Part

	fsys fs.FS             // the folder; nil for a single file
	made map[string][]byte // files that Read returns besides, or instead of, those of fsys
	used []ModelFile
	// ownTokenizer says that the tokenizer is the folder's; false where another was given in its place.
	ownTokenizer bool
	// plain are the parts that have no files of the variant that was asked for.
	plain   []string
	variant string
	stores  []*Store // what has to be closed
}

// A Part is one component of a folder.
type Part struct {
	Config     []byte // config.json as it is in the folder, or as it was inferred
	ConfigFile string // its path, for messages
	Store      *Store // names are the project's own, see Store.Component
	File       *Store // the file itself, with its own names; for a single file the same in all parts
}

// A ModelFile is a file that a model's numbers depend on.
type ModelFile struct {
	Name string // what it is in the model, such as "unet/config.json"; the same wherever the model lies
	FS   fs.FS
	Path string // in FS
}

// stems are the file names of a component's weights before the endings.
var stems = map[Component][2]string{ // safetensors, torch
	UNet:        {"diffusion_pytorch_model", "diffusion_pytorch_model"},
	VAE:         {"diffusion_pytorch_model", "diffusion_pytorch_model"},
	TextEncoder: {"model", "pytorch_model"},
}

// OpenFolder opens components of a model folder: those asked for, or all three. A component that is
// missing, or a file that cannot be read, is an error that names the path. The weights are mapped.
func OpenFolder(dir string, components ...Component) (*Folder, error) {
	return openFolder(os.DirFS(dir), dir, ModelOptions{Components: components}, diskOpener(dir))
}

// OpenFolderFS is OpenFolder for a file system such as one embedded in the program; dir stands for it
// in messages. The weights are read into memory.
func OpenFolderFS(fsys fs.FS, dir string, components ...Component) (*Folder, error) {
	return openFolder(fsys, dir, ModelOptions{Components: components}, func(name string) (*Store, error) {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, pathError(path.Join(dir, name), err)
		}
		return OpenBytes(path.Join(dir, name), b)
	})
}

// diskOpener opens files of a folder by their names in it.
func diskOpener(dir string) func(name string) (*Store, error) {
	return func(name string) (*Store, error) { return Open(filepath.Join(dir, filepath.FromSlash(name))) }
}

func openFolder(fsys fs.FS, dir string, o ModelOptions, open func(string) (*Store, error)) (*Folder, error) {
	f := &Folder{Dir: dir, Parts: map[Component]*Part{}, fsys: fsys, made: map[string][]byte{}}
	if st, err := fs.Stat(fsys, "."); err != nil {
		return nil, pathError(dir, err)
	} else if !st.IsDir() {
		return nil, &FormatError{dir, "not a folder, expected one with unet/, vae/ and text_encoder/"}
	}
	for _, c := range o.wanted() {
		if o.Partial && !f.exists(string(c)) {
			continue
		}
		p, err := f.openPart(c, o, open)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.Parts[c] = p
	}
	for _, name := range []string{indexFile, schedulerFile} {
		if f.exists(name) {
			f.use(name, fsys, name)
		}
	}
	f.ownTokenizer = true
	f.useTokenizer()
	return f, nil
}

func (f *Folder) openPart(c Component, o ModelOptions, open func(string) (*Store, error)) (*Part, error) {
	if stems[c][0] == "" {
		return nil, fmt.Errorf("weights: %s: unknown component %q", f.Dir, c)
	}
	p := &Part{ConfigFile: path.Join(f.Dir, string(c), "config.json")}
	var err error
	if p.Config, err = f.Read(string(c) + "/config.json"); err != nil {
		return nil, err
	}
	f.use(string(c)+"/config.json", f.fsys, string(c)+"/config.json")
	names, err := f.variantFiles(c, o.Variant)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		name = string(c) + "/" + name
		if !f.exists(name) {
			continue
		}
		if p.File, err = f.openWeights(name, open); err != nil {
			return nil, err
		}
		f.stores = append(f.stores, p.File)
		if err := p.File.Contents().supported(f.Dir, o); err != nil {
			return nil, err
		}
		p.Store, err = p.File.Component(c)
		return p, err
	}
	return nil, fmt.Errorf("weights: %s: no weights, expected %s", path.Join(f.Dir, string(c)), strings.Join(slices.Compact(names), " or "))
}

// openWeights opens a file of weights, or all of those that an index names.
func (f *Folder) openWeights(name string, open func(string) (*Store, error)) (*Store, error) {
	f.use(name, f.fsys, name)
	if !strings.HasSuffix(name, ".json") {
		return open(name)
	}
	b, err := f.Read(name)
	if err != nil {
		return nil, err
	}
	shards, err := parseIndex(b)
	if err != nil {
		return nil, &FormatError{path.Join(f.Dir, name), err.Error()}
	}
	for _, shard := range shards.files {
		f.use(path.Join(path.Dir(name), shard), f.fsys, path.Join(path.Dir(name), shard))
	}
	return openShards(path.Join(f.Dir, name), shards, func(shard string) (*Store, error) { return open(path.Join(path.Dir(name), shard)) })
}

func (f *Folder) exists(name string) bool {
	_, err := fs.Stat(f.fsys, name)
	return err == nil
}

func (f *Folder) use(name string, fsys fs.FS, path string) {
	f.used = append(f.used, ModelFile{name, fsys, path})
}

// Files returns the files that the model's numbers depend on, sorted by name: those whose contents identify it.
// Other files of the folder, such as the weights in a second format, are not among them.
func (f *Folder) Files() []ModelFile {
	files := slices.Clone(f.used)
	slices.SortStableFunc(files, func(a, b ModelFile) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// Has reports whether Read has a file of that name.
func (f *Folder) Has(name string) bool {
	if _, ok := f.made[name]; ok {
		return true
	}
	return f.fsys != nil && (f.ownTokenizer || !strings.HasPrefix(name, tokenizerDir)) && f.exists(name)
}

// Read returns any other file of the layout, such as "tokenizer/vocab.json". Of a single file's model those
// are made that the layout has: configurations, and the tokenizer's files.
func (f *Folder) Read(name string) ([]byte, error) {
	if b, ok := f.made[name]; ok {
		return b, nil
	}
	if f.fsys == nil {
		return nil, fmt.Errorf("weights: %s: a single file, which has no %s", f.Dir, name)
	}
	b, err := fs.ReadFile(f.fsys, name)
	if err != nil {
		return nil, pathError(path.Join(f.Dir, name), err)
	}
	return b, nil
}

// Close unmaps the files.
func (f *Folder) Close() error {
	stores := f.stores
	f.stores = nil
	return closeAll(stores)
}
