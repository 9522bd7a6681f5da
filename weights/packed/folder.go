package packed

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"percept/internal/cause"
	"percept/internal/filelock"
	"percept/internal/mapped"
)

const (
	suffix    = ".pack"
	temporary = ".tmp"
	// maxFiles is how many pack files a cache folder keeps: three models of three parts.
	maxFiles = 9
	// spareSpace is what a pack file must leave free on the disk.
	spareSpace = 1 << 30
	// A temporary file is nobody's any more when it is old enough to have been locked and is not, or when it is abandoned
	// where locks do not tell.
	lockable  = 10 * time.Second
	abandoned = 24 * time.Hour
)

// Dir returns the folder for pack files: the environment variable PERCEPT_CACHE, or "percept" in the user's folder
// for such files. It is empty where the system names none.
func Dir() string {
	if dir := os.Getenv("PERCEPT_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "percept")
}

// An Info describes a pack file.
type Info struct {
	Path    string
	Name    string // what was packed
	Size    int64
	Entries int
	Created time.Time
	Used    time.Time
	Err     error // what is wrong with the file
}

// List lists the pack files of a folder, the last used first. A folder that does not exist has none.
func List(dir string) ([]Info, error) {
	names, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("weights: %s: %w", dir, cause.Of(err))
	}
	var packs []Info
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), suffix) || !n.Type().IsRegular() {
			continue
		}
		if p, ok := describe(filepath.Join(dir, n.Name())); ok {
			packs = append(packs, p)
		}
	}
	slices.SortFunc(packs, func(a, b Info) int { return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Path, b.Path)) })
	return packs, nil
}

// describe describes one file; false where it is gone.
func describe(path string) (Info, bool) {
	f, err := os.Open(path)
	if err != nil {
		return Info{Path: path, Err: cause.Of(err)}, !os.IsNotExist(err)
	}
	defer f.Close()
	p := Info{Path: path}
	if st, err := f.Stat(); err == nil {
		p.Size, p.Used = st.Size(), st.ModTime()
	}
	h, x, err := readFile(f)
	if err == nil && !h.usable() {
		err = fmt.Errorf("not completely written when the system stopped")
	}
	if err != nil {
		p.Err = err
		return p, true
	}
	p.Name, p.Entries, p.Created = x.Name, len(x.Entries), x.Created
	return p, true
}

// Verify reads all of a pack file and returns what is wrong with it.
func Verify(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, cause.Of(err))
	}
	defer f.Close()
	h, x, err := readFile(f)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	b, release, err := mapped.Map(f, h.fileSize)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, cause.Of(err))
	}
	if err := x.check(b, true); err != nil {
		err = fmt.Errorf("weights: %s: %w", path, err)
		return errors.Join(err, release())
	}
	return release()
}

// createTemporary makes the locked file that becomes a pack file.
func createTemporary(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	f, err := os.CreateTemp(dir, "."+base+".*"+temporary)
	if err != nil {
		return nil, err
	}
	_ = filelock.Lock(f) // where there are none, age tells
	return f, nil
}

// sweep removes temporary files whose writers have ended, and of the pack files those that were not used for longest
// beyond maxFiles.
func sweep(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, ".*"+suffix+".*"+temporary))
	if err != nil {
		return
	}
	for _, path := range left {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		if st, err := f.Stat(); err == nil {
			age := time.Since(st.ModTime())
			if age > lockable && filelock.Lock(f) == nil || age > abandoned {
				os.Remove(path)
			}
		}
		f.Close()
	}
	packs, err := List(dir)
	if err != nil {
		return
	}
	for _, p := range packs[min(len(packs), maxFiles):] {
		os.Remove(p.Path)
	}
	if sums, err := filepath.Glob(filepath.Join(dir, "*"+sumSuffix)); err == nil && len(sums) > maxSums {
		for _, path := range sums { // they are soon made again
			os.Remove(path)
		}
	}
}
