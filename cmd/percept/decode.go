package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/fmri/diagnose"
	"percept/fmri/study"
)

func newDecode() *cobra.Command {
	var q study.ApplyRequest
	var out string
	cmd := &cobra.Command{
		Use:   "decode",
		Short: "Decode features from responses, and say what they are worth",
		Long: `Predict a feature from responses with a decoder that percept fit has made. The result is a file as
percept features makes, with the ids of the images and what it was made from. Responses of another
subject, space, beta version or scale, or without some of the decoder's voxels, are refused; voxels
are found by their coordinates, in images of the same size (NIfTI, MGH, GIFTI) as well: a decoder of a
mask's voxels takes whole volumes. Axes of arrays are those of percept fit.

With --features, the true ones, a diagnosis is printed and left beside the result, beside z.safetensors
as z.diagnosis.json and z.diagnosis.png:
  patterns       correlation over targets for each image, as the published code prints it, and after
                 the mean over images has been taken off, without which a common mean counts as success
  targets        correlation and R² over images for each target; how many are significant (FDR 5 %)
  identification two-way, in both directions, with what random pairings give
  variance kept  variance of predictions over that of the truth: ridge shrinks what it cannot predict
  dimension      spectra of predictions and truth, and their participation ratios: predictions that
                 span few dimensions can show little but what the training set was made of
                 (output dimension collapse, Shirakawa et al. 2024, arXiv:2405.10078)
  nearest        for how many images a training image's feature is nearer to the decoded one than
                 the true one is, which it is, and how many different ones there are
Intervals are of 95 % over images: bootstrap for patterns and identification, jackknife for targets.`,
		Example: `  percept decode --model models/z.safetensors --responses subj01 --out decoded/z.safetensors
  percept decode --model models/c.safetensors --responses subj01 --features features --out decoded/c.safetensors
  percept decode --model models/mine.safetensors --responses Xtest.npy --features Ytest.npy --out decoded/mine.safetensors`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case q.Model == "":
				return usageError{errors.New("--model is missing, expected a decoder that percept fit has made")}
			case q.Responses == "":
				return usageError{errors.New("--responses is missing, expected a folder of percept nsd prepare or an array")}
			case out == "":
				return usageError{errors.New("--out is missing, expected a file to make")}
			case !strings.HasSuffix(out, ".safetensors"):
				return usageError{fmt.Errorf("--out %s, expected a file name that ends in .safetensors", out)}
			case q.Part != "train" && q.Part != "test":
				return usageError{fmt.Errorf("--part %q, expected test or train", q.Part)}
			}
			if err := there(q.Responses, responseKinds); err != nil {
				return err
			}
			if q.Truth != "" {
				if err := there(q.Truth, featureKinds); err != nil {
					return err
				}
			}
			if info, err := os.Stat(q.Responses); err == nil && info.IsDir() {
				if err := hasPart(q.Responses, q.Part); err != nil {
					return err
				}
			} else {
				if cmd.Flags().Changed("part") {
					return usageError{errors.New("--part is for a folder of percept nsd prepare; rows of an array are what they are")}
				}
				q.Part = ""
			}
			return runDecode(cmd, out, q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Model, "model", "", "`file` of a decoder")
	f.StringVar(&q.Responses, "responses", "", "`folder` of percept nsd prepare, a run's test.safetensors, or an array FILE[:ARRAY] of rows of voxels")
	f.StringVar(&q.Images, "images", "", "array `FILE[:ARRAY]` with the 0-based image of each row of an array of responses")
	f.StringVar(&q.Mask, "mask", "", "array `FILE[:ARRAY]` of an array's voxels: those where it is not 0 are taken")
	f.StringVar(&q.Part, "part", "test", "rows of a folder: `test` or train")
	f.StringVar(&q.Truth, "features", "", "true features, to compare with: `folder` or file of percept features, or an array FILE[:ARRAY]")
	f.Uint64Var(&q.Seed, "seed", 1, "of bootstrap and random pairings")
	f.StringVar(&out, "out", "", "`file` of decoded features to make, .safetensors")
	addJSON(cmd)
	return cmd
}

