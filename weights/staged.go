package weights

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/internal/atomicfile"
	"percept/internal/cause"
)

// staged is a folder in the making, beside the place where it will appear by a rename.
type staged struct {
	dir, tmp string
	old      bool // dir exists and is replaced
}

// layoutNames are what a folder in the layout of diffusers may hold at the top.
var layoutNames = []string{
	"unet", "vae", "text_encoder", "tokenizer", "scheduler", indexFile, "feature_extractor", "safety_checker",
	"README.md", ".gitattributes", ".git", ".cache",
}

// newStaged makes the temporary folder. need is how many bytes will be written.
func newStaged(dir string, replace bool, need int64) (*staged, error) {
	if dir == "" {
		return nil, errors.New("weights: the folder to write has no name")
	}
	dir = filepath.Clean(dir)
	if to, err := filepath.EvalSymlinks(dir); err == nil && isLink(dir) {
		dir = to // a link to another disk stays
	}
	s := &staged{dir: dir}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("weights: %s: expected a folder to write: %w", dir, cause.Of(err))
	case len(entries) > 0 && !replace:
		return nil, fmt.Errorf("weights: %s: %w; --force replaces a model folder", dir, ErrNotEmpty)
	default:
		for _, e := range entries {
			if !slices.Contains(layoutNames, e.Name()) {
				const reason = "which is no part of a model, and is not replaced"
				return nil, fmt.Errorf("weights: %s: %w: it holds %s, %s", dir, ErrNotEmpty, e.Name(), reason)
			}
		}
		s.old = true
	}
	parent := filepath.Dir(dir)
	if free, ok := atomicfile.FreeSpace(parent); ok && free < need {
		return nil, fmt.Errorf("weights: %s: %.2f GiB are needed, %.2f GiB are free", dir, float64(need)/(1<<30), float64(free)/(1<<30))
	}
	if s.tmp, err = os.MkdirTemp(parent, "."+filepath.Base(dir)+".part-*"); err != nil {
		return nil, fmt.Errorf("weights: %s: cannot write into folder %s: %w", dir, parent, cause.Of(err))
	}
	s.tmp = filepath.Clean(s.tmp) // as the names of its files begin
	return s, nil
}

// isLink says whether the last part of a path is a link.
func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

func (s *staged) drop() { os.RemoveAll(s.tmp) }

// named puts the final folder's name into an error, where the temporary one is.
func (s *staged) named(err error) error {
	var format *FormatError
	if errors.As(err, &format) && !strings.HasPrefix(format.File, s.tmp) {
		return format // a fault of what is read, not of what was being written
	}
	var path *fs.PathError
	if errors.As(err, &path) && strings.HasPrefix(path.Path, s.tmp) {
		return fmt.Errorf("weights: %s%s: %w", s.dir, strings.TrimPrefix(path.Path, s.tmp), path.Err)
	}
	if strings.Contains(err.Error(), s.tmp) {
		return fmt.Errorf("%s", strings.ReplaceAll(err.Error(), s.tmp, s.dir))
	}
	return err
}

// commit puts the folder in its place.
func (s *staged) commit() error {
	if err := os.Chmod(s.tmp, 0o755); err != nil { // MkdirTemp makes folders for the owner alone
		return s.named(err)
	}
	aside := ""
	if s.old {
		aside = s.tmp + ".old"
		if err := os.Rename(s.dir, aside); err != nil {
			return fmt.Errorf("weights: %s: cannot be replaced: %w", s.dir, cause.Of(err))
		}
	}
	if err := os.Rename(s.tmp, s.dir); err != nil {
		err = fmt.Errorf("weights: %s: cannot be written: %w", s.dir, cause.Of(err))
		if aside != "" {
			err = errors.Join(err, os.Rename(aside, s.dir))
		}
		return err
	}
	atomicfile.SyncFolder(filepath.Dir(s.dir))
	if aside != "" {
		if err := os.RemoveAll(aside); err != nil {
			return fmt.Errorf("weights: %s: written, but the folder before it remains: %w", s.dir, err)
		}
	}
	return nil
}
