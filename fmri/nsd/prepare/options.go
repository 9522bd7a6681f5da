package prepare

import (
	"fmt"
	"maps"
	"slices"

	"percept/fmri"
	"percept/fmri/nsd"
)

// What Options.Voxels may be where it is not empty.
const (
	AllVoxels   = "all"   // every voxel of the volume
	BrainVoxels = "brain" // every voxel of the brain mask
)

// What Options.Split may be.
const (
	SplitShared = "shared1000" // images that all subjects see are the test set
	SplitNone   = "none"       // everything trains
)

// Options says what to take. The zero value but for Subject and one of ROIs and Voxels: all sessions, percent signal
// change without z-scoring, averaged over repeats, split by the shared images.
type Options struct {
	Subject fmri.Subject `json:"subject"`
	Space   string       `json:"space"`        // "" means nsd.DefaultSpace
	Version string       `json:"beta_version"` // "" means nsd.DefaultBetas

	// ROIs are regions as nsd.Dataset.Region takes them: "nsdgeneral", "streams/early", "streams/ventral+lateral". The
	// voxels are the union; which voxel is in which region is kept.
	ROIs   []string `json:"rois"`
	Voxels string   `json:"voxels"` // AllVoxels or BrainVoxels, or "" for those of ROIs alone

	MinNCSNR       float64 `json:"min_ncsnr"`                // voxels below, and those without an estimate, are left out; 0: no cut
	MinExplainable float64 `json:"min_explainable_variance"` // the same for explainable variance; 0: no cut
	Usable         bool    `json:"usable_only,omitempty"`    // voxels that are NaN in some row, or alike in all training rows, are left out

	Sessions nsd.Sessions `json:"sessions"`
	ZScore   bool         `json:"zscore_sessions"` // z-score each voxel within each session, before averaging
	Average  bool         `json:"average"`         // write means over repeats; also if neither Average nor Trials is set
	Trials   bool         `json:"trials"`          // write single trials
	Split    string       `json:"split"`           // "" means SplitShared

	// Takagi takes everything as the code published with Takagi and Nishimoto (CVPR 2023) does: the stored integers as
	// they are, not z-scored; single trials as int16 and means as float64; voxels in the order of the HDF5 file, z slowest;
	// 37 sessions unless Sessions says otherwise; the seven regions of streams unless ROIs or Voxels do.
	Takagi bool `json:"takagi"`

	Note func(line string) `json:"-"` // told what is worth a line; may be nil

	// Progress, if not nil, is called with the steps done and in all.
	Progress func(done, total int) `json:"-"`
}

// streams is the regions that the published code takes, in the order of their labels.
var streams = []string{"streams/early", "streams/midventral", "streams/midlateral", "streams/midparietal", "streams/ventral",
	"streams/lateral", "streams/parietal"}

// publishedSessions is how many sessions had been released when Takagi and Nishimoto's code was written.
const publishedSessions = 37

// withDefaults fills in what was left empty.
func (o Options) withDefaults() Options {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&o.Space, nsd.DefaultSpace)
	set(&o.Version, nsd.DefaultBetas)
	set(&o.Split, SplitShared)
	if o.Takagi {
		o.Average, o.Trials = true, true
		if o.Sessions.IsZero() {
			o.Sessions.First = publishedSessions
		}
		if len(o.ROIs) == 0 && o.Voxels == "" {
			o.ROIs = streams
		}
	}
	if !o.Average && !o.Trials {
		o.Average = true
	}
	o.Sessions.All = o.Sessions.All && o.Takagi // elsewhere it is what no choice means
	return o
}

// Check tells the first option that cannot be meant.
func (o Options) Check() error {
	o = o.withDefaults()
	switch {
	case o.Subject == "":
		return fmt.Errorf("no subject, expected one as subj01")
	case len(o.ROIs) == 0 && o.Voxels == "":
		return fmt.Errorf("no voxels were asked for, expected regions (nsdgeneral, streams:early), %s or %s", BrainVoxels, AllVoxels)
	case o.Voxels != "" && o.Voxels != AllVoxels && o.Voxels != BrainVoxels:
		return fmt.Errorf("voxels %q, expected %s or %s", o.Voxels, AllVoxels, BrainVoxels)
	case !(o.MinNCSNR >= 0):
		return fmt.Errorf("an ncsnr of %g or more, expected 0 or above", o.MinNCSNR)
	case !(o.MinExplainable >= 0 && o.MinExplainable < 1):
		return fmt.Errorf("an explainable variance of %g or more, expected 0 to 1", o.MinExplainable)
	case o.Split != SplitShared && o.Split != SplitNone:
		return fmt.Errorf("split %q, expected %s or %s", o.Split, SplitShared, SplitNone)
	case o.Takagi && o.ZScore:
		return fmt.Errorf("the published code does not z-score sessions: expected one of the two")
	}
	for i, r := range o.ROIs {
		if r == "" || slices.Contains(o.ROIs[:i], r) {
			return fmt.Errorf("region %q is there twice or empty", r)
		}
	}
	return nil
}

// choose lists the sessions to read, of those that took place (in responses.tsv) and those whose betas are there. One that
// was asked for and lacks either is an error, so that no session is left out unsaid.
func choose(s nsd.Sessions, subject fmri.Subject, tsv, folder string, took map[int]int, files map[int]string) ([]int, error) {
	known := slices.Sorted(maps.Keys(took))
	wanted := s.Of(known)
	var lacking []int
	for _, n := range wanted {
		if took[n] == 0 {
			lacking = append(lacking, n)
		}
	}
	if len(lacking) > 0 {
		return nil, fmt.Errorf("%s: no trials of %s; %s has %s, expected all or a list of these", tsv,
			nsd.Named(lacking), subject, nsd.Named(known))
	}
	var there []int
	for _, n := range wanted {
		if files[n] == "" {
			lacking = append(lacking, n)
		} else {
			there = append(there, n)
		}
	}
	switch {
	case len(there) == 0:
		return nil, fmt.Errorf("%s: no betas of %s in it", folder, nsd.Named(wanted))
	case len(lacking) > 0:
		return nil, fmt.Errorf("%s: no betas of %s in it; %s", folder, nsd.Named(lacking), without(there))
	}
	return wanted, nil
}

// without says which choice of sessions leaves out what is lacking.
func without(there []int) string {
	if len(there) > 1 {
		return "sessions " + nsd.Listed(there) + " leave that out"
	}
	text := fmt.Sprintf("session %d alone", there[0])
	if there[0] != 1 {
		text += ", " + nsd.Listed(there) + ","
	}
	return text + " leaves that out"
}
