package nsd

import (
	"fmt"
	"path/filepath"
	"strings"

	"percept/fmri"
)

// Paths is a tree's root folder and names the files below it. The root has the three folders nsddata, nsddata_betas and
// nsddata_stimuli. Subjects are "subj01"; spaces "func1pt8mm", "func1mm" or Fsaverage; versions of the betas
// "betas_fithrf_GLMdenoise_RR", "betas_fithrf" or "betas_assumehrf"; sessions count from 1 as in the file names.
type Paths string

// DefaultSpace and DefaultBetas are the space and the version of the betas that published decoders use.
const (
	DefaultSpace = "func1pt8mm"
	DefaultBetas = "betas_fithrf_GLMdenoise_RR"
)

func (p Paths) join(parts ...string) string {
	return filepath.Join(append([]string{string(p)}, parts...)...)
}

// ExpDesign is the experiment's design: which image each trial shows.
func (p Paths) ExpDesign() string {
	return p.join("nsddata", "experiments", "nsd", "nsd_expdesign.mat")
}

// StimInfo is the table that leads from an image to its COCO image.
func (p Paths) StimInfo() string {
	return p.join("nsddata", "experiments", "nsd", "nsd_stim_info_merged.csv")
}

// Stimuli is the file of all images.
func (p Paths) Stimuli() string {
	return p.join("nsddata_stimuli", "stimuli", "nsd", "nsd_stimuli.hdf5")
}

// Captions is the COCO caption file of a split, "train2017" or "val2017".
func (p Paths) Captions(split string) string {
	return p.join("nsddata_stimuli", "stimuli", "nsd", "annotations", "captions_"+split+".json")
}

// Responses is the subject's behaviour file: one line for each trial that took place.
func (p Paths) Responses(s fmri.Subject) string {
	return p.join("nsddata", "ppdata", string(s), "behav", "responses.tsv")
}

// BetaFolder holds one version of a subject's betas.
func (p Paths) BetaFolder(s fmri.Subject, space, version string) string {
	return p.join("nsddata_betas", "ppdata", string(s), space, version)
}

// SessionBetas is one session's file; ext is "hdf5" or "nii.gz".
func (p Paths) SessionBetas(s fmri.Subject, space, version string, session int, ext string) string {
	return filepath.Join(p.BetaFolder(s, space, version), fmt.Sprintf("betas_session%02d.%s", session, ext))
}

// NCSNR is the volume of noise-ceiling signal-to-noise ratios that belongs to one version of the betas; on fsaverage, the
// left hemisphere's map.
func (p Paths) NCSNR(s fmri.Subject, space, version string) string {
	if space == Fsaverage {
		return filepath.Join(p.BetaFolder(s, space, version), "lh.ncsnr.mgh")
	}
	return filepath.Join(p.BetaFolder(s, space, version), "ncsnr.nii.gz")
}

// BrainMask is the volume that is 1 in the brain.
func (p Paths) BrainMask(s fmri.Subject, space string) string {
	return p.join("nsddata", "ppdata", string(s), space, "brainmask.nii.gz")
}

// ROI is a label volume: "streams", "prf-visualrois", "nsdgeneral", or with a hemisphere in front, "lh.streams"; on
// fsaverage, the map of the left hemisphere unless the name has one in front.
func (p Paths) ROI(s fmri.Subject, space, name string) string {
	if space == Fsaverage {
		if !strings.HasPrefix(name, "lh.") && !strings.HasPrefix(name, "rh.") {
			name = "lh." + name
		}
		return p.join("nsddata", "freesurfer", "fsaverage", "label", name+".mgz")
	}
	return p.join("nsddata", "ppdata", string(s), space, "roi", name+".nii.gz")
}

// LabelTable says what the numbers of a label volume mean. Pass "fsaverage" for the table that all subjects share.
func (p Paths) LabelTable(s fmri.Subject, name string) string {
	return p.join("nsddata", "freesurfer", string(s), "label", name+".mgz.ctab")
}

// LabelTables is where the table of an atlas may be, in the order in which they count: the subject's, fsaverage's, and
// among the templates, where volumes that are on no surface have theirs (thalamus, MTL). A hemisphere in front of the
// atlas's name is passed over.
func (p Paths) LabelTables(s fmri.Subject, atlas string) []string {
	atlas = withoutSide(atlas)
	return []string{p.LabelTable(s, atlas), p.LabelTable(Fsaverage, atlas), p.join("nsddata", "templates", atlas+".ctab")}
}

// withoutSide is an atlas's name without the hemisphere: "streams" for "lh.streams".
func withoutSide(atlas string) string {
	return strings.TrimPrefix(strings.TrimPrefix(atlas, "lh."), "rh.")
}
