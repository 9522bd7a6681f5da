package weights

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shapesOf reads "name 3x4" lines: any set of names and shapes.
func shapesOf(text string) map[string][]int {
	shapes := map[string][]int{}
	for line := range strings.Lines(text) {
		name, dims, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var shape []int
		for d := range strings.SplitSeq(dims, "x") {
			if n, err := strconv.ParseUint(d, 10, 62); err == nil {
				shape = append(shape, int(n))
			}
		}
		shapes[name] = shape
	}
	return shapes
}

// Whatever names and shapes a file has, it is recognised, renamed and its configuration inferred, or refused in one
// line; renaming loses no tensor silently and makes no two the same.
func FuzzModelShapes(f *testing.F) {
	for c, list := range readFullNames(f) {
		for _, rename := range renamings[c] {
			var b strings.Builder
			for i, n := range list {
				if i%7 == 0 || len(list) < 100 {
					fmt.Fprintf(&b, "%s %s\n", rename(n), strings.Trim(strings.ReplaceAll(fmt.Sprint(n.shape), " ", "x"), "[]"))
				}
			}
			f.Add(b.String())
		}
	}
	f.Add("model.diffusion_model.input_blocks.4096.0.op.weight 1\nmodel.diffusion_model.input_blocks.99999999999.1.norm.weight\n")
	f.Add("first_stage_model.encoder.down.4095.block.4095.norm1.weight 1\nfirst_stage_model.decoder.up.0.block.0.x")
	f.Add("down_blocks.0.resnets.0.conv1.weight 32x1x1x1\ntime_embedding.linear_1.weight 1\nmodel_ema.diffusion_modelx 1")
	f.Fuzz(func(t *testing.T, text string) {
		shapes := shapesOf(text)
		s := shapeStore(shapes)
		contents := s.Contents()
		if strings.Contains(contents.String()+contents.Unsupported, "\n") {
			t.Fatalf("more than one line: %q", contents.String())
		}
		known := 0
		for _, c := range Components() {
			v, err := s.Component(c)
			if (err == nil) != (contents.Dialects[c] != "") && err == nil {
				t.Fatalf("%s: opened, but not recognised", c)
			}
			if err != nil {
				if strings.ContainsAny(strings.ReplaceAll(err.Error(), "\\n", ""), "\n") && !strings.Contains(text, "\r") {
					t.Fatalf("more than one line: %q", err)
				}
				continue
			}
			known += len(v.Names())
			config, err := InferConfig(v, c)
			if err == nil && !json.Valid(config) {
				t.Fatalf("%s: %s", c, config)
			}
			if len(config) > 1<<16 {
				t.Fatalf("%s: a configuration of %d bytes", c, len(config))
			}
			v.Compare(map[string][]int{"x": {1}})
			if back, err := CompVisNames(v.Names(), c); err == nil {
				var all []string
				for _, n := range back {
					all = append(all, n)
				}
				slices.Sort(all)
				if len(slices.Compact(all)) != len(v.Names()) {
					t.Fatalf("%s: two tensors have one name in the original code", c)
				}
			}
		}
		if known > 3*len(shapes) {
			t.Fatalf("%d tensors in the components of a file of %d", known, len(shapes))
		}
	})
}

// An index names files of its own folder, or is refused in one line.
func FuzzShardIndex(f *testing.F) {
	f.Add([]byte(`{"metadata": {"total_size": 4}, "weight_map": {"a": "1.safetensors", "b": "2.safetensors"}}`))
	f.Add([]byte(`{"weight_map": {"a": "../../etc/passwd"}}`))
	f.Add([]byte(`{"weight_map": {"a": "` + strings.Repeat("x", 300) + `"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		index, err := parseIndex(b)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("more than one line: %q", err)
			}
			return
		}
		for _, file := range index.files {
			if strings.ContainsAny(file, "/\\") || file == "" || file == "." || file == ".." {
				t.Fatalf("the file %q", file)
			}
		}
		_, err = openShards("index", index, func(name string) (*Store, error) {
			return OpenBytes(name, []byte{2, 0, 0, 0, 0, 0, 0, 0, '{', '}'})
		})
		if err == nil {
			t.Fatal("shards without tensors opened")
		}
	})
}
