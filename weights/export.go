package weights

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"percept/internal/pyjson"
	"percept/weights/safetensors"
	"percept/weights/synth"
)

// ExportOptions say what Export and ExportSynth write.
type ExportOptions struct {
	// DType is F32, F16 or BF16; empty keeps each tensor's own, and is F32 for generated ones.
	DType safetensors.DType
	// Parameters are the names and shapes that each component has to have, neither more nor less.
	Parameters map[Component]map[string][]int
	// Replace lets an existing model folder be replaced. A folder that holds anything else is left alone.
	Replace bool
	// Progress, unless nil, is told how many bytes of a component have been written.
	Progress func(c Component, done, total int64)
}

// Exported is one file of weights that has been written.
type Exported struct {
	Component Component
	File      string // below the folder
	Tensors   int
	Bytes     int64
}

// Export writes the parts of a model that f has as a folder in the layout of diffusers, with safetensors files, which
// diffusers and OpenFolder load. The folder appears complete or not at all. Tensor by tensor is read and written, so that
// the memory needed is that of the largest one.
//
// A value that is no number, or is beyond what float16 holds (65504), is an error that names the tensor, as are tensors
// that are missing, misshapen or in excess (*CheckError).
func Export(ctx context.Context, f *Folder, dir string, o ExportOptions) ([]Exported, error) {
	var parts []exportPart
	for _, c := range Components() {
		p := f.Parts[c]
		if p == nil {
			continue
		}
		if bad := p.Store.Compare(o.Parameters[c]); bad != nil {
			return nil, bad
		}
		part := exportPart{component: c, config: p.Config}
		for _, name := range slices.Sorted(maps.Keys(o.Parameters[c])) {
			own, shape, _ := p.Store.Info(name)
			d := cmp.Or(o.DType, own)
			part.tensors = append(part.tensors, safetensors.Streamed{Name: name, DType: d, Shape: shape, Write: func(w io.Writer) error {
				defer p.Store.Forget(name)
				return p.Store.writeAs(w, name, d)
			}})
		}
		parts = append(parts, part)
	}
	return export(ctx, dir, parts, f.exportRest, o)
}

// ExportSynth is Export for a model whose weights the generator makes: those of s with each component's name behind
// s.Component, which is empty or a prefix such as "nano.". configs are the config.json of the components; of m the
// tokenizer is taken, if it names one.
func ExportSynth(
	ctx context.Context, s synth.Weights, configs map[Component][]byte, m ModelOptions, dir string, o ExportOptions,
) ([]Exported, error) {
	f := &Folder{Dir: dir, Parts: map[Component]*Part{}, made: map[string][]byte{}}
	if m.Tokenizer != "" {
		if err := f.setTokenizer(m.Tokenizer, m); err != nil {
			return nil, err
		}
	}
	var parts []exportPart
	d := cmp.Or(o.DType, safetensors.F32)
	for _, c := range Components() {
		if configs[c] == nil {
			continue
		}
		part := exportPart{component: c, config: configs[c]}
		f.Parts[c] = &Part{Config: configs[c]}
		of := s
		of.Component += string(c)
		for name, shape := range o.Parameters[c] {
			part.tensors = append(part.tensors, safetensors.Streamed{Name: name, DType: d, Shape: shape, Write: func(w io.Writer) error {
				x, err := of.Float32(name, shape...)
				for part := range slices.Chunk(x, scanPart) {
					if err == nil {
						_, err = w.Write(safetensors.Append(nil, d, part))
					}
				}
				return err
			}})
		}
		parts = append(parts, part)
	}
	return export(ctx, dir, parts, f.exportRest, o)
}

// exportPart is one component to be written.
type exportPart struct {
	component Component
	config    []byte
	tensors   []safetensors.Streamed
}

