// Package doctor says what of the Natural Scenes Dataset is in a folder, what is missing for which analysis, and what is
// damaged or contradicts itself.
//
//	design, behaviour, table of images ──┐
//	headers of betas, masks, regions ────┼──► Report: subjects, betas, regions, analyses, problems
//	Options.Deep: values of every file ──┘
//
// Nothing is written. What is simply not there is no problem: the analyses say what they lack. A problem is what somebody
// would stumble over: a file that cannot be read or is of another size than its neighbours, a session missing between
// others, ids that count from another number than they should.
package doctor

import (
	"percept/fmri"
)

// Kind is how bad a problem is.
type Kind string

const (
	Damaged Kind = "damaged" // values cannot be read, or would be wrong
	Missing Kind = "missing" // something is not there that its neighbours let expect
	Note    Kind = "note"    // worth knowing
)

// Problem is one finding.
type Problem struct {
	Kind Kind   `json:"kind"`
	File string `json:"file"` // relative to the root where it lies in it
	What string `json:"what"`
	Do   string `json:"do"`
}

// Report is what Check found.
type Report struct {
	Root     string           `json:"root"`
	Bytes    map[string]int64 `json:"bytes"` // on disk, by folder of the root
	Design   *Design          `json:"design,omitempty"`
	Stimuli  *Stimuli         `json:"stimuli,omitempty"`
	Table    *Table           `json:"table,omitempty"`
	Captions *Captions        `json:"captions,omitempty"`
	Subjects []*Subject       `json:"subjects"`
	Problems []Problem        `json:"problems"`
}

// Design is what nsd_expdesign.mat lays out.
type Design struct {
	Subjects      int   `json:"subjects"`
	Trials        int   `json:"trials"`
	Shared        int   `json:"shared_images"`
	SessionTrials []int `json:"trials_of_sessions,omitempty"`
}

// Stimuli is nsd_stimuli.hdf5.
type Stimuli struct {
	Images int   `json:"images"`
	Height int   `json:"height"`
	Width  int   `json:"width"`
	Chunks []int `json:"chunks,omitempty"`
	Bytes  int64 `json:"bytes"`
}

// Table is nsd_stim_info_merged.csv.
type Table struct {
	Images int `json:"images"`
	First  int `json:"first_id"`
	Shared int `json:"shared_images"`
}

// Captions is what COCO's files say about the images of the table.
type Captions struct {
	Images int `json:"images"` // with a caption
	Texts  int `json:"texts"`
}

// Subject is what there is of one subject.
type Subject struct {
	Name       fmri.Subject `json:"name"`
	Sessions   []int        `json:"sessions"` // that responses.tsv has, ascending
	Trials     int          `json:"trials"`
	PerSession map[int]int  `json:"trials_per_session,omitempty"`
	Images     int          `json:"images"`
	Repeats    map[int]int  `json:"images_by_repeats,omitempty"` // how many images were seen once, twice, ...
	SharedSeen int          `json:"shared_images_seen"`
	Volume     [3]int       `json:"volume"` // of masks and regions at 1.8 mm, x, y, z
	Brain      int          `json:"brain_voxels"`
	Atlases    []Atlas      `json:"atlases"`
	Betas      []*Betas     `json:"betas"`
	Surfaces   []string     `json:"surfaces"`
	Analyses   []Analysis   `json:"analyses"`
}

// Atlas is a label volume and its table.
type Atlas struct {
	Name      string   `json:"name"`
	Space     string   `json:"space"`
	Regions   []Region `json:"regions"`
	Unnamed   []int    `json:"values_without_name,omitempty"`
	Voxelless []string `json:"names_without_voxels,omitempty"`
	Table     string   `json:"label_table,omitempty"`
}

// Region is a label with voxels.
type Region struct {
	Value  int    `json:"value"`
	Name   string `json:"name"`
	Voxels int    `json:"voxels"`
}

// Betas is one version of the betas in one space.
type Betas struct {
	Space    string         `json:"space"`
	Version  string         `json:"version"`
	Formats  map[string]int `json:"formats"` // files by format
	Sessions []int          `json:"sessions"`
	Usable   []int          `json:"usable_sessions"` // whose header agrees with behaviour and masks
	Bytes    int64          `json:"bytes"`
	Shape    [3]int         `json:"volume"`
	Stored   string         `json:"stored"`
	Scale    float32        `json:"scale"` // stored values over this are percent signal change
	Chunks   []int          `json:"chunks,omitempty"`
	NCSNR    *NCSNR         `json:"ncsnr,omitempty"`
	Sample   *Sample        `json:"sample,omitempty"`
}

// NCSNR is a volume of noise-ceiling signal-to-noise ratios, over the voxels of the brain mask if there is one.
type NCSNR struct {
	Voxels int     `json:"voxels"`
	NaN    int     `json:"nan_voxels"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// Sample is what a deep check saw of the values of all sessions of a version, in percent signal change.
type Sample struct {
	Values    int     `json:"values"`
	NaN       int     `json:"nan"`
	Saturated int     `json:"saturated"` // at an end of the 16 bits
	Min       float64 `json:"min"`
	Max       float64 `json:"max"`
	SD        float64 `json:"median_sd"` // of a voxel within a session
}

// Analysis is something that can be done with a subject's data, or what it lacks.
type Analysis struct {
	Name  string   `json:"name"`
	Lacks []string `json:"lacks,omitempty"`
}

// OK says whether nothing is lacking.
func (a Analysis) OK() bool { return len(a.Lacks) == 0 }

// Names of analyses.
const (
	DecodeZ      = "decode z"
	DecodeC      = "decode c"
	Encode       = "encode"
	CaptionTexts = "captions"
	NoiseCeiling = "noise ceiling"
	Surfaces     = "surfaces"
)

// Analyses is all of them, in the order of tables.
var Analyses = []string{DecodeZ, DecodeC, Encode, CaptionTexts, NoiseCeiling, Surfaces}

// Healthy says whether z or c of at least one subject can be decoded and nothing is damaged.
func (r *Report) Healthy() bool {
	for _, p := range r.Problems {
		if p.Kind == Damaged {
			return false
		}
	}
	for _, s := range r.Subjects {
		for _, a := range s.Analyses {
			if (a.Name == DecodeZ || a.Name == DecodeC) && a.OK() {
				return true
			}
		}
	}
	return false
}
