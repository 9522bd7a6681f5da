package features

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"percept"
	"percept/fmri"
	"percept/fmri/nsd"
	"percept/internal/cause"
)

// ParseImages reads "all", a list of 0-based numbers and ranges as "0-99,512", or "@FILE" with one or a range a line, of n
// images. The result is ascending, each image once.
func ParseImages(text string, n int) ([]fmri.ImageID, error) {
	var ids []fmri.ImageID
	add := func(part string) error {
		a, b, isRange := strings.Cut(strings.TrimSpace(part), "-")
		lo, err := strconv.Atoi(a)
		hi := lo
		if err == nil && isRange {
			hi, err = strconv.Atoi(b)
		}
		if err != nil || lo < 0 || hi < lo {
			return fmt.Errorf("%q, expected all, 0-based numbers and ranges as 0-99,512, or @FILE", part)
		}
		if hi >= n {
			return fmt.Errorf("%q, expected numbers from 0 to %d", part, n-1)
		}
		for id := lo; id <= hi; id++ {
			ids = append(ids, fmri.ImageID(id))
		}
		return nil
	}
	if text == "all" {
		text = fmt.Sprintf("0-%d", n-1)
	}
	if file, isFile := strings.CutPrefix(text, "@"); isFile {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w, expected a file of numbers", file, cause.Of(err))
		}
		for i, line := range strings.Split(string(b), "\n") {
			for _, part := range strings.Fields(line) {
				if err := add(part); err != nil {
					return nil, fmt.Errorf("%s: line %d: %w", file, i+1, err)
				}
			}
		}
	} else {
		for _, part := range strings.Split(text, ",") {
			if err := add(part); err != nil {
				return nil, err
			}
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%q has no number in it", text)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// SeenBy lists the images that subjects of a tree saw in their trials, ascending, each once.
func SeenBy(data *nsd.Dataset, subjects []string) ([]fmri.ImageID, error) {
	var ids []fmri.ImageID
	for _, s := range subjects {
		trials, err := data.Trials(fmri.Subject(strings.TrimSpace(s)))
		if err != nil {
			return nil, err
		}
		for _, t := range trials {
			ids = append(ids, t.Image)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// extensions are those of pictures.
var extensions = []string{".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif"}

// Folder is the pictures of a folder in the order of their names, numbered from 0, and captions from a file with lines of
// name, tab, caption. Without a file of captions there are none.
func Folder(dir, captionsFile string) (Source, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return Source{}, fmt.Errorf("%s: %w, expected a folder of pictures", dir, cause.Of(err))
	}
	s := Source{What: "pictures of a folder"}
	number := map[string]fmri.ImageID{}
	for _, e := range entries {
		if e.IsDir() || !slices.Contains(extensions, strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		id := fmri.ImageID(len(s.Images))
		number[e.Name()] = id
		s.Images, s.Names = append(s.Images, id), append(s.Names, e.Name())
	}
	if len(s.Images) == 0 {
		return Source{}, fmt.Errorf("%s: no pictures in it, expected files with names ending in %s", dir, strings.Join(extensions, ", "))
	}
	s.Picture = func(id fmri.ImageID) (image.Image, error) {
		return percept.ReadPicture(filepath.Join(dir, s.Names[id]))
	}
	s.PictureSum = func(ctx context.Context) (string, error) { return fileSum(ctx, dir, s.Names) }
	if captionsFile == "" {
		return s, nil
	}
	captions, err := readCaptions(captionsFile, number)
	if err != nil {
		return Source{}, err
	}
	for i, name := range s.Names {
		if len(captions[fmri.ImageID(i)]) == 0 {
			return Source{}, fmt.Errorf("%s: no caption of %s", captionsFile, name)
		}
	}
	s.Captions = func(context.Context) (map[fmri.ImageID][]string, error) { return captions, nil }
	return s, nil
}

// readCaptions reads lines of file name, tab, caption.
func readCaptions(path string, number map[string]fmri.ImageID) (map[fmri.ImageID][]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, expected lines of file name, tab, caption", path, cause.Of(err))
	}
	defer f.Close()
	captions := map[fmri.ImageID][]string{}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	line := 1
	for ; sc.Scan(); line++ {
		text := strings.TrimRight(strings.TrimPrefix(sc.Text(), "\ufeff"), "\r")
		if strings.TrimSpace(text) == "" {
			continue
		}
		name, caption, ok := strings.Cut(text, "\t")
		if !ok {
			return nil, fmt.Errorf("%s: line %d has no tab, expected file name, tab, caption", path, line)
		}
		id, ok := number[name]
		if !ok {
			return nil, fmt.Errorf("%s: line %d: no picture %s in the folder", path, line, name)
		}
		captions[id] = append(captions[id], caption)
	}
	if err := sc.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s: line %d is longer than 1 MiB, expected file name, tab, caption", path, line)
	} else if err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", path, line, cause.Of(err))
	}
	return captions, nil
}