func runDecode(cmd *cobra.Command, out string, q study.ApplyRequest) error {
	if err := writableIn(out); err != nil {
		return err
	}
	b := logOf(cmd).Start("decode")
	q.Progress, q.Version = b.Progress, version
	q.Note = func(line string) { tell(cmd, line) }
	d, err := study.Apply(cmd.Context(), out, q)
	if err != nil {
		return b.Finish(false, err)
	}
	b.End(d.UpToDate && d.Diagnosis == nil)
	w := cmd.OutOrStdout()
	if !asJSON(cmd) {
		fmt.Fprintf(w, "%s: %d rows of %s, %s\n", out, d.Rows, d.Columns, trainedOn(d))
	}
	if d.TrainedOn != nil && *d.TrainedOn > 0 {
		logOf(cmd).Warn(fmt.Sprintf("the decoder was fitted on the images of %d of the %d rows; of those, predictions are no test",
			*d.TrainedOn, d.Rows))
	}
	if d.Diagnosis != nil && d.Diagnosis.Diagnosis.Nearest == nil {
		fmt.Fprintln(logOf(cmd), "training images are not compared with: their features are not known by image")
	}
	switch {
	case asJSON(cmd):
		return printJSON(cmd, struct {
			File      string           `json:"file"`
			UpToDate  bool             `json:"up_to_date"`
			Rows      int              `json:"rows"`
			Shape     []int            `json:"shape"`
			TrainedOn *int             `json:"rows_trained_on"` // null: not known
			Diagnosis *study.Diagnosis `json:"diagnosis,omitempty"`
			JSON      string           `json:"diagnosis_json,omitempty"`
			PNG       string           `json:"diagnosis_png,omitempty"`
		}{out, d.UpToDate, d.Rows, d.Columns.Shape, d.TrainedOn, d.Diagnosis, d.JSON, d.PNG})
	case d.Diagnosis == nil:
		return nil
	}
	if err := printDiagnosis(w, d.Diagnosis); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n%s\n", d.JSON, d.PNG)
	return err
}

// trainedOn says of how many rows the decoder knows the image.
func trainedOn(d *study.Applied) string {
	if d.TrainedOn == nil {
		return "of which images are not known, nor whether the decoder was fitted on them"
	}
	return fmt.Sprintf("the images of %d of which the decoder was fitted on", *d.TrainedOn)
}

// printDiagnosis prints a diagnosis, a line for each quantity.
func printDiagnosis(w io.Writer, r *study.Diagnosis) error {
	d := r.Diagnosis
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	score := func(name string, s diagnose.Score) {
		fmt.Fprintf(t, "  %s\t%.3f [%.3f, %.3f]\t%s\n", name, s.Mean, s.Low, s.High, spread(s.Quantiles))
	}
	score("pattern correlation of an image", d.Pattern)
	score("  about the mean pattern", d.Centred)
	score("correlation of a target", d.Target)
	score("R² of a target", d.R2)
	flat := ""
	if d.Flat > 0 {
		flat = fmt.Sprintf("%d more do not vary", d.Flat)
	}
	fmt.Fprintf(t, "  significant targets (FDR 5 %%)\t%d of %d\t%s\n", d.Significant, d.Targets-d.Flat, flat)
	for _, id := range []struct {
		name string
		diagnose.Identified
	}{{"identification, true pattern fixed", d.FixTrue}, {"identification, decoded pattern fixed", d.FixDecoded}} {
		ties := ""
		if id.Ties > 0 {
			ties = fmt.Sprintf("; %d images have nothing but ties, which count as half: predictions are alike", id.Ties)
		}
		fmt.Fprintf(t, "  %s\t%.1f %% [%.1f, %.1f]\tchance %.1f to %.1f %%%s\n",
			id.name, 100*id.Accuracy, 100*id.Low, 100*id.High, 100*id.ChanceLow, 100*id.ChanceHigh, ties)
	}
	fmt.Fprintf(t, "  variance kept\t%.3f\tof a target: %s\n", d.Variance.Total, spread(d.Variance.Quantiles))
	decoded, truth := d.Dimension.Decoded, d.Dimension.True
	fmt.Fprintf(t, "  effective dimension\t%.1f of %.1f\t90 %% of the variance in %d of %d components\n",
		decoded.Participation, truth.Participation, decoded.Ninety, truth.Ninety)
	if n := d.Nearest; n != nil {
		fmt.Fprintf(t, "  nearer to a training image\t%d of %d\t", n.Nearer, d.Images)
		fmt.Fprintf(t, "%d different ones, one for %d images; %.1f %% of all are closer than the truth\n", n.Named, n.MostFor, 100*n.Closer)
	}
	fmt.Fprintf(t, "  penalties at the grid's edge\t%d of %d\t%d at the smallest, %d at the largest\n",
		r.Fit.Low+r.Fit.High, d.Targets-r.Fit.Flat, r.Fit.Low, r.Fit.High)
	return t.Flush()
}

// spread writes the quantiles of 5, 50 and 95 %.
func spread(q [5]float64) string {
	return fmt.Sprintf("median %.3f, 5 to 95 %%: %.3f to %.3f", q[2], q[0], q[4])
}
