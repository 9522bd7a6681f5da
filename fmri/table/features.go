package table

import (
	"fmt"
	"os"
	"path/filepath"
)

// OpenFeatures opens the file of a feature, path or the file of that name in the folder path, or an array FILE or FILE:ARRAY
// of rows of values, whose images are not known. A shard of a feature is an error.
func OpenFeatures(path, name string) (*Table, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() || err != nil && name != "" && filepath.Ext(path) == "" {
		if name == "" {
			return nil, fmt.Errorf("%s: is a folder, expected the name of a feature in it as well", path)
		}
		path = filepath.Join(path, FileName(name, Shard{}))
	}
	if filepath.Ext(path) != ".safetensors" {
		if name == "" {
			name = "y"
		}
		t, err := readArray(path, name)
		if err == nil {
			err = t.flaw // of targets none can be left out
		}
		return t, err
	}
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Shard.N > 0 {
		return nil, fmt.Errorf("%s: is shard %s, expected a whole feature; percept features merge makes one", path, f.Shard)
	}
	if name != "" && f.Name != name {
		return nil, fmt.Errorf("%s: holds %s, expected %s", path, f.Name, name)
	}
	return f.Table(), nil
}

// Table is the file's values as a table. It opens the file anew whenever it reads, so that f may be closed.
func (f *File) Table() *Table {
	sum := f.identity()
	return &Table{Name: f.Name, Rows: f.rows(), Cols: f.columns(), Meta: f.Meta, Path: f.Path(), Sum: sum,
		source: fileSource{f.Path(), sum}}
}

type fileSource struct{ path, sum string }

func (s fileSource) open() (reader, error) {
	f, err := OpenFile(s.path)
	if err != nil {
		return nil, err
	}
	if f.identity() != s.sum {
		f.Close()
		return nil, fmt.Errorf("%s: was replaced while it was in use, expected the features that were there", s.path)
	}
	return fileReader{f}, nil
}

func (s fileSource) held() int64 { return 0 }

type fileReader struct{ *File }

func (r fileReader) read(dst []float32, i, lo, hi int) error { return r.row(dst, i, lo, hi) }
