package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/fmri/fit"
	"percept/fmri/ridge"
	"percept/fmri/stats"
	"percept/fmri/table"
	"percept/internal/memlimit"
)

func newFit() *cobra.Command {
	var q fitFlags
	var out, alphas, score, form, memory, compat string
	var trials bool
	cmd := &cobra.Command{
		Use:   "fit",
		Short: "Fit a decoder: ridge regression from responses to a feature",
		Long: `Fit ridge regression from responses to a feature, each target with a penalty of its own, chosen by
cross-validation, and leave the decoder in one file.

--responses is a folder of percept nsd prepare, of which --roi chooses voxels, and --features the
folder or file of percept features; rows meet by their images. Both may be arrays of your own, as FILE
or FILE:ARRAY: .npy, .npz, .mat, HDF5 and CIFTI-2 have rows first; of NIfTI and MGH the frames (the last
axis) are the rows, and voxels the columns with z fastest, X.reshape(-1, frames).T in numpy; of GIFTI
each array is a row. --mask takes the voxels where an image of the same size is not 0; they keep their
coordinates, by which decode finds them. --images says which image (0-based) each row of such responses
is, and is needed where features are by image. --usable leaves voxels out that are NaN in some row or
alike in all. percept inspect FILE says what a file holds and which axis is its rows.

Cross-validation keeps repeats of an image in one fold (--groups none does not; --groups FILE gives
a number, as of the run, for each row). X is standardised with training rows alone, and an intercept
is fitted. --trials fits on single trials instead of means. Where targets do not fit into
--max-memory together they are fitted in parts; the program itself takes some 250 MiB besides.
A line on standard error says how many targets took a penalty at the edge of the grid, where a
wider one may be better.

--compat takagi fits as ridge.py of Takagi and Nishimoto (CVPR 2023) does: no intercept, X standardised
once over all rows, five contiguous folds whatever is repeated, penalties 1e-6 to 1 in decades for z
and c and 10000, 20000, 40000 for others, single trials of a folder (--trials=false: means).

The file: coef [voxels, targets], intercept, mean and scale of X, alphas and cv_scores of each target,
the grid with its scores, voxel coordinates, regions, training images; metadata: options, sha256 of the
inputs. The same inputs and options give the same bytes. In Python:

  m = safetensors.numpy.load_file("models/z.safetensors")
  X = numpy.load("subj01/X_test.npy")[:, numpy.load("subj01/rois.npy")[:, 0] == 1]    # of the first region
  Y = (X - m["mean"]) / m["scale"] @ m["coef"] + m["intercept"]`,
		Example: `  percept fit --responses subj01 --roi streams:early --features features --feature z --out models/z.safetensors
  percept fit --responses subj01 --roi streams:ventral --features features --feature c --max-memory 6GiB --out models/c.safetensors
  percept fit --responses published --roi streams:early --features features --feature z --compat takagi --out models/z_published.safetensors
  percept fit --responses betas.nii.gz --mask brain.nii.gz --features Y.npy --groups none --out models/mine.safetensors
  percept fit --responses X.npy --features data.mat:Y --groups runs.npy --alphas 1:1e6:13 --score r2 --out models/mine.safetensors`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := q.parse(cmd, out, alphas, score, form, memory, compat, trials); err != nil {
				return usageError{err}
			}
			return q.run(cmd, out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.responses, "responses", "", "`folder` of percept nsd prepare, a run's train.safetensors, or an array FILE[:ARRAY] of rows of voxels")
	f.StringArrayVar(&q.regions, "roi", nil, "`region` of the folder, as streams:early; may be given more than once (default: all voxels)")
	f.StringVar(&q.images, "images", "", "array `FILE[:ARRAY]` with the 0-based image of each row of an array of responses")
	f.StringVar(&q.mask, "mask", "", "array `FILE[:ARRAY]` of an array's voxels: those where it is not 0 are taken")
	f.BoolVar(&q.usable, "usable", false, "leave voxels out that are NaN in some row or alike in all")
	f.StringVar(&q.features, "features", "", "`folder` or file of percept features, or an array FILE[:ARRAY] of rows of targets")
	f.StringVar(&q.feature, "feature", "", "`name` of the feature, as z or c; needed where --features is a folder")
	f.StringVar(&out, "out", "", "`file` of the decoder to make, .safetensors")
	f.IntVar(&q.options.Ridge.Folds, "folds", 5, "of cross-validation")
	f.StringVar(&q.options.Groups, "groups", fit.ByImage,
		"what no fold splits: image, none, or an array `FILE[:ARRAY]` with a number for each row")
	f.StringVar(&alphas, "alphas", "", "penalties, a `list` as 1,10,100 or lo:hi:n in equal ratios (default 1:1e6:13)")
	f.StringVar(&score, "score", ridge.L2.String(), "by which penalties are chosen: `l2`, r2 or correlation")
	f.BoolVar(&q.options.Ridge.Global, "global", false, "one penalty for all targets")
	f.BoolVar(&trials, "trials", false, "fit on single trials")
	f.StringVar(&form, "form", "auto", "of the solution: `auto`, primal (voxels × voxels) or dual (rows × rows)")
	f.StringVar(&memory, "max-memory", "6GiB", "bound of data, model and work together, as 6GiB or 800MiB; 0: none")
	f.StringVar(&compat, "compat", "", "takagi: fit as the published code does")
	addJSON(cmd)
	return cmd
}

// fitFlags are what is fitted to what, and how.
type fitFlags struct {
	responses, part, images, mask, features, feature string

	regions []string
	usable  bool
	options fit.Options
}

// parse turns flags into options.
func (q *fitFlags) parse(cmd *cobra.Command, out, alphas, score, form, memory, compat string, trials bool) (err error) {
	switch {
	case q.responses == "":
		return errors.New("--responses is missing, expected a folder of percept nsd prepare or an array")
	case q.features == "":
		return errors.New("--features is missing, expected a folder or file of percept features or an array")
	case out == "":
		return errors.New("--out is missing, expected a file to make")
	case !strings.HasSuffix(out, ".safetensors"):
		return fmt.Errorf("--out %s, expected a file name that ends in .safetensors", out)
	case q.options.Ridge.Folds < 2:
		return fmt.Errorf("--folds %d, expected 2 or more", q.options.Ridge.Folds)
	case compat != "" && compat != "takagi":
		return fmt.Errorf("--compat %q, expected takagi", compat)
	case compat != "" && q.options.Groups != fit.ByImage && q.options.Groups != fit.NoGroups:
		return errors.New("--groups with --compat takagi, which has none: expected one of the two")
	}
	if q.options.Ridge.Alphas, err = parseAlphas(alphas); err != nil {
		return fmt.Errorf("--alphas %w", err)
	}
	if q.options.Ridge.Score, err = ridge.ParseScore(score); err != nil {
		return fmt.Errorf("--score %q, expected l2, r2 or correlation", score)
	}
	forms := map[string]ridge.Form{"auto": ridge.Auto, "primal": ridge.Primal, "dual": ridge.Dual}
	var ok bool
	if q.options.Ridge.Form, ok = forms[form]; !ok {
		return fmt.Errorf("--form %q, expected auto, primal or dual", form)
	}
	if q.options.Ridge.MaxMemory, err = parseBytes(memory); err != nil {
		return fmt.Errorf("--max-memory %w", err)
	}
	if info, err := os.Stat(q.responses); err == nil && info.IsDir() {
		q.part = "train"
		if trials || compat == "takagi" && !cmd.Flags().Changed("trials") {
			q.part = "train_trials"
		}
	} else if trials {
		return errors.New("--trials is for a folder of percept nsd prepare; rows of an array are what they are")
	}
	q.options.Takagi, q.options.Program = compat == "takagi", "percept "+version
	return nil
}

// parseAlphas reads 1,10,100 or 1:1e6:13; nil for an empty text.
func parseAlphas(text string) (alphas []float64, err error) {
	if text == "" {
		return nil, nil
	}
	bad := fmt.Errorf("%q, expected positive numbers as 1,10,100, or lo:hi:n as 1:1e6:13", text)
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || math.IsInf(v, 0) {
			return math.NaN()
		}
		return v
	}
	if parts := strings.Split(text, ":"); len(parts) > 1 {
		const most = 1000
		n, err := strconv.Atoi(strings.TrimSpace(parts[len(parts)-1]))
		if len(parts) != 3 || err != nil || n < 1 || n > most {
			return nil, bad
		}
		lo, hi := number(parts[0]), number(parts[1])
		if !(lo > 0 && hi >= lo) || n == 1 && hi > lo {
			return nil, bad
		}
		alphas = ridge.LogSpace(math.Log10(lo), math.Log10(hi), n)
		alphas[0], alphas[n-1] = lo, hi
		return alphas, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		a := number(part)
		if !(a > 0) {
			return nil, bad
		}
		alphas = append(alphas, a)
	}
	return alphas, nil
}

