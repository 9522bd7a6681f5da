package table

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/internal/cause"
)

// ShardFiles lists the shards of features that lie in a folder: feature to files.
func ShardFiles(dir string) (map[string][]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, cause.Of(err))
	}
	files := map[string][]string{}
	for _, e := range entries {
		name, rest, ok := strings.Cut(e.Name(), ".shard-")
		if ok && strings.HasSuffix(rest, ".safetensors") {
			files[name] = append(files[name], filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

// Merge puts the shards of a feature together in the file out, which gets the bytes that it would have if it had been made at
// once. All shards have to be there, and to agree on what they were made of. progress may be nil; it counts rows.
func Merge(out string, shards []string, progress func(done, total int)) error {
	files, err := openShards(shards)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if err != nil {
		return err
	}
	first := files[0]
	s := Spec{Name: first.Name, Shape: first.Shape, DType: first.DType, Meta: maps.Clone(first.meta), Voxels: first.Voxels}
	delete(s.Meta, "shard")
	for _, f := range files {
		s.Images, s.Names = append(s.Images, f.Images...), append(s.Names, f.Names...)
		s.Counts, s.Sessions = append(s.Counts, f.Counts...), append(s.Sessions, f.Sessions...)
	}
	if sum := sha256.Sum256(int32s(s.Images)); hex.EncodeToString(sum[:]) != first.meta["request"] {
		return fmt.Errorf("%s: the images of all shards are not those that were asked for", filepath.Dir(first.Path()))
	}
	w, err := Create(out, s)
	if err != nil {
		return err
	}
	defer w.Close()
	at := make([]int, 0, len(files)+1) // first row of each
	rows := 0
	for _, f := range files {
		at = append(at, rows)
		rows += f.Len()
	}
	width := first.Width()
	for c := range w.Chunks() {
		lo, hi := w.Rows(c)
		if !w.Done(c) {
			values := make([]float32, (hi-lo)*width)
			for i := lo; i < hi; i++ {
				k, here := slices.BinarySearch(at, i)
				if !here {
					k--
				}
				if err := files[k].At(values[(i-lo)*width:][:width], i-at[k]); err != nil {
					return err
				}
			}
			if err := w.Put(c, values); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(hi, len(s.Images))
		}
	}
	return w.Finish()
}

// openShards opens shards and puts them in order. On an error those that are open are returned as well.
func openShards(paths []string) ([]*File, error) {
	if len(paths) == 0 {
		return nil, fmt.Errorf("no shards to merge")
	}
	var files []*File
	for _, p := range paths {
		f, err := OpenFile(p)
		if err != nil {
			return files, err
		}
		files = append(files, f)
		if f.Shard.N == 0 {
			return files, fmt.Errorf("%s: is no shard", p)
		}
	}
	slices.SortFunc(files, func(a, b *File) int { return a.Shard.K - b.Shard.K })
	first := files[0]
	for i, f := range files {
		if keys := differing(first.meta, f.meta, "shard"); len(keys) > 0 {
			return files, fmt.Errorf("%s: %s is %q, but %q in %s: expected shards of one feature", f.Path(), keys[0], f.meta[keys[0]], first.meta[keys[0]], first.Path())
		}
		if f.Shard.N != first.Shard.N || !slices.Equal(f.Shape, first.Shape) || f.DType != first.DType || (f.Names == nil) != (first.Names == nil) {
			return files, fmt.Errorf("%s: is shard %s of %s %v, but %s is %s of %s %v: expected shards of one feature", f.Path(), f.Shard, f.DType, f.Shape,
				first.Path(), first.Shard, first.DType, first.Shape)
		}
		if i > 0 && f.Shard.K == files[i-1].Shard.K {
			return files, fmt.Errorf("%s: is shard %s, as is %s", f.Path(), f.Shard, files[i-1].Path())
		}
	}
	if len(files) != first.Shard.N {
		have := map[int]bool{}
		for _, f := range files {
			have[f.Shard.K] = true
		}
		for k := 1; k <= first.Shard.N; k++ {
			if !have[k] {
				return files, fmt.Errorf("%s: shard %d/%d of %s is not there, nor are %d others", filepath.Dir(first.Path()), k, first.Shard.N, first.Name, first.Shard.N-len(files)-1)
			}
		}
	}
	return files, nil
}

// parseHead reads the metadata back out of a header.
func parseHead(path string, l layout) (map[string]string, error) {
	var h struct {
		Meta map[string]string `json:"__metadata__"`
	}
	if err := json.Unmarshal(l.head[8:], &h); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h.Meta, nil
}
