package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"percept/weights"
)

// inspection is what percept weights inspect finds; with --json it is written as it is.
type inspection struct {
	Path        string         `json:"path"`
	Format      string         `json:"format"`
	Bytes       int64          `json:"bytes"`
	Model       string         `json:"model"`
	Unsupported string         `json:"unsupported,omitempty"`
	EMA         bool           `json:"ema"`
	Parts       []*partReport  `json:"parts"`
	Problems    []string       `json:"problems,omitempty"`
	Notes       []string       `json:"notes,omitempty"`
	Tensors     []tensorReport `json:"tensors,omitempty"`
}

// partReport is about the tensors of one component, of the averaged weights, or of neither.
type partReport struct {
	Part       string           `json:"part"`
	File       string           `json:"file"`
	Names      string           `json:"names,omitempty"`
	Tensors    int              `json:"tensors"`
	Parameters int64            `json:"parameters"`
	Bytes      int64            `json:"bytes"`
	DTypes     map[string]int   `json:"dtypes"`
	Missing    []shapeReport    `json:"missing,omitempty"`
	Misshapen  []shapeReport    `json:"misshapen,omitempty"`
	Unreadable []unreadReport   `json:"unreadable,omitempty"`
	Unexpected []string         `json:"unexpected,omitempty"`
	NotFinite  []finiteReport   `json:"not_finite,omitempty"`
	Problem    string           `json:"problem,omitempty"`
	read       bool             // values were read
	sources    map[string]bool  // the file's names
	store      *weights.Store   // the file
	view       *weights.Store   // nil where the part is no component
	want       map[string][]int // nil where it is not known
}

type shapeReport struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape,omitempty"`
	Want  []int  `json:"want"`
}

// unreadReport is a tensor that the model wants and that has no values here.
type unreadReport struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

type finiteReport struct {
	Name string `json:"name"`
	NaN  int    `json:"nan"`
	Inf  int    `json:"inf"`
}

type tensorReport struct {
	File   string `json:"file"`
	Part   string `json:"part"`
	Source string `json:"source"` // name in the file
	Name   string `json:"name"`   // in diffusers
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	NaN    int    `json:"nan"`
	Inf    int    `json:"inf"`
}

func newWeightsInspect() *cobra.Command {
	var fast, tensors, asJSON bool
	var o weights.ModelOptions
	cmd := &cobra.Command{
		Use:   "inspect FILE|DIR",
		Short: "Say what is in a checkpoint, and what is wrong with it",
		Long: `Say what a file of weights or a model folder holds: its format, which model it is, tensors,
parameters and types of each part, what is missing, unexpected or misshapen against the model's own
list, and how many values are NaN or Inf. Exit status 1 where the file is damaged or does not fit the
model that it claims to be.

The format of a file is told by its contents: safetensors, or what torch.save writes (zip or legacy),
which is read without running anything in it.`,
		Example: `  percept weights inspect sd-v1-4.ckpt
  percept weights inspect stable-diffusion-v1-4 --fast
  percept weights inspect model.safetensors --tensors > tensors.tsv`,
		Args: oneArg("a file of weights or a model folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, closeAll, err := inspect(args[0], o)
			if err != nil {
				return err
			}
			defer closeAll()
			if !fast {
				if err := in.verify(cmd.Context()); err != nil {
					return err
				}
				b := logOf(cmd).Start("read values")
				err := in.readValues(cmd.Context(), func(done, total int64) { b.Progress(int(done>>10), int(max(1, total>>10))) })
				if err := b.Finish(false, err); err != nil {
					return err
				}
			}
			if tensors {
				in.listTensors()
			}
			if !asJSON {
				writeNotes(logOf(cmd), args[0], in.Notes)
			}
			switch out := cmd.OutOrStdout(); {
			case asJSON:
				e := json.NewEncoder(out)
				e.SetIndent("", "  ")
				err = e.Encode(in)
			case tensors:
				err = in.writeTSV(out)
			default:
				err = in.write(out)
			}
			return cmp.Or(err, in.verdict())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&fast, "fast", false, "do not read the values")
	f.BoolVar(&tensors, "tensors", false,
		"list all tensors, tab separated: file, part, name in the file, name in diffusers, type, shape, NaN, Inf")
	f.BoolVar(&asJSON, "json", false, "write everything as JSON")
	f.StringVar(&o.Config, "config", "",
		"`folder` with unet/config.json, vae/config.json, text_encoder/config.json in place of what shapes tell of a single file")
	f.StringVar(&o.Variant, "variant", "", "take a folder's files with this `word` in their names, such as fp16 or non_ema")
	return cmd
}

// inspect opens what lies at path and compares names and shapes.
func inspect(path string, o weights.ModelOptions) (*inspection, func(), error) {
	file, err := weights.Locate(path)
	if err != nil {
		return nil, nil, err
	}
	if file != "" {
		return inspectFile(file, o)
	}
	o.Partial, o.Unsupported = true, true
	f, err := weights.OpenModel(path, o)
	if err != nil {
		return nil, nil, err
	}
	in := &inspection{Path: path, Format: "diffusers folder", Notes: f.Notes()}
	for _, c := range weights.Components() {
		p := f.Parts[c]
		if p == nil {
			continue
		}
		contents := p.File.Contents()
		if in.Model == "" || c == weights.UNet {
			in.Model = contents.Model
		}
		in.Unsupported = cmp.Or(in.Unsupported, contents.Unsupported)
		r := newPartReport(string(c), p.File, p.Store.Names(), p.Store)
		r.Names = string(contents.Dialects[c])
		if contents.Unsupported == "" {
			r.compare(c, p.Config, p.ConfigFile)
		}
		in.Parts = append(in.Parts, r)
		in.Bytes += r.Bytes
	}
	return in, func() { f.Close() }, nil
}

func inspectFile(path string, o weights.ModelOptions) (*inspection, func(), error) {
	if o.Variant != "" {
		return nil, nil, fmt.Errorf("%s: a single file, of which there is no variant %s", path, o.Variant)
	}
	s, err := weights.Open(path)
	if err != nil {
		return nil, nil, err
	}
	contents := s.Contents()
	in := &inspection{Path: path, Format: s.Format(), Model: contents.String(), Unsupported: contents.Unsupported, EMA: contents.EMA}
	if info, err := os.Stat(path); err == nil {
		in.Bytes = info.Size()
	}
	taken := map[string]bool{}
	for _, c := range weights.Components() {
		if contents.Dialects[c] == "" {
			continue
		}
		view, err := s.Component(c)
		if err != nil {
			in.Problems = append(in.Problems, oneLine(err))
			continue
		}
		r := newPartReport(string(c), s, view.Names(), view)
		r.Names = string(contents.Dialects[c])
		if contents.Unsupported == "" {
			if config, from, err := configOf(view, c, o.Config); err != nil {
				r.Problem = oneLine(err)
			} else {
				r.compare(c, config, from)
			}
		}
		in.Parts = append(in.Parts, r)
		maps.Copy(taken, r.sources)
	}
	in.add("model_ema", s, taken, func(n string) bool { return contents.EMA && strings.HasPrefix(n, "model_ema.") })
	in.add("other", s, taken, func(string) bool { return true })
	return in, func() { s.Close() }, nil
}

// configOf returns the configuration of a component of a single file.
func configOf(view *weights.Store, c weights.Component, folder string) (config []byte, from string, err error) {
	if folder != "" {
		from = folder + "/" + string(c) + "/config.json"
		if config, err = os.ReadFile(from); err == nil || !errors.Is(err, os.ErrNotExist) {
			return config, from, err
		}
	}
	config, err = weights.InferConfig(view, c)
	var untold *weights.UntoldError
	if errors.As(err, &untold) {
		return untold.Config, "its shapes", nil // good enough for names and shapes
	}
	return config, "its shapes", err
}

// add adds a part of the tensors that are not in another yet.
func (in *inspection) add(part string, s *weights.Store, taken map[string]bool, fits func(name string) bool) {
	var names []string
	for _, n := range s.Names() {
		if !taken[n] && fits(n) {
			names = append(names, n)
			taken[n] = true
		}
	}
	if len(names) > 0 {
		in.Parts = append(in.Parts, newPartReport(part, s, names, nil))
	}
}

// newPartReport counts tensors, parameters and bytes. names are those of view, or else of the file.
func newPartReport(part string, file *weights.Store, names []string, view *weights.Store) *partReport {
	r := &partReport{Part: part, File: file.File(), DTypes: map[string]int{}, sources: map[string]bool{}, store: file, view: view}
	s := cmp.Or(view, file)
	for _, n := range names {
		if view != nil && weights.Buffer(n) {
			continue // a constant; it is listed among the others
		}
		dtype, shape, _ := s.Info(n)
		count := elements(shape)
		r.Tensors++
		r.Parameters += count
		r.Bytes += s.Size(n)
		r.DTypes[dtypeName(dtype)]++
		r.sources[s.Source(n)] = true
	}
	return r
}

func elements(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		n *= int64(d)
	}
	return n
}