// parseBytes reads a size as 6GiB, 800MB or 0.
func parseBytes(text string) (int64, error) {
	units := []struct {
		name  string
		bytes float64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}}
	number, unit := strings.TrimSpace(text), 1.0
	named := number == "0"
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit, named = strings.TrimSpace(rest), u.bytes, true
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	if !named || err != nil || !(v >= 0 && v*unit < 1<<60) {
		return 0, fmt.Errorf("%q, expected a size as 6GiB or 800MiB, or 0 for no bound", text)
	}
	return int64(v * unit), nil
}

func (q *fitFlags) run(cmd *cobra.Command, out string) error {
	if err := there(q.responses, responseKinds); err != nil {
		return err
	}
	if err := there(q.features, featureKinds); err != nil {
		return err
	}
	b := logOf(cmd).Start("fit " + cmp.Or(q.feature, "features"))
	defer b.Drop()
	q.options.Ridge.Progress = b.Progress
	q.options.Note = logOf(cmd).Say
	bound, note := memlimit.Bound(q.options.Ridge.MaxMemory)
	tell(cmd, note)
	q.options.Ridge.MaxMemory = bound
	y, err := table.OpenFeatures(q.features, q.feature)
	if err != nil {
		return err
	}
	x, err := table.OpenResponses(q.responses, q.part, q.regions, q.images)
	if err != nil {
		return err
	}
	if x, err = chosen(cmd, x, q.mask); err != nil {
		return err
	}
	tell(cmd, y.Note)
	if empty := x.Cols.Voxels.Empty(); len(empty) > 0 {
		tell(cmd, fmt.Sprintf("%s: no voxel in %s; the others are taken", q.responses, strings.Join(empty, ", ")))
	}
	if q.usable {
		var told []string
		if x, told, err = x.Usable(cmd.Context()); err != nil {
			return err
		}
		for _, line := range told {
			tell(cmd, q.responses+": "+line)
		}
	}
	if err := writableIn(out); err != nil {
		return err
	}
	m, upToDate, err := fit.Save(cmd.Context(), out, x, y, q.options)
	if err := b.Finish(upToDate, foldsError(err)); err != nil {
		return err
	}
	if w := m.EdgeWarning(); w != "" {
		logOf(cmd).Warn(w)
	}
	if asJSON(cmd) {
		return printJSON(cmd, struct {
			File     string `json:"file"`
			UpToDate bool   `json:"up_to_date"`
			Targets  int    `json:"targets"`
			fit.Summary
		}{out, upToDate, m.Coef.Cols, m.Summary()})
	}
	return printFit(cmd.OutOrStdout(), out, m)
}

