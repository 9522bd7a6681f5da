package study

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"percept/internal/cause"
	"percept/internal/filesum"
)

// Files of a data tree are inputs by what they hold, not by where or when they were written: small ones by their sum, the
// stimuli by their size and a sum of parts of them. Betas, of which a run reads a part, are by size and time of change: where
// those differ they are read again, and what follows stays as it is unless the responses come out with other values.
const (
	wholeFile  = 256 << 20 // up to this size a file is read for its sum
	partsOf    = 256       // parts that stand for a larger one
	partOfFile = 64 << 10  // bytes
)

// identify puts what identifies files, and those in folders, into inputs under their names in the tree. One that is not there
// counts as such: the stage that needs it says so.
func identify(inputs map[string]string, root string, files []string) {
	for _, f := range files {
		err := filepath.WalkDir(f, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(root, path)
			if err != nil {
				rel = path
			}
			inputs[filepath.ToSlash(rel)] = identity(path)
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			inputs[filepath.Base(f)] = cause.Of(err).Error()
		}
	}
}

// identity is what identifies a file.
func identity(path string) string {
	info, err := os.Stat(path) // of what a link points to
	if err != nil {
		return cause.Of(err).Error()
	}
	var sum string
	switch {
	case strings.Contains(filepath.Base(path), "betas_session"):
		return fmt.Sprintf("%d bytes of %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
	case info.Size() <= wholeFile:
		sum, err = filesum.Hex(path)
	default:
		sum, err = sumOfParts(path, info.Size())
	}
	if err != nil {
		return cause.Of(err).Error()
	}
	return sum
}

// sumOfParts is a sum of a file's size and of evenly spaced parts, the first and the last included.
func sumOfParts(path string, size int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	fmt.Fprintf(h, "%d bytes, %d parts\n", size, partsOf)
	b := make([]byte, partOfFile)
	for i := range int64(partsOf) {
		n, err := f.ReadAt(b, (size-partOfFile)*i/(partsOf-1))
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		h.Write(b[:n])
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
