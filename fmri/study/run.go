package study

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"percept"
	"percept/fmri/nsd"
	"percept/fmri/sim"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/internal/atomicfile"
	"percept/tensor"
)

// Run is one experiment in its run directory.
type Run struct {
	Config Config
	Model  *percept.Pipeline
	runner *stage.Runner
}

// Result is where a finished run has left what people look at.
type Result struct {
	Report           string // HTML page
	Sheet            string // contact sheet, PNG; empty, as the next two, where no pictures are made
	Scores           []Row
	Metrics          []Metric
	Subjects         []string
	Diagnoses        []report.Diagnosis // of each subject's fits
	DiagnosisColumns []report.Column    // of their values
}

// New prepares a run directory and writes the configuration into it.
func New(dir string, c Config, model *percept.Pipeline, version string,
	bar func(title string) (stage.Progress, func(skipped bool))) (*Run, error) {
	if err := c.ready(model); err != nil {
		return nil, err
	}
	s, err := stage.New(dir, version)
	if err != nil {
		return nil, err
	}
	s.Bar = bar
	r := &Run{Config: c, Model: model, runner: s}
	if _, err := r.stages(); err != nil { // before the configuration of an earlier run is replaced
		s.Close()
		return nil, err
	}
	text, err := toml.Marshal(c)
	if err == nil {
		err = atomicfile.Write(s.Path(ConfigFile), text)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: cannot be written: %w", s.Path(ConfigFile), err)
	}
	return r, nil
}

// Tell has note told what is made anew, why, and how long it took the last time, before it is.
func (r *Run) Tell(note func(line string)) { r.runner.Note = note }

// ConfigFile is the file of a run directory that says what was asked.
const ConfigFile = "experiment.toml"

// Plan says what New and Do would make in a run directory, which need not be there and is not changed.
func Plan(dir string, c Config, model *percept.Pipeline, version string) ([]stage.Plan, error) {
	if err := c.ready(model); err != nil {
		return nil, err
	}
	r := &Run{Config: c, Model: model, runner: stage.Look(dir, version)}
	stages, err := r.stages()
	if err != nil {
		return nil, err
	}
	return r.runner.Plan(stages)
}

// codes are the versions of what computes the stages, by the first word of their names. One is raised in the commit that gives
// the same inputs and parameters other bytes, which TestCodes finds out.
var codes = map[string]int{"data": 1, "responses": 1, "features": 1, "fit": 1, "decode": 1, "control": 1, "diagnose": 1, "render": 1,
	"score": 1, "sheet": 1, "report": 1}

// stages lists everything that a run makes, in order.
func (r *Run) stages() ([]stage.Stage, error) {
	all, err := r.withoutCodes()
	for i := range all {
		kind, _, _ := strings.Cut(all[i].Name, "-")
		all[i].Code = codes[kind]
	}
	return all, err
}

func (r *Run) withoutCodes() ([]stage.Stage, error) {
	var all []stage.Stage
	if r.Config.Simulate != nil {
		all = append(all, r.simulate())
	}
	for _, s := range r.Config.Subjects {
		all = append(all, r.responses(s))
	}
	if r.Config.Features.From == "" {
		all = append(all, r.features())
	}
	perSubject := []func(string) (stage.Stage, error){r.fit, r.decode}
	if r.Config.pictures() {
		perSubject = append(perSubject, r.control)
	}
	for _, make := range append(perSubject, r.diagnose) {
		for _, subject := range r.Config.Subjects {
			s, err := make(subject)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
	}
	if !r.Config.pictures() {
		return append(all, r.report()), nil
	}
	s, err := r.renderTruth()
	if err != nil {
		return nil, err
	}
	all = append(all, s)
	for _, s := range r.Config.Subjects {
		all = append(all, r.render(s))
	}
	return append(all, r.score(), r.sheet(), r.report()), nil
}

// Do runs every stage that is not up to date, and lets go of the run directory.
func (r *Run) Do(ctx context.Context) (*Result, error) {
	defer r.runner.Close()
	stages, err := r.stages()
	if err != nil {
		return nil, err
	}
	for _, s := range stages {
		if err := r.runner.Do(ctx, s); err != nil {
			return nil, err
		}
	}
	result := &Result{Report: r.runner.Path(reportFile), Subjects: r.Config.Subjects, DiagnosisColumns: r.Config.diagnosisColumns()}
	if result.Diagnoses, err = r.diagnoses(); err != nil || !r.Config.pictures() {
		return result, err
	}
	result.Sheet, result.Metrics = r.runner.Path(sheetFile), r.metrics()
	return result, readJSON(r.runner.Path(scoresFile), &result.Scores)
}

// folders lists, kind by kind, the folder of each subject.
func (r *Run) folders(kinds ...func(subject string) string) (all []string) {
	for _, kind := range kinds {
		for _, s := range r.Config.Subjects {
			all = append(all, kind(s))
		}
	}
	return all
}

// dataRoot is the folder of the NSD tree.
func (r *Run) dataRoot() string {
	if r.Config.Simulate == nil {
		return r.Config.Data
	}
	return r.runner.Path(r.Config.Data)
}

func (r *Run) paths() nsd.Paths { return nsd.Paths(r.dataRoot()) }

// program is what files say that they were made by.
func (r *Run) program() string { return "percept " + r.runner.Version }

// provenance is what every stage that runs a network depends on besides its artefacts.
func (r *Run) provenance() map[string]string {
	return map[string]string{"model": r.Model.Hash, "weights": r.Model.Storage, "text": r.Model.Tokenizer.Cleaning().String(),
		"kernels": tensor.KernelSet(), "forms": tensor.Forms().Hash()}
}

// dependOnData makes a stage depend on files and folders of the data tree: on the sum of a tree that this run has
// simulated, or else on what identifies each. Where the tree lies does not matter.
func (r *Run) dependOnData(s *stage.Stage, files ...string) {
	if r.Config.Simulate != nil {
		s.Inputs = append(s.Inputs, r.Config.Data)
		return
	}
	identify(s.Extra, r.dataRoot(), files)
}

// simulate writes the data tree.
func (r *Run) simulate() stage.Stage {
	s := r.Config.Simulate
	o := sim.Options{Seed: s.Seed, Subjects: len(r.Config.Subjects), SharedImages: s.Shared, OwnImages: s.Own, ImageSize: r.Model.Size}
	title := cmp.Or(map[int]string{1: "simulate a brain", 2: "simulate two brains"}[o.Subjects],
		fmt.Sprintf("simulate %d brains", o.Subjects))
	return stage.Stage{
		Name: "data", Title: title, Output: r.Config.Data, Params: o,
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			return sim.Write(ctx, tmp, o, func(done, total int, _ string) { p(done, total) })
		},
	}
}
