package table

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	s := Spec{Name: first.Name, Shape: first.Shape, DType: first.DType, Meta: maps.Clone(first.Meta), Voxels: first.Voxels}
	delete(s.Meta, "shard")
	var at []int // first row of each
	for _, f := range files {
		at = append(at, len(s.Images))
		s.Images, s.Names = append(s.Images, f.Images...), append(s.Names, f.Names...)
		s.Counts, s.Sessions = append(s.Counts, f.Counts...), append(s.Sessions, f.Sessions...)
	}
	if sum := sha256.Sum256(int32s(s.Images)); hex.EncodeToString(sum[:]) != first.Meta["request"] {
		return fmt.Errorf("%s: the images of all shards are not those that were asked for, expected the same", filepath.Dir(first.Path()))
	}
	w, err := Create(out, s)
	if err != nil {
		return err
	}
	defer w.Close()
	return w.fill(context.Background(), func(dst []float32, i int) error {
		k, here := slices.BinarySearch(at, i)
		if !here {
			k--
		}
		return files[k].row(dst, i-at[k], 0, len(dst))
	}, progress)
}

// openShards opens shards and puts them in order. On an error those that are open are returned as well.
func openShards(paths []string) ([]*File, error) {
	if len(paths) == 0 {
		return nil, fmt.Errorf("no shards, expected some to merge")
	}
	var files []*File
	for _, p := range paths {
		f, err := OpenFile(p)
		if err != nil {
			return files, err
		}
		files = append(files, f)
		if f.Shard.N == 0 {
			return files, fmt.Errorf("%s: is a whole feature, expected a shard", p)
		}
	}
	slices.SortFunc(files, func(a, b *File) int { return a.Shard.K - b.Shard.K })
	first := files[0]
	for i, f := range files {
		if keys := differing(first.Meta, f.Meta, "shard"); len(keys) > 0 {
			return files, fmt.Errorf("%s: %s is %q, but %q in %s: expected shards of one feature",
				f.Path(), keys[0], f.Meta[keys[0]], first.Meta[keys[0]], first.Path())
		}
		if f.Shard.N != first.Shard.N || !slices.Equal(f.Shape, first.Shape) || f.DType != first.DType ||
			(f.Names == nil) != (first.Names == nil) {
			return files, fmt.Errorf("%s: is shard %s of %s %v, but %s is %s of %s %v: expected shards of one feature",
				f.Path(), f.Shard, f.DType, f.Shape, first.Path(), first.Shard, first.DType, first.Shape)
		}
		if i > 0 && f.Shard.K == files[i-1].Shard.K {
			return files, fmt.Errorf("%s: is shard %s, as is %s; expected each once", f.Path(), f.Shard, files[i-1].Path())
		}
	}
	if len(files) != first.Shard.N {
		k := 1 // the first that lacks
		for k <= len(files) && files[k-1].Shard.K == k {
			k++
		}
		return files, fmt.Errorf("%s: shard %d/%d of %s is not there, expected all; %d lack",
			filepath.Dir(first.Path()), k, first.Shard.N, first.Name, first.Shard.N-len(files))
	}
	return files, nil
}
