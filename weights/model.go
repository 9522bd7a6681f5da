package weights

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/internal/pyjson"
)

// ModelOptions say what of a model is opened, and where to find what a single file lacks. The zero value opens the
// three components.
type ModelOptions struct {
	// Components are those that are opened; nil means all three.
	Components []Component
	// Partial opens those of the components that are there, at least one, and a tokenizer if there is one; so that a
	// file of a VAE alone can be inspected and converted.
	Partial bool
	// Unsupported opens also what is no model that this program runs, so that it can be inspected.
	Unsupported bool
	// EMA takes the averaged weights of the U-Net (model_ema.…) of a checkpoint that holds both. A checkpoint without
	// is an error. In diffusers folders the usual file is the averaged one, "non_ema" in a name says otherwise.
	EMA bool
	// Variant takes weights with this word in the file's name, such as VariantFP16, and of a part that has none those
	// without, which Folder.Notes says; empty takes those without, or else any.
	Variant string
	// Tokenizer is a folder with tokenizer.json or with vocab.json and merges.txt, a tokenizer.json, or OpenAI's
	// bpe_simple_vocab_16e6.txt[.gz]. A
	// checkpoint file has no tokenizer; without this one that lies beside it is taken.
	Tokenizer string
	// Vocabulary makes vocab.json and merges.txt of OpenAI's file, as clip.FilesFromOpenAI does. Without it such a file is
	// an error.
	Vocabulary func(openAI []byte) (vocab, merges []byte, err error)
	// Config is a folder in the layout of diffusers whose config.json files, scheduler and tokenizer are taken for a
	// checkpoint file in place of those inferred.
	Config string
}

func (o *ModelOptions) wanted() []Component {
	if len(o.Components) == 0 {
		return Components()
	}
	return o.Components
}

// Names in the layout of diffusers.
const (
	schedulerFile = "scheduler/scheduler_config.json"
	indexFile     = "model_index.json"
)

// OpenModel opens a model wherever it lies: a folder in the layout of diffusers, a folder of one of its
// components (with Partial), a checkpoint file with the names of the original code, or a folder that holds one such
// file. What a single file lacks is inferred (see InferConfig) or looked for (see ModelOptions).
//
// A model that this program cannot run is refused by its name, a missing component by the names it should have.
// Errors are one line that names path.
func OpenModel(path string, o ModelOptions) (*Folder, error) {
	file, err := Locate(path)
	if err != nil {
		return nil, err
	}
	if file != "" {
		return openSingle(file, o)
	}
	switch {
	case o.EMA && o.Variant != VariantNonEMA: // which is an error of its own
		return nil, &FormatError{path, "a folder holds one set of weights, expected a checkpoint file to take a moving average from"}
	case o.Config != "":
		return nil, &FormatError{path, "a folder has config.json files of its own, expected a file to be read with those of " + o.Config}
	}
	var f *Folder
	if isComponentFolder(path) {
		f, err = openComponentFolder(path, o)
	} else {
		f, err = openDiffusers(path, o)
	}
	if err != nil {
		return nil, err
	}
	if len(f.Parts) == 0 {
		return nil, errors.Join(&FormatError{path, "no weights in unet/, vae/ or text_encoder/"}, f.Close())
	}
	return f, nil
}

// Locate returns the checkpoint file that OpenModel would open: path itself, or the only one in that folder. It is
// empty for a folder in the layout of diffusers, or of a component of it.
func Locate(path string) (file string, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", pathError(path, err)
	case !info.IsDir():
		return path, nil
	case isComponentFolder(path) || isDiffusersFolder(path):
		return "", nil
	}
	return onlyCheckpoint(path)
}