// compare lists what is missing, misshapen and unexpected.
func (r *partReport) compare(c weights.Component, config []byte, from string) {
	var err error
	if r.want, err = parameters(c, config); err != nil {
		r.Problem = fmt.Sprintf("%s: %s", from, oneLine(err))
		return
	}
	bad := r.view.Compare(r.want)
	if bad == nil {
		return
	}
	for _, m := range bad.Missing {
		r.Missing = append(r.Missing, shapeReport{Name: m.Name, Want: m.Want})
	}
	for _, m := range bad.Misshapen {
		r.Misshapen = append(r.Misshapen, shapeReport{m.Name, m.Got, m.Want})
	}
	for _, u := range bad.Unreadable {
		r.Unreadable = append(r.Unreadable, unreadReport(u))
	}
	r.Unexpected = bad.Unexpected
}

// readValues counts NaN and Inf in all tensors.
func (in *inspection) readValues(ctx context.Context, progress func(done, total int64)) error {
	var done, total int64
	for _, r := range in.Parts {
		total += r.Bytes
	}
	for _, r := range in.Parts {
		for _, name := range slices.Sorted(maps.Keys(r.sources)) {
			if err := ctx.Err(); err != nil {
				return err
			}
			if done += r.store.Size(name); r.store.Unreadable(name) != "" {
				continue // matters where a model wants it, which compare says
			}
			bad, err := r.store.CountNonFinite(name)
			if err != nil {
				r.Problem = cmp.Or(r.Problem, oneLine(err))
			}
			if bad.NaN+bad.Inf > 0 {
				r.NotFinite = append(r.NotFinite, finiteReport{name, bad.NaN, bad.Inf})
			}
			progress(done, total)
		}
		r.read = true
	}
	return nil
}

// verify compares files with the sums that they hold.
func (in *inspection) verify(ctx context.Context) error {
	for i, r := range in.Parts {
		if slices.ContainsFunc(in.Parts[:i], func(p *partReport) bool { return p.store == r.store }) {
			continue
		}
		if err := r.store.Verify(ctx); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			in.Problems = append(in.Problems, strings.TrimPrefix(oneLine(err), "weights: "+r.store.File()+": "))
		}
	}
	return nil
}