// export writes the folder; rest writes what is not weights.
func export(ctx context.Context, dir string, parts []exportPart, rest func(tmp string) error, o ExportOptions) (_ []Exported, err error) {
	if o.DType != "" && o.DType != safetensors.F32 && o.DType != safetensors.F16 && o.DType != safetensors.BF16 {
		return nil, fmt.Errorf("weights: element type %q, expected F32, F16 or BF16", o.DType)
	}
	sizes := map[Component]int64{}
	need := int64(1 << 20) // for the tokenizer
	for _, p := range parts {
		for _, t := range p.tensors {
			n, err := t.Size()
			if err != nil {
				return nil, fmt.Errorf("weights: %w", err)
			}
			sizes[p.component] += int64(n)
		}
		need += sizes[p.component]
	}
	s, err := newStaged(dir, o.Replace, need)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = s.named(err)
			s.drop()
		}
	}()
	var written []Exported
	for _, p := range parts {
		name := filepath.Join(string(p.component), stems[p.component][0]+".safetensors")
		e := Exported{p.component, name, len(p.tensors), sizes[p.component]}
		done := int64(0)
		for i, t := range p.tensors {
			p.tensors[i].Write = func(w io.Writer) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := t.Write(w); err != nil {
					return err
				}
				n, err := t.Size()
				if done += int64(n); o.Progress != nil {
					o.Progress(p.component, done, e.Bytes)
				}
				return err
			}
		}
		if err := write(s.tmp, string(p.component)+"/config.json", p.config); err != nil {
			return nil, err
		}
		// transformers refuses a file that does not say which library its tensors are of.
		if err := safetensors.Stream(filepath.Join(s.tmp, e.File), p.tensors, map[string]string{"format": "pt"}); err != nil {
			return nil, err
		}
		written = append(written, e)
	}
	if err := rest(s.tmp); err != nil {
		return nil, err
	}
	return written, s.commit()
}

// The largest numbers of float16 and bfloat16.
const (
	maxHalf  = 65504
	maxBrain = 0x1.fep127

	// The largest numbers of float32 that are rounded to them.
	roundsToHalf  = 0x1.ffdffep15
	roundsToBrain = 0x1.fefffep127
)

// writeAs writes a tensor's elements in another type, or in its own.
func (s *Store) writeAs(w io.Writer, name string, d safetensors.DType) error {
	own := s.tensors[name].DType
	var room []byte
	beyond, largest := 0, float32(0)
	limit, limited := map[safetensors.DType]float32{safetensors.F16: roundsToHalf, safetensors.BF16: roundsToBrain}[d]
	limited = limited && d != own
	bad := NonFinite{Name: name}
	err := s.scan(name, func(x []float32, raw []byte) error {
		part := countNonFinite(name, x)
		bad.NaN, bad.Inf = bad.NaN+part.NaN, bad.Inf+part.Inf
		if d != own {
			room = safetensors.Append(room[:0], d, x)
			raw = room
		}
		if limited {
			for _, v := range x {
				if abs := float32(math.Abs(float64(v))); abs > limit {
					beyond++
					largest = max(largest, abs)
				}
			}
		}
		_, err := w.Write(raw)
		return err
	})
	switch {
	case err != nil:
		return err
	case bad.NaN+bad.Inf > 0:
		return &FormatError{s.file, fmt.Sprintf("%s holds %d NaN and %d Inf: it is damaged", name, bad.NaN, bad.Inf)}
	case beyond > 0:
		limit := fmt.Sprintf("float16's %d, the largest is %g: bfloat16 and float32 hold them", maxHalf, largest)
		if d == safetensors.BF16 {
			limit = fmt.Sprintf("bfloat16's %g, the largest is %g: float32 holds them", maxBrain, largest)
		}
		return &FormatError{s.file, fmt.Sprintf("%s has %d values beyond %s", name, beyond, limit)}
	}
	return nil
}

// write writes a small file of the layout below dir.
func write(dir, name string, b []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// exportRest writes what a model folder has besides weights.
func (f *Folder) exportRest(dir string) error {
	files := map[string][]byte{schedulerFile: []byte(schedulerConfig)}
	if f.Has(schedulerFile) {
		var err error
		if files[schedulerFile], err = f.Read(schedulerFile); err != nil {
			return err
		}
	}
	tokenizer := f.HasTokenizer()
	if tokenizer {
		own, err := f.TokenizerFiles()
		if err != nil {
			return err
		}
		if own["tokenizer_config.json"] == nil { // else it says all, and a file beside it may say otherwise
			files[tokenizerDir+"tokenizer_config.json"] = []byte(tokenizerConfig(f.Parts[TextEncoder]))
			if own["tokenizer.json"] == nil && own["special_tokens_map.json"] == nil {
				files[tokenizerDir+"special_tokens_map.json"] = []byte(specialTokens)
			}
		}
		for name, b := range own {
			files[tokenizerDir+name] = b
		}
	}
	class := struct {
		Name string `json:"_class_name"`
	}{"DDIMScheduler"}
	if err := json.Unmarshal(pyjson.Standard(files[schedulerFile]), &class); err != nil {
		return &FormatError{filepath.Join(f.Dir, schedulerFile), oneLine(err)}
	}
	files[indexFile] = modelIndex(f.Parts, tokenizer, class.Name)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := write(dir, name, files[name]); err != nil {
			return err
		}
	}
	return nil
}

// ErrNotEmpty is wrapped in the error for a folder that exists and may not be replaced.
var ErrNotEmpty = errors.New("the folder is not empty")
