package sim

import (
	"fmt"
	"image"
	"strconv"
	"strings"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/matfile"
)

// writeStimuli writes imgBrick, uint8 [picture, row, column, RGB], one chunk per picture.
func (t *tree) writeStimuli() error {
	w, err := hdf5.Create(t.path("nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"))
	if err != nil {
		return err
	}
	defer w.Abort()
	size := t.options.ImageSize
	d, err := hdf5.NewDataset[uint8](w, "imgBrick", []int{t.design.images, size, size, 3}, []int{1, size, size, 3})
	if err != nil {
		return err
	}
	for _, s := range t.stimuli {
		if err := d.Append(rgb(s.pixels)); err != nil {
			return err
		}
	}
	return w.Close()
}

// rgb drops the alpha of an opaque picture.
func rgb(img *image.RGBA) []uint8 {
	out := make([]uint8, 0, 3*img.Rect.Dx()*img.Rect.Dy())
	for y := range img.Rect.Dy() {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		for i := 0; i < len(row); i += 4 {
			out = append(out, row[i], row[i+1], row[i+2])
		}
	}
	return out
}

// writeDesign writes nsd_expdesign.mat. Everything in it counts from 1.
func (t *tree) writeDesign() error {
	d, o := t.design, t.options
	ordering := make([]float64, len(d.order))
	nth := make([]float64, 3*d.sessions) // basiccnt: trials of a session that show a picture for the 1st, 2nd, 3rd time
	times := map[int]int{}
	for i, v := range d.order {
		ordering[i] = float64(v + 1)
		nth[3*(i/d.trials)+times[v]]++
		times[v]++
	}
	perSubject := o.SharedImages + o.OwnImages
	subjectim := make([]float64, o.Subjects*perSubject) // column-major [subject, picture]
	for s := range o.Subjects {
		for i, id := range d.seen(s) {
			subjectim[i*o.Subjects+s] = float64(id + 1)
		}
	}
	shared := make([]float64, len(d.shared))
	for i, id := range d.shared {
		shared[i] = float64(id + 1)
	}
	pattern, slots := d.pattern()
	return matfile.Write(t.path("nsddata/experiments/nsd/nsd_expdesign.mat"),
		matfile.Matrix{Name: "masterordering", Dims: []int{1, len(ordering)}, Data: ordering},
		matfile.Matrix{Name: "basiccnt", Dims: []int{3, d.sessions}, Data: nth},
		matfile.Matrix{Name: "sharedix", Dims: []int{1, len(shared)}, Data: shared},
		matfile.Matrix{Name: "subjectim", Dims: []int{o.Subjects, perSubject}, Data: subjectim},
		matfile.Matrix{Name: "stimpattern", Dims: []int{d.sessions, len(d.runs), slots}, Data: pattern},
	)
}

// pattern is stimpattern, column-major [session, run, slot]: 1 where a four-second slot of a run
// shows a picture, 0 where it is blank. Runs begin with three blank slots and end with at least four, and every twelfth
// between is blank: 75 slots for the 63 or 62 pictures of NSD's runs, as there (Allen et al. 2022).
func (d *design) pattern() (pattern []float64, slots int) {
	var runs [][]float64
	for _, trials := range d.runs {
		run := []float64{0, 0, 0}
		for range trials {
			if len(run)%12 == 0 {
				run = append(run, 0)
			}
			run = append(run, 1)
		}
		run = append(run, 0, 0, 0, 0)
		runs, slots = append(runs, run), max(slots, len(run))
	}
	pattern = make([]float64, d.sessions*len(runs)*slots)
	for r, run := range runs {
		for i, v := range run {
			for s := range d.sessions {
				pattern[s+d.sessions*(r+len(runs)*i)] = v
			}
		}
	}
	return pattern, slots
}

// presentations lists for each picture of a subject the 0-based trials that show it.
func (d *design) presentations(subject int) map[int][]int {
	seen := d.seen(subject)
	at := map[int][]int{}
	for trial, v := range d.order {
		at[seen[v]] = append(at[seen[v]], trial)
	}
	return at
}

// writeStimInfo writes nsd_stim_info_merged.csv, one line per picture. nsdId counts from 0, trials
// count from 1 and 0 means never.
func (t *tree) writeStimInfo() error {
	const subjects = 8 // the file has columns for all of NSD's subjects
	var b strings.Builder
	b.WriteString(",cocoId,cocoSplit,cropBox,loss,nsdId,flagged,BOLD5000,shared1000")
	for s := range subjects {
		fmt.Fprintf(&b, ",subject%d", s+1)
	}
	for s := range subjects {
		for r := range 3 {
			fmt.Fprintf(&b, ",subject%d_rep%d", s+1, r)
		}
	}
	b.WriteByte('\n')
	at := make([]map[int][]int, t.options.Subjects)
	for s := range at {
		at[s] = t.design.presentations(s)
	}
	for id, c := range t.coco[:t.design.images] {
		fmt.Fprintf(&b, "%d,%d,%s,\"%s\",%s,%d,False,False,%s", id, c.id, c.split, c.crop,
			strconv.FormatFloat(c.loss, 'g', -1, 64), id, pythonBool(t.design.isShared(id)))
		for s := range subjects {
			saw := s < len(at) && len(at[s][id]) > 0
			b.WriteString(map[bool]string{false: ",0", true: ",1"}[saw])
		}
		for s := range subjects {
			for r := range 3 {
				trial := 0
				if s < len(at) && r < len(at[s][id]) {
					trial = at[s][id][r] + 1
				}
				fmt.Fprintf(&b, ",%d", trial)
			}
		}
		b.WriteByte('\n')
	}
	return writeFile(t.path("nsddata/experiments/nsd/nsd_stim_info_merged.csv"), []byte(b.String()))
}

func pythonBool(v bool) string {
	if v {
		return "True"
	}
	return "False"
}

// writeLabelTables writes the names of ROI labels for a FreeSurfer subject.
func (t *tree) writeLabelTables(subject string) error {
	for name, labels := range map[string][]string{"streams": streamsNames, "prf-visualrois": prfNames} {
		var b strings.Builder
		for i, l := range labels {
			fmt.Fprintf(&b, "%d %s\n", i, l)
		}
		if err := writeFile(t.path("nsddata/freesurfer/%s/label/%s.mgz.ctab", subject, name), []byte(b.String())); err != nil {
			return err
		}
	}
	return nil
}
