package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/table"
)

func newNSDPrepare() *cobra.Command {
	var o prepare.Options
	var data, out, subject, sessions, zscore, compat string
	cmd := &cobra.Command{
		Use:   "prepare",
		Short: "Take the responses of some voxels out of the betas, averaged and split",
		Long: `Read the betas of the voxels asked for, in one pass over the sessions, and leave them in a folder
of .npy files: means over each image's trials, images that all subjects see apart as the test
set, with image ids, numbers of trials, sessions, voxel coordinates, regions, ncsnr and noise
ceilings. Of HDF5 files only the chunks of those voxels are read; .nii.gz are read through once.
Values are percent signal change (the stored integers over 300), z-scored within each session
if --zscore session says so.

Interrupted, it goes on with the session that it was reading when it is run again, and the
result has the same bytes. manifest.json says what everything was made from.

--roi takes an atlas with one region or several (streams:early, streams:ventral+lateral,
prf-visualrois:V1v+V1d, nsdgeneral; lh.floc-faces:FFA-1 of one hemisphere) and may be given
more than once: the voxels are the union, and rois.npy says which voxel is in which region.
--ncsnr and --explainable leave unreliable voxels out: the first by the estimate that NSD
distributes, the second by the repeats of the training images in the sessions chosen. --usable leaves
out voxels that are NaN in some trial or alike in all training trials, which no fit can use.

--compat takagi takes everything as the code published with Takagi and Nishimoto (CVPR 2023)
does: 37 sessions, integers neither divided by 300 nor z-scored, the seven regions of streams,
voxels in the order of the file, single trials (int16) and means (float64) both; --sessions
and --roi may say otherwise.

Files:
  X_train.npy X_test.npy                  [images, voxels] means, in the order of first presentation
  images_train.npy counts_train.npy       0-based image id, and number of trials, of each row
  sessions_train.npy                      [images, repeats] sessions of those trials; 0: none
  noise_ceiling_train.npy                 [voxels] fraction of X_train's variance that can be explained, with
                                          --zscore session; else noise_ceiling_of_zscored_train.npy, since NSD's
                                          ncsnr is that of betas z-scored within sessions, X_train's may be less
  X_train_trials.npy images_ sessions_ trials_train_trials.npy
                                          single trials in the order of presentation (--trials)
  voxels.npy                              [voxels, 3] x, y, z from 0; fsaverage: hemisphere, vertex, 0
  rois.npy ncsnr.npy explainable_variance.npy
  manifest.json                           options, inputs, sums`,
		Example: `  percept nsd prepare --data /data/nsd --subject subj01 --roi nsdgeneral --zscore session --out subj01
  percept nsd prepare --data /data/nsd --subject subj05 --roi streams:early --roi streams:ventral --ncsnr 0.15 --out subj05
  percept nsd prepare --data /data/nsd --subject subj01 --voxels brain --explainable 0.1 --sessions 37 --trials --average --out whole
  percept nsd prepare --data /data/nsd --subject subj01 --compat takagi --out published`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			o.Subject = fmri.Subject(subject)
			for i, r := range o.ROIs {
				o.ROIs[i] = strings.Replace(r, ":", "/", 1)
			}
			if o.Sessions, err = nsd.ParseSessions(sessions); err != nil {
				return usageError{fmt.Errorf("--sessions %w", err)}
			}
			switch {
			case data == "":
				return usageError{errors.New(
					"--data is missing, expected the folder that holds nsddata, nsddata_betas and nsddata_stimuli")}
			case out == "":
				return usageError{errors.New("--out is missing, expected a folder to make")}
			case subject == "":
				return usageError{errors.New("--subject is missing, expected one as subj01")}
			case zscore != "session" && zscore != "none":
				return usageError{fmt.Errorf("--zscore %q, expected session or none", zscore)}
			case compat != "" && compat != "takagi":
				return usageError{fmt.Errorf("--compat %q, expected takagi", compat)}
			}
			o.ZScore, o.Takagi = zscore == "session", compat == "takagi"
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			b := logOf(cmd).Start("betas of " + subject)
			o.Progress = b.Progress
			o.Note = logOf(cmd).Note
			r, err := prepare.Run(cmd.Context(), data, out, version, o)
			if err := b.Finish(err == nil && r.UpToDate, err); err != nil {
				return err
			}
			if r.Reused > 0 {
				fmt.Fprintf(logOf(cmd), "went on after %d sessions of an earlier run\n", r.Reused)
			}
			return printPrepared(cmd, subject, r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "", "root `folder` of the NSD tree")
	f.StringVar(&out, "out", "", "`folder` to make")
	f.StringVar(&subject, "subject", "", "subj01 to subj08")
	f.StringArrayVar(&o.ROIs, "roi", nil, "`region`, as nsdgeneral or streams:early; may be given more than once")
	f.StringVar(&o.Voxels, "voxels", "", "all or brain: every voxel of the volume or of the brain mask")
	f.Float64Var(&o.MinNCSNR, "ncsnr", 0, "leave voxels with a lower ncsnr out")
	f.Float64Var(&o.MinExplainable, "explainable", 0, "leave voxels with a lower explainable variance (0 to 1) out")
	f.BoolVar(&o.Usable, "usable", false, "leave voxels out that are NaN in some trial or do not vary")
	f.StringVar(&o.Version, "beta-version", nsd.DefaultBetas, "version of the betas, also betas_fithrf or betas_assumehrf")
	f.StringVar(&o.Space, "space", nsd.DefaultSpace, "space of the betas, also func1mm or fsaverage")
	f.StringVar(&sessions, "sessions", "",
		"`sessions` to use: all, the first so many as 37, or a list as 1-10,12 (default all; 37 with --compat takagi)")
	f.StringVar(&zscore, "zscore", "none", "session: z-score each voxel within each session; or none")
	f.BoolVar(&o.Average, "average", false, "write means over repeats (also if neither is given)")
	f.BoolVar(&o.Trials, "trials", false, "write single trials")
	f.StringVar(&o.Split, "split", prepare.SplitShared, "shared1000: images that all subjects see are the test set; or none")
	f.StringVar(&compat, "compat", "", "takagi: everything as the published code does")
	addJSON(cmd)
	return cmd
}

// printPrepared prints what the folder holds.
func printPrepared(cmd *cobra.Command, subject string, r *prepare.Result) error {
	m := r.Manifest
	zscored := r.Has("noise_ceiling_of_zscored_train.npy") || r.Has("noise_ceiling_of_zscored_train_trials.npy")
	if asJSON(cmd) {
		return printJSON(cmd, struct {
			Folder        string            `json:"folder"`
			Subject       string            `json:"subject"`
			Sessions      []int             `json:"sessions"`
			Voxels        int               `json:"voxels"`
			Regions       []table.ROI       `json:"regions"`
			Arrays        []table.ArrayFile `json:"arrays"`
			NaN           int               `json:"nan_voxels"`
			FirstNaN      []int             `json:"first_nan_voxel,omitempty"`
			Constant      int               `json:"constant_voxels"`
			FirstConstant []int             `json:"first_constant_voxel,omitempty"`
			ZScored       bool              `json:"noise_ceilings_of_zscored"` // and X is not
			UpToDate      bool              `json:"up_to_date"`
			Reused        int               `json:"sessions_of_an_earlier_run"`
		}{r.Dir, subject, m.Sessions, m.Voxels, m.Regions, m.Arrays, m.NaN, m.FirstNaN, m.Constant, m.FirstConstant, zscored,
			r.UpToDate, r.Reused})
	}
	w := cmd.OutOrStdout()
	fmt.Fprintf(w, "%s: %s, sessions %s, %d voxels\n", r.Dir, subject, nsd.Ranges(m.Sessions), m.Voxels)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, roi := range m.Regions {
		fmt.Fprintf(t, "  %s\t%d voxels\n", roi.Name, roi.Voxels)
	}
	for _, a := range m.Arrays {
		if strings.HasPrefix(a.File, "X_") {
			fmt.Fprintf(t, "  %s\t%d × %d\t%s\n", a.File, a.Shape[0], a.Shape[1], a.DType)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if m.NaN > 0 {
		fmt.Fprintf(w, "  %d voxels are NaN in some row, the first %v, which a fit cannot use; --usable leaves them out\n", m.NaN, m.FirstNaN)
	}
	if m.Constant > 0 {
		fmt.Fprintf(w, "  %d voxels are alike in all training rows, the first %v; --usable leaves them out\n", m.Constant, m.FirstConstant)
	}
	if zscored {
		fmt.Fprintln(w, "  noise ceilings are those of betas z-scored within sessions, as NSD estimates them, not of X as it is here")
	}
	return nil
}
