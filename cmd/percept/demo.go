package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/fmri/study"
	"percept/fmri/study/report"
)

func newDemo() *cobra.Command {
	c := study.Demo()
	var out string
	var model modelFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "From simulated brains to pictures and scores, all stages",
		Long: `Simulate two subjects looking at pictures, written in the layout and formats of the Natural
Scenes Dataset; read their responses; decode z from early and c from higher visual cortex;
render z, c and z+c with controls; score; write a contact sheet and an HTML report.

Every stage leaves its artefact in the run directory. Run again after an interruption and it
goes on where it stopped; change an option and only what depends on it is made again.`,
		Example: `  percept demo --out demo
  percept demo --out demo --strength 0.5     only the pictures are made again`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{fmt.Errorf("--out is empty, expected a folder")}
			}
			if err := c.Check(); err != nil {
				return usageError{errors.New(demoFlags.Replace(err.Error()))}
			}
			if err := model.check(); err != nil {
				return err
			}
			pipe, err := model.loadSound(cmd)
			if err != nil {
				return err
			}
			model.fill(cmd, &c)
			return runExperiment(cmd, out, c, pipe)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "demo", "run `folder`, made if it is not there")
	model.add(cmd, true)
	addJSON(cmd)
	f.Uint64Var(&c.Seed, "seed", c.Seed, "of diffusion noise, shuffles and bootstrap")
	f.Uint64Var(&c.Simulate.Seed, "brain-seed", c.Simulate.Seed, "of the simulated brains and their pictures")
	f.IntVar(&c.Simulate.Own, "train-images", c.Simulate.Own, "training images of each simulated subject (0: 400)")
	f.IntVar(&c.Simulate.Shared, "test-images", c.Simulate.Shared, "test images that both simulated subjects see (0: 40)")
	f.IntVar(&c.Render.Steps, "steps", c.Render.Steps, "DDIM steps")
	f.Float64Var(&c.Render.Strength, "strength", c.Render.Strength, "share of the diffusion that z is noised by, between 0 and 1")
	f.Float64Var(&c.Render.Guidance, "guidance", c.Render.Guidance, "scale of classifier-free guidance")
	f.IntVar(&c.Render.Images, "images", c.Render.Images, "test images to render (0: all)")
	return cmd
}

// demoFlags says the names of flags for those of the configuration's keys.
var demoFlags = strings.NewReplacer("[render] ", "--", "[simulate] own_images", "--train-images",
	"[simulate] shared_images", "--test-images")

// printResult prints what predictions are worth, where they are of more than the pair that pictures are made of, the scores of
// pictures, where there are any, and where there is more to look at.
func printResult(w io.Writer, result *study.Result) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if result.Sheet == "" || len(result.Diagnoses) > 2*len(result.Subjects) {
		printDiagnoses(t, result)
	}
	if result.Sheet != "" {
		printScores(t, result)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	absolute, err := filepath.Abs(result.Report)
	if err != nil {
		absolute = result.Report
	}
	if result.Sheet != "" {
		fmt.Fprintf(w, "\ncontact sheet  %s", result.Sheet)
	}
	_, err = fmt.Fprintf(w, "\nreport         %s\n", absolute)
	return err
}

// printDiagnoses prints a block for each subject with a line for each fit.
func printDiagnoses(w io.Writer, result *study.Result) {
	of := ""
	for _, d := range result.Diagnoses {
		if d.Subject != of {
			of = d.Subject
			fmt.Fprintf(w, "\n%s\tfrom", of)
			for _, c := range result.DiagnosisColumns {
				fmt.Fprintf(w, "\t%s", c.Title)
			}
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "  %s\t%s", d.Feature, d.From)
		for _, v := range d.Values {
			fmt.Fprintf(w, "\t%s", v.Text)
		}
		fmt.Fprintln(w)
	}
}

// printScores prints a block for each subject with a line for each kind of picture.
func printScores(w io.Writer, result *study.Result) {
	metrics := result.Metrics
	for _, s := range result.Subjects {
		fmt.Fprintf(w, "\n%s", s)
		for _, m := range metrics {
			fmt.Fprintf(w, "\t%s", m.Short)
		}
		fmt.Fprintln(w)
		for _, method := range study.Methods() {
			cells := []string{"  " + method}
			for _, m := range metrics {
				text := "" // a cell that is not there keeps its place
				if v, ok := report.Find(result.Scores, s, method, m.Name); ok {
					text = cell(m, v)
				}
				cells = append(cells, text)
			}
			fmt.Fprintln(w, strings.Join(cells, "\t"))
		}
		fmt.Fprintln(w, strings.Join(chanceRow(result, s, metrics), "\t"))
	}
}

// cell is a score and its interval; the unit is in the header.
func cell(m report.Metric, v study.Row) string {
	if m.Percent {
		return fmt.Sprintf("%.1f [%.0f, %.0f]", 100*v.Value, 100*v.Low, 100*v.High)
	}
	return fmt.Sprintf("%.3f [%.2f, %.2f]", v.Value, v.Low, v.High)
}

// chanceRow shows between what bounds 95 % of random pairings of the shuffled control's pictures score.
func chanceRow(result *study.Result, subject string, metrics []report.Metric) []string {
	cells := []string{"  chance"}
	for _, m := range metrics {
		c := ""
		if v, ok := report.Find(result.Scores, subject, study.Shuffled, m.Name); ok && v.ChanceHigh > v.ChanceLow {
			c = fmt.Sprintf("[%.0f, %.0f]", 100*v.ChanceLow, 100*v.ChanceHigh)
		}
		cells = append(cells, c)
	}
	return cells
}
