package nsd

import (
	"fmt"
	"path/filepath"

	"percept/fmri"
)

// Layout names the files of a tree below its root folder, which has the three folders nsddata, nsddata_betas and
// nsddata_stimuli. Subjects are "subj01"; spaces "func1pt8mm" or "func1mm"; versions of the betas
// "betas_fithrf_GLMdenoise_RR", "betas_fithrf" or "betas_assumehrf"; sessions count from 1 as in the file names.
type Layout string

// DefaultSpace and DefaultBetas are the space and the version of the betas that published decoders use.
const (
	DefaultSpace = "func1pt8mm"
	DefaultBetas = "betas_fithrf_GLMdenoise_RR"
)

func (l Layout) join(parts ...string) string {
	return filepath.Join(append([]string{string(l)}, parts...)...)
}

// ExpDesign is the experiment's design: which image each trial shows.
func (l Layout) ExpDesign() string {
	return l.join("nsddata", "experiments", "nsd", "nsd_expdesign.mat")
}

// StimInfo is the table that leads from an image to its COCO image.
func (l Layout) StimInfo() string {
	return l.join("nsddata", "experiments", "nsd", "nsd_stim_info_merged.csv")
}

// Stimuli is the file of all images.
func (l Layout) Stimuli() string {
	return l.join("nsddata_stimuli", "stimuli", "nsd", "nsd_stimuli.hdf5")
}

// Captions is the COCO caption file of a split, "train2017" or "val2017".
func (l Layout) Captions(split string) string {
	return l.join("nsddata_stimuli", "stimuli", "nsd", "annotations", "captions_"+split+".json")
}

// Responses is the subject's behaviour file: one line for each trial that took place.
func (l Layout) Responses(s fmri.Subject) string {
	return l.join("nsddata", "ppdata", string(s), "behav", "responses.tsv")
}

// BetaFolder holds one version of a subject's betas.
func (l Layout) BetaFolder(s fmri.Subject, space, version string) string {
	return l.join("nsddata_betas", "ppdata", string(s), space, version)
}

// Betas is one session's file; ext is "hdf5" or "nii.gz".
func (l Layout) Betas(s fmri.Subject, space, version string, session int, ext string) string {
	return filepath.Join(l.BetaFolder(s, space, version), fmt.Sprintf("betas_session%02d.%s", session, ext))
}

// NCSNR is the volume of noise-ceiling signal-to-noise ratios that belongs to one version of the betas.
func (l Layout) NCSNR(s fmri.Subject, space, version string) string {
	return filepath.Join(l.BetaFolder(s, space, version), "ncsnr.nii.gz")
}

// BrainMask is the volume that is 1 in the brain.
func (l Layout) BrainMask(s fmri.Subject, space string) string {
	return l.join("nsddata", "ppdata", string(s), space, "brainmask.nii.gz")
}

// ROI is a label volume: "streams", "prf-visualrois", "nsdgeneral", or with a hemisphere in front, "lh.streams".
func (l Layout) ROI(s fmri.Subject, space, name string) string {
	return l.join("nsddata", "ppdata", string(s), space, "roi", name+".nii.gz")
}

// LabelTable says what the numbers of a label volume mean. Pass "fsaverage" for the table that all subjects share.
func (l Layout) LabelTable(s fmri.Subject, name string) string {
	return l.join("nsddata", "freesurfer", string(s), "label", name+".mgz.ctab")
}
