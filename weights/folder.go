package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A Folder is a model in the layout of diffusers: unet/, vae/ and text_encoder/, each with a
// config.json and a safetensors file.
type Folder struct {
	Dir   string
	Parts map[Component]*Part

	fsys fs.FS
}

// A Part is one component of a folder.
type Part struct {
	Config     []byte // config.json as it is in the folder
	ConfigFile string // its path, for messages
	Store      *Store // names are the project's own, see Store.Component
	file       *Store // what has to be closed
}

// fileNames are the names under which a component's weights are looked for, in this order.
var fileNames = map[Component][]string{
	UNet:        {"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors"},
	VAE:         {"diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors"},
	TextEncoder: {"model.safetensors", "model.fp16.safetensors"},
}

// OpenFolder opens components of a model folder: those asked for, or all three. A component that is
// missing, or a file that cannot be read, is an error that names the path. The weights are mapped.
func OpenFolder(dir string, components ...Component) (*Folder, error) {
	return openFolder(os.DirFS(dir), dir, components, func(name string) (*Store, error) {
		return Open(filepath.Join(dir, filepath.FromSlash(name)))
	})
}

// OpenFolderFS is OpenFolder for a file system such as one embedded in the program; dir stands for it
// in messages. The weights are read into memory.
func OpenFolderFS(fsys fs.FS, dir string, components ...Component) (*Folder, error) {
	return openFolder(fsys, dir, components, func(name string) (*Store, error) {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, pathError(path.Join(dir, name), err)
		}
		return OpenBytes(path.Join(dir, name), b)
	})
}

func openFolder(fsys fs.FS, dir string, components []Component, open func(string) (*Store, error)) (*Folder, error) {
	f := &Folder{Dir: dir, Parts: map[Component]*Part{}, fsys: fsys}
	if len(components) == 0 {
		components = []Component{UNet, VAE, TextEncoder}
	}
	if st, err := fs.Stat(fsys, "."); err != nil {
		return nil, pathError(dir, err)
	} else if !st.IsDir() {
		return nil, &FormatError{dir, "not a folder, want one with unet/, vae/ and text_encoder/"}
	}
	for _, c := range components {
		p, err := f.openPart(c, open)
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		f.Parts[c] = p
	}
	return f, nil
}

func (f *Folder) openPart(c Component, open func(string) (*Store, error)) (*Part, error) {
	if fileNames[c] == nil {
		return nil, fmt.Errorf("weights: %s: unknown component %q", f.Dir, c)
	}
	p := &Part{ConfigFile: path.Join(f.Dir, string(c), "config.json")}
	var err error
	if p.Config, err = f.Read(string(c) + "/config.json"); err != nil {
		return nil, err
	}
	for _, name := range fileNames[c] {
		name = string(c) + "/" + name
		if _, err := fs.Stat(f.fsys, name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if p.file, err = open(name); err != nil {
			return nil, err
		}
		if p.Store, err = p.file.Component(c); err != nil {
			return nil, errors.Join(err, p.file.Close())
		}
		return p, nil
	}
	return nil, fmt.Errorf("weights: %s: no weights, want %s", path.Join(f.Dir, string(c)), strings.Join(fileNames[c], " or "))
}

// Read returns any other file of the folder, such as "tokenizer/vocab.json".
func (f *Folder) Read(name string) ([]byte, error) {
	b, err := fs.ReadFile(f.fsys, name)
	if err != nil {
		return nil, pathError(path.Join(f.Dir, name), err)
	}
	return b, nil
}

// Close unmaps the files.
func (f *Folder) Close() error {
	var err error
	for _, p := range f.Parts {
		err = errors.Join(err, p.file.Close())
	}
	return err
}