// isDiffusersFolder reports whether a folder has what only that layout has.
func isDiffusersFolder(dir string) bool {
	for _, name := range []string{indexFile, string(UNet), string(VAE), string(TextEncoder)} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// isComponentFolder reports whether a folder is one component's: weights and config.json in the folder itself.
func isComponentFolder(dir string) bool {
	c, _, err := componentOf(dir)
	return err == nil && c != "" && !isDiffusersFolder(dir)
}

// componentOf returns the component whose config.json lies in a folder; "" where it is something else's, which found
// describes.
func componentOf(dir string) (c Component, found string, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return "", "", pathError(dir, err)
	}
	var config struct {
		Class string `json:"_class_name"`
		Type  string `json:"model_type"`
	}
	if err := json.Unmarshal(pyjson.Standard(b), &config); err != nil {
		return "", "", &FormatError{filepath.Join(dir, "config.json"), oneLine(err)}
	}
	switch {
	case config.Class == "UNet2DConditionModel":
		c = UNet
	case config.Class == "AutoencoderKL":
		c = VAE
	case config.Type == "clip_text_model" || config.Type == "clip":
		c = TextEncoder
	}
	return c, cmp.Or(config.Class, config.Type), nil
}

// checkpointEndings are the names that checkpoints have been published under.
var checkpointEndings = []string{".safetensors", ".ckpt", ".pt", ".pth", ".bin"}

// onlyCheckpoint returns the one checkpoint file of a folder.
func onlyCheckpoint(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", pathError(dir, err)
	}
	var found []string
	for _, e := range entries {
		if slices.Contains(checkpointEndings, strings.ToLower(filepath.Ext(e.Name()))) && !e.IsDir() {
			found = append(found, e.Name())
		}
	}
	switch len(found) {
	case 0:
		if _, class, err := componentOf(dir); err == nil {
			const known = "a UNet2DConditionModel, AutoencoderKL or clip_text_model, or a folder of a whole model"
			return "", &FormatError{dir, fmt.Sprintf("config.json of a %q, expected %s", class, known)}
		}
		return "", &FormatError{dir, "no model, expected a folder with unet/, vae/ and text_encoder/, " +
			"or one with a checkpoint file (.safetensors, .ckpt)"}
	case 1:
		return filepath.Join(dir, found[0]), nil
	}
	return "", &FormatError{dir, fmt.Sprintf("%d checkpoint files (%s): name the one to open", len(found), strings.Join(found, ", "))}
}

// openDiffusers opens a folder in the layout of diffusers.
func openDiffusers(dir string, o ModelOptions) (*Folder, error) {
	if o.EMA && o.Variant == VariantNonEMA {
		return nil, &FormatError{dir, "averaged weights and the variant non_ema are asked for: expected one of them"}
	}
	f, err := openFolder(os.DirFS(dir), dir, o, diskOpener(dir))
	if err != nil {
		return nil, err
	}
	if o.Tokenizer != "" {
		if err := f.setTokenizer(o.Tokenizer, o); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// openComponentFolder opens a folder such as unet/ by itself.
func openComponentFolder(dir string, o ModelOptions) (*Folder, error) {
	c, _, err := componentOf(dir)
	if err != nil {
		return nil, err
	}
	if wanted := o.wanted(); !slices.Contains(wanted, c) || !o.Partial && len(wanted) > 1 {
		return nil, &FormatError{dir, fmt.Sprintf("a folder of the %s alone, expected one of a whole model", c.Title())}
	}
	o.Components, o.Partial = []Component{c}, false
	return openFolder(under{os.DirFS(dir), string(c)}, dir, o, func(name string) (*Store, error) {
		return Open(filepath.Join(dir, strings.TrimPrefix(name, string(c)+"/")))
	})
}

// under is a file system as a folder of a larger one that holds nothing else.
type under struct {
	fs.FS
	dir string
}

// Open opens "dir/name" as "name".
func (u under) Open(name string) (fs.File, error) {
	switch tail, ok := strings.CutPrefix(name, u.dir+"/"); {
	case ok:
		return u.FS.Open(tail)
	case name == "." || name == u.dir:
		return u.FS.Open(".")
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
