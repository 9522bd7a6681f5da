package table

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OpenResponses opens a part ("train", "test", "train_trials", "test_trials") of a folder that percept nsd prepare has made, of
// some regions, as streams:early, or of all voxels; or a file of responses, as a run leaves it, which is one part; or else an array FILE or
// FILE:ARRAY of rows of voxels. images names an array with the 0-based image of each row of the latter, or is empty.
func OpenResponses(path, part string, regions []string, images string) (*Table, error) {
	var names []string
	for _, r := range regions {
		names = append(names, strings.Replace(r, ":", "/", 1))
	}
	info, err := os.Stat(path)
	known := err == nil && (info.IsDir() || filepath.Ext(path) == ".safetensors")
	switch {
	case known && images != "":
		return nil, fmt.Errorf("%s: knows the image of each row, expected no other list of them", path)
	case known && info.IsDir():
		if _, err := os.Stat(filepath.Join(path, "train.safetensors")); err == nil {
			return nil, fmt.Errorf("%s: a run's folder of responses, expected train.safetensors or test.safetensors in it", path)
		}
		f, err := OpenFolder(path)
		if err != nil {
			return nil, err
		}
		return f.Table(part, names...)
	case known:
		f, err := OpenFile(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if t := f.Table(); len(names) > 0 {
			return t.Region(names...)
		} else if f.Voxels != nil {
			return t, nil
		}
		return nil, fmt.Errorf("%s: holds %s, expected responses of voxels", path, f.Name)
	case len(regions) > 0:
		return nil, fmt.Errorf("%s: no regions are known of an array, expected a folder of percept nsd prepare", path)
	}
	t, err := readArray(path, "")
	if err != nil {
		return nil, err
	}
	t.asVoxels()
	if images != "" {
		t.Rows.Images, err = readImages(images, t.Len())
	}
	return t, err
}
