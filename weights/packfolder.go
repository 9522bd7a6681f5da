package weights

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"percept/internal/cause"
	"slices"
	"strings"
	"time"
)

const (
	packSuffix    = ".pack"
	packTemporary = ".tmp"
	// maxPacks is how many pack files a cache folder keeps: three models of three parts.
	maxPacks = 9
	// spareSpace is what a pack file must leave free on the disk.
	spareSpace = 1 << 30
	// A temporary file is nobody's any more when it is old enough to have been locked and is not, or when it is abandoned
	// where locks do not tell.
	lockable  = 10 * time.Second
	abandoned = 24 * time.Hour
)

// CacheDir returns the folder for pack files: the environment variable PERCEPT_CACHE, or "percept" in the user's folder
// for such files. It is empty where the system names none.
func CacheDir() string {
	if dir := os.Getenv("PERCEPT_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "percept")
}

// A PackInfo describes a pack file.
type PackInfo struct {
	Path    string
	Name    string // what was packed
	Size    int64
	Entries int
	Created time.Time
	Used    time.Time
	Err     error // what is wrong with the file
}

// Packs lists the pack files of a folder, the last used first. A folder that does not exist has none.
func Packs(dir string) ([]PackInfo, error) {
	names, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, pathError(dir, err)
	}
	var packs []PackInfo
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), packSuffix) || !n.Type().IsRegular() {
			continue
		}
		if p, ok := packInfo(filepath.Join(dir, n.Name())); ok {
			packs = append(packs, p)
		}
	}
	slices.SortFunc(packs, func(a, b PackInfo) int { return cmp.Or(b.Used.Compare(a.Used), cmp.Compare(a.Path, b.Path)) })
	return packs, nil
}

// packInfo describes one file; false where it is gone.
func packInfo(path string) (PackInfo, bool) {
	f, err := os.Open(path)
	if err != nil {
		return PackInfo{Path: path, Err: cause.Of(err)}, !os.IsNotExist(err)
	}
	defer f.Close()
	p := PackInfo{Path: path}
	if st, err := f.Stat(); err == nil {
		p.Size, p.Used = st.Size(), st.ModTime()
	}
	h, x, err := readPack(f)
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

// VerifyPack reads all of a pack file and returns what is wrong with it.
func VerifyPack(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return pathError(path, err)
	}
	defer f.Close()
	h, x, err := readPack(f)
	if err != nil {
		return &FormatError{path, err.Error()}
	}
	b, release, err := mapFile(f, int(h.fileSize))
	if err != nil {
		return pathError(path, err)
	}
	if err := x.check(b, true); err != nil {
		err = &FormatError{path, err.Error()}
		return errors.Join(err, release())
	}
	return release()
}

// createTemporary makes the locked file that becomes a pack file.
func createTemporary(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	f, err := os.CreateTemp(dir, "."+base+".*"+packTemporary)
	if err != nil {
		return nil, err
	}
	lock(f)
	return f, nil
}

// sweep removes temporary files whose writers have ended, and of the pack files those that were not used for longest
// beyond maxPacks.
func sweep(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, ".*"+packSuffix+".*"+packTemporary))
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
			if age > lockable && lock(f) || age > abandoned {
				os.Remove(path)
			}
		}
		f.Close()
	}
	packs, err := Packs(dir)
	if err != nil {
		return
	}
	for _, p := range packs[min(len(packs), maxPacks):] {
		os.Remove(p.Path)
	}
	if sums, err := filepath.Glob(filepath.Join(dir, "*"+sumSuffix)); err == nil && len(sums) > maxSums {
		for _, path := range sums { // they are soon made again
			os.Remove(path)
		}
	}
}