// chosen is the voxels of responses that a mask leaves, all where there is none, told which axis was taken for what.
func chosen(cmd *cobra.Command, x *table.Table, mask string) (*table.Table, error) {
	tell(cmd, x.Note)
	if mask == "" {
		return x, nil
	}
	all := x.Width()
	x, err := x.Masked(mask)
	if err == nil {
		tell(cmd, fmt.Sprintf("%s: %d of %d voxels", mask, x.Width(), all))
	}
	return x, err
}

// tell prints a line about the input on standard error.
func tell(cmd *cobra.Command, line string) {
	if line != "" {
		logOf(cmd).Note(line)
	}
}

// printFit prints what a decoder is.
func printFit(w io.Writer, out string, m *fit.Model) error {
	where := ""
	if names := m.X.Voxels.Named(); len(names) > 0 {
		where = " of " + strings.Join(names, ", ")
	}
	rows := ""
	if len(m.Images) > 0 {
		rows = fmt.Sprintf(", %d rows", len(m.Images))
	}
	fmt.Fprintf(w, "%s: %s %s from %d voxels%s%s; cross-validated %s %.4g\n",
		out, m.Y.Name, m.Y.Columns, m.Coef.Rows, where, rows, m.Options.Score, stats.Mean(m.CVScores))
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "  penalty\ttargets\tmean %s\n", m.Options.Score)
	for _, p := range m.Penalties {
		fmt.Fprintf(t, "  %.3g\t%d%s\t%.4g\n", p.Alpha, p.Targets, flatOf(m, p), p.Score)
	}
	return t.Flush()
}

// flatOf says how many of the targets with a penalty at the edge of the grid do not vary: for those all penalties are alike, so
// that the line about the edge does not count them.
func flatOf(m *fit.Model, p fit.Penalty) string {
	s := m.Summary()
	first, last := m.Penalties[0].Alpha, m.Penalties[0].Alpha
	for _, q := range m.Penalties {
		first, last = min(first, q.Alpha), max(last, q.Alpha)
	}
	flat := 0
	switch {
	case s.Flat == 0 || first == last:
	case p.Alpha == first:
		flat = p.Targets - s.Low
	case p.Alpha == last:
		flat = p.Targets - s.High
	}
	if flat <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%d of them do not vary)", flat)
}
