package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"percept"
	"percept/cmd/percept/internal/stage"
	"percept/fmri/sim"
	"percept/tensor"
)

// Run is one experiment in its run directory.
type Run struct {
	Config Config
	Model  *percept.Pipeline
	stages *stage.Runner
}

// Result is where a finished run has left what people look at.
type Result struct {
	Report   string // HTML page
	Sheet    string // contact sheet, PNG
	Scores   []Row
	Subjects []string
}

// New prepares a run directory and writes the configuration into it.
func New(dir string, c Config, model *percept.Pipeline, version string,
	bar func(title string) (stage.Progress, func(skipped bool))) (*Run, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	s, err := stage.New(dir, version)
	if err != nil {
		return nil, err
	}
	s.Bar = bar
	text, err := toml.Marshal(c)
	if err != nil {
		s.Close()
		return nil, err
	}
	if err := stage.WriteFile(s.Path("experiment.toml"), text); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: cannot be written: %w", s.Path("experiment.toml"), err)
	}
	return &Run{Config: c, Model: model, stages: s}, nil
}

// Do runs every stage that is not up to date, and lets go of the run directory.
func (r *Run) Do(ctx context.Context) (*Result, error) {
	defer r.stages.Close()
	if r.Config.Simulate != nil {
		if err := r.simulate(ctx); err != nil {
			return nil, err
		}
	}
	for _, s := range r.Config.Subjects {
		if err := r.responses(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := r.features(ctx); err != nil {
		return nil, err
	}
	for _, s := range r.Config.Subjects {
		if err := r.decode(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := r.renderTruth(ctx); err != nil {
		return nil, err
	}
	for _, s := range r.Config.Subjects {
		if err := r.render(ctx, s); err != nil {
			return nil, err
		}
	}
	if err := r.score(ctx); err != nil {
		return nil, err
	}
	return r.report(ctx)
}

// dataRoot is the folder of the NSD tree.
func (r *Run) dataRoot() string {
	if filepath.IsAbs(r.Config.Data) {
		return r.Config.Data
	}
	return r.stages.Path(r.Config.Data)
}

// provenance is what every stage that runs a network depends on besides its artefacts.
func (r *Run) provenance() map[string]string {
	return map[string]string{"model": r.Model.Hash, "weights": r.Model.Storage, "text": r.Model.Tokenizer.Cleaning().String(), "kernels": tensor.KernelSet(), "forms": tensor.Forms().Hash()}
}

// dependOnData makes a stage depend on the data tree: on the sum of one that this run has simulated, or
// else on the names, sizes and times of its files. Real trees are too large to be read for a sum.
func (r *Run) dependOnData(s *stage.Stage) error {
	if r.Config.Simulate != nil {
		s.Inputs = append(s.Inputs, r.Config.Data)
		return nil
	}
	h := sha256.New()
	err := filepath.WalkDir(r.dataRoot(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path) // of what a link points to
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(h, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: cannot be listed, expected the root of an NSD tree: %w", r.dataRoot(), err)
	}
	extra := map[string]string{"data": hex.EncodeToString(h.Sum(nil))}
	maps.Copy(extra, s.Extra)
	s.Extra = extra
	return nil
}

// simulate writes the data tree.
func (r *Run) simulate(ctx context.Context) error {
	s := r.Config.Simulate
	o := sim.Options{Seed: s.Seed, Subjects: len(r.Config.Subjects), SharedImages: s.Shared, OwnImages: s.Own, ImageSize: r.Model.Size}
	return r.stages.Do(ctx, stage.Stage{
		Name: "data", Title: "simulate two brains", Output: r.Config.Data, Params: o,
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			return sim.Write(ctx, tmp, o, func(done, total int, _ string) { p(done, total) })
		},
	})
}
