package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept"
	"percept/fmri/study"
	"percept/fmri/study/stage"
)

func newRun() *cobra.Command {
	var out string
	var example, dry bool
	var model modelFlags
	cmd := &cobra.Command{
		Use:   "run FILE.toml",
		Short: "Run an experiment from its file: data tree to pictures, scores and report",
		Long: `Run what an experiment file asks for: read responses, make z and c of the images that were seen,
decode z from early and c from higher visual cortex, render pictures, score, write a report. In place
of the two the file may list any fits, between regions and features, both ways.

Every stage leaves its artefact in the run directory, with a manifest of what it was made from. Run
again after an interruption, of whatever kind, and it goes on where it stopped: the result has the
same bytes. Change the file and only what depends on the change is made again; --dry-run says what
that is, and why. Stages that take long, features and pictures, go on in the middle.

The run directory has its own copy of the file, experiment.toml, which can be run as well: that of
percept demo is such a file. Flags win over the file.`,
		Example: `  percept run --example > subj01.toml        a commented file to begin with
  percept run subj01.toml --dry-run
  percept run subj01.toml --out subj01
  percept run demo/experiment.toml --out again`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("%d arguments for %q, expected one: an experiment file", len(args), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if example {
				_, err := io.WriteString(cmd.OutOrStdout(), study.Example)
				return err
			}
			if len(args) != 1 {
				return usageError{errors.New("no experiment file, expected one as FILE.toml; --example prints one")}
			}
			if err := model.check(); err != nil {
				return err
			}
			file, err := study.Open(args[0])
			if err != nil {
				return err
			}
			if out == "" {
				out = runFolder(args[0])
			}
			model.fill(cmd, &file.Config)
			pipe, err := file.Check(func() (*percept.Pipeline, error) {
				if err := model.check(); err != nil {
					return nil, err
				}
				return model.loadSound(cmd)
			})
			if err != nil {
				return err
			}
			if dry {
				return dryRun(cmd, out, file.Config, pipe)
			}
			return runExperiment(cmd, out, file.Config, pipe)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "run `folder`, made if it is not there (default: that of FILE if it is a run's, else FILE without .toml)")
	f.BoolVar(&example, "example", false, "print a commented experiment file for a real NSD tree")
	f.BoolVar(&dry, "dry-run", false, "list the stages: what is up to date, what would be made and why")
	model.add(cmd, true)
	addJSON(cmd)
	return cmd
}

// runFolder is the run directory of an experiment file: its own folder, if that is one, else the file's name.
func runFolder(file string) string {
	dir := filepath.Dir(file)
	if _, err := os.Stat(filepath.Join(dir, "manifests")); err == nil && filepath.Base(file) == study.ConfigFile {
		return dir
	}
	name := strings.TrimSuffix(file, filepath.Ext(file))
	if name == file {
		name += ".run"
	}
	return name
}

// runExperiment runs and prints the table.
func runExperiment(cmd *cobra.Command, out string, c study.Config, pipe *percept.Pipeline) error {
	tellScheduler(logOf(cmd), pipe, "ddim")
	run, err := study.New(out, c, pipe, version, func(title string) (stage.Progress, func(bool)) {
		b := logOf(cmd).Start(title)
		return b.Progress, b.End
	})
	if err != nil {
		return err
	}
	run.Tell(logOf(cmd).Say)
	result, err := run.Do(cmd.Context())
	if err != nil {
		return err
	}
	if asJSON(cmd) {
		return printJSON(cmd, resultDocument(out, result))
	}
	return printResult(cmd.OutOrStdout(), result)
}

// dryRun prints what a run would do.
func dryRun(cmd *cobra.Command, out string, c study.Config, pipe *percept.Pipeline) error {
	plans, err := study.Plan(out, c, pipe, version)
	if err != nil {
		return err
	}
	if asJSON(cmd) {
		return printJSON(cmd, planDocument(out, plans))
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	made := 0
	for _, p := range plans {
		what := "up to date"
		if p.Make {
			what = "make: " + p.Why + stage.Took(p.Seconds)
			made++
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", p.Name, filepath.Join(out, p.Output), what)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, output := range stage.Unused(out, plans) {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: not used any more\n", filepath.Join(out, output))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d of %d stages would be made\n", made, len(plans))
	return err
}

// fill takes what the flags do not say from an experiment's file, and tells the experiment all of it.
func (m *modelFlags) fill(cmd *cobra.Command, c *study.Config) {
	take := func(flag string, mine, file *string) {
		if !cmd.Flags().Changed(flag) && *file != "" {
			*mine = *file
		}
		if cmd.Flags().Changed(flag) {
			*file = *mine
		}
	}
	for _, p := range []struct {
		flag       string
		mine, file *string
	}{
		{"model", &m.dir, &c.Model}, {"tokenizer", &m.Tokenizer, &c.Load.Tokenizer}, {"config", &m.Config, &c.Load.Config},
		{"variant", &m.Variant, &c.Load.Variant}, {"text-cleaning", &m.TextCleaning, &c.Load.TextCleaning},
		{"weights-dtype", &m.WeightsDType, &c.Load.WeightsDType}, {"memory", &m.Memory, &c.Load.Memory},
	} {
		take(p.flag, p.mine, p.file)
	}
	if cmd.Flags().Changed("ema") {
		c.Load.EMA = m.EMA
	}
	m.EMA = c.Load.EMA
	// The run directory may be elsewhere than here.
	for _, p := range []*string{&c.Model, &c.Load.Tokenizer, &c.Load.Config} {
		if absolute, err := filepath.Abs(*p); err == nil && *p != "" {
			*p = absolute
		}
	}
}
