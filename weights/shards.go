package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxShards is far beyond what any model of this kind is cut into.
const maxShards = 4096

// shardIndex is what an …index.json says: which file holds which tensor.
type shardIndex struct {
	files []string // sorted
	of    map[string]string
}

// parseIndex reads an index. A file's name may not leave the folder.
func parseIndex(b []byte) (*shardIndex, error) {
	var index struct {
		Of map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(b, &index); err != nil {
		return nil, fmt.Errorf("expected an index of weights (weight_map): %s", oneLine(err))
	}
	if len(index.Of) == 0 {
		return nil, errors.New("an index without weight_map")
	}
	files := map[string]bool{}
	for name, file := range index.Of {
		if file == "" || file == "." || file == ".." || strings.ContainsAny(file, `/\`+"\x00") {
			return nil, fmt.Errorf("weight_map: %s is in %q, expected the name of a file beside the index", name, file)
		}
		files[file] = true
	}
	if len(files) > maxShards {
		return nil, fmt.Errorf("weight_map: %d files, expected at most %d", len(files), maxShards)
	}
	return &shardIndex{slices.Sorted(maps.Keys(files)), index.Of}, nil
}

// oneLine keeps an error of a library on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// openShards opens the files of an index as one Store. Every tensor must be where the index says.
func openShards(file string, index *shardIndex, open func(string) (*Store, error)) (_ *Store, err error) {
	var parts []*Store
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll(parts))
		}
	}()
	all := (&Store{file: file, meta: map[string]string{}, origin: &origin{modified: time.Unix(0, 0)}}).emptyView()
	for _, name := range index.files {
		p, err := open(name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
		for tensor, t := range p.tensors {
			if _, dup := all.tensors[tensor]; dup {
				return nil, &FormatError{file, fmt.Sprintf("tensor %s is in two of the files, the second is %s", tensor, name)}
			}
			all.tensors[tensor] = t
		}
		maps.Copy(all.meta, p.meta)
		all.origin = all.origin.and(p.origin)
		all.format = all.format.and(p.format)
	}
	for _, tensor := range slices.Sorted(maps.Keys(index.of)) {
		if _, ok := all.tensors[tensor]; !ok {
			return nil, &FormatError{file, fmt.Sprintf("tensor %s is not in %s, where the index says it is", tensor, index.of[tensor])}
		}
	}
	all.release = func() error { return closeAll(parts) }
	return all, nil
}

func closeAll(stores []*Store) (err error) {
	for _, s := range stores {
		err = errors.Join(err, s.Close())
	}
	return err
}

// and is what is known of two files together; nil where one of them is not known.
func (o *origin) and(other *origin) *origin {
	if o == nil || other == nil {
		return nil
	}
	both := &origin{size: o.size + other.size, modified: o.modified}
	both.header = fmt.Appendf(slices.Clone(o.header), "%d %d\n", other.size, other.modified.UnixNano())
	both.header = append(both.header, other.header...)
	if both.modified.Before(other.modified) {
		both.modified = other.modified
	}
	return both
}
