package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"percept/fmri/ridge"
)

// there says whether a table is there, which may be FILE:ARRAY; kinds are what it may be.
func there(text, kinds string) error {
	_, err := os.Stat(text)
	if i := strings.LastIndexByte(text, ':'); errors.Is(err, fs.ErrNotExist) && i > 0 {
		_, err = os.Stat(text[:i])
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: no such file or directory, expected %s", text, kinds)
	}
	return nil // what else is wrong with it, reading it says
}

// What tables of either side may be.
const (
	responseKinds = "a prepared folder, a table or an array"
	featureKinds  = "a folder or file of features, or an array"
)

// hasPart says whether a prepared folder has rows of a part, where the other has some: all of a folder that is not split are of
// training.
func hasPart(folder, part string) error {
	other := map[string]string{"test": "train", "train": "test"}[part]
	rows := func(part string) bool {
		found, err := filepath.Glob(filepath.Join(folder, "X_"+part+"*.npy"))
		return err == nil && len(found) > 0
	}
	if _, err := os.Stat(filepath.Join(folder, "manifest.json")); err != nil || rows(part) || !rows(other) {
		return nil
	}
	return fmt.Errorf("%s: no %s rows in it (--split none leaves all rows in one part), expected --part %s", folder, part, other)
}

// foldsError puts an error about folds into the words of a command's flag.
func foldsError(err error) error {
	var bad *ridge.FoldsError
	switch {
	case !errors.As(err, &bad):
		return err
	case bad.Groups < 2:
		return fmt.Errorf("--folds %d: the %d rows are all of one group, expected two groups at least", bad.Folds, bad.Samples)
	case bad.Groups < bad.Samples:
		return fmt.Errorf("--folds %d, expected 2 to %d, the number of groups (images, or those of --groups)", bad.Folds, bad.Groups)
	}
	return fmt.Errorf("--folds %d, expected 2 to %d, the number of rows", bad.Folds, bad.Samples)
}

var subjectName = regexp.MustCompile(`^subj[0-9]{2}$`)

// checkSubject says what a subject is called, before files of one that there cannot be are looked for.
func checkSubject(name string) error {
	if subjectName.MatchString(name) {
		return nil
	}
	return usageError{fmt.Errorf("--subject %q, expected one as subj01", name)}
}
