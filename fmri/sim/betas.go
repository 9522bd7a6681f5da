package sim

import (
	"context"
	"runtime"

	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/nifti"
)

// betasVersion is the preparation of the betas that decoders use.
const betasVersion = "betas_fithrf_GLMdenoise_RR"

// writeSubject writes everything that belongs to one subject.
func (t *tree) writeSubject(ctx context.Context, subject int) error {
	ids := t.design.seen(subject)
	seen := make([]stimulus, len(ids))
	for i, id := range ids {
		seen[i] = t.stimuli[id]
	}
	b, responses, err := newBrain(ctx, t.options, subject, seen)
	if err != nil {
		return err
	}
	for _, write := range []func() error{
		func() error { return t.writeVolumes(b) },
		func() error { return t.writeLabelTables(subjectName(subject)) },
		func() error { return t.writeBehaviour(subject) },
		func() error { return t.writeSubjectTruth(b, ids, responses) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	ncsnr, err := t.writeBetas(ctx, b, responses)
	if err != nil {
		return err
	}
	return nifti.Write(t.path("nsddata_betas/ppdata/%s/func1pt8mm/%s/ncsnr.nii.gz", subjectName(subject), betasVersion),
		b.header(), ncsnr)
}

// writeVolumes writes the masks and regions.
func (t *tree) writeVolumes(b *brain) error {
	mask := make([]uint8, len(b.brain))
	mean := make([]float32, len(b.brain))
	general := make([]float32, len(b.brain))
	prf := make([]int32, len(b.brain))
	for v, inside := range b.brain {
		if inside {
			mask[v] = 1
			mean[v] = float32(1000 + 150*b.noise[v])
		}
		general[v] = float32(min(b.streams[v], 1))
		prf[v] = int32(b.prf[v])
	}
	dir := t.path("nsddata/ppdata/%s/func1pt8mm", subjectName(b.subject))
	h := b.header()
	for _, err := range []error{
		nifti.Write(dir+"/brainmask.nii.gz", h, mask),
		nifti.Write(dir+"/mean.nii.gz", h, mean),
		nifti.Write(dir+"/roi/streams.nii.gz", h, b.streams),
		nifti.Write(dir+"/roi/nsdgeneral.nii.gz", h, general),
		nifti.Write(dir+"/roi/prf-visualrois.nii.gz", h, prf),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// header is that of NSD's functional volumes: 1.8 mm, origin in the middle.
func (b *brain) header() nifti.Header {
	h := nifti.Header{Dims: b.shape[:], Affine: nifti.Scaling(1.8)}
	for d, n := range b.shape {
		h.Affine[d][3] = -1.8 * float64(n) / 2
	}
	return h
}

// writeBetas writes the sessions side by side, int16 [trials, z, y, x] in chunks of one voxel, and
// returns each voxel's ncsnr as estimated from what was written. Memory: a few rows of voxels.
func (t *tree) writeBetas(ctx context.Context, b *brain, responses [][]float32) ([]float32, error) {
	d := t.design
	shape := []int{d.trials, b.shape[2], b.shape[1], b.shape[0]}
	files := make([]*hdf5.DatasetWriter[int16], d.sessions)
	writers := make([]*hdf5.Writer, d.sessions)
	sessions := make([]session, d.sessions)
	for s := range d.sessions {
		sessions[s] = b.newSession(s, d.trials)
		w, err := hdf5.Create(t.path("nsddata_betas/ppdata/%s/func1pt8mm/%s/betas_session%02d.hdf5",
			subjectName(b.subject), betasVersion, s+1))
		if err != nil {
			return nil, err
		}
		defer w.Abort()
		writers[s] = w
		if files[s], err = hdf5.NewDataset[int16](w, "betas", shape, []int{d.trials, 1, 1, 1}); err != nil {
			return nil, err
		}
	}
	scan := newScan(b, d, sessions, responses)
	width := b.shape[0]
	rows := len(b.brain) / width
	batch := 4 * runtime.GOMAXPROCS(0)
	buffers := make([][]int16, batch)
	for first := 0; first < rows; first += batch {
		n := min(batch, rows-first)
		err := parallel(ctx, n, func(i int) error {
			if buffers[i] == nil {
				buffers[i] = make([]int16, width*len(d.order))
			}
			scan.row(buffers[i], (first+i)*width, width)
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, row := range buffers[:n] {
			for s, f := range files {
				for v := range width {
					from := v*len(d.order) + s*d.trials
					if err := f.Append(row[from : from+d.trials]); err != nil {
						return nil, err
					}
				}
			}
			t.count.step()
		}
	}
	for _, w := range writers {
		if err := w.Close(); err != nil {
			return nil, err
		}
	}
	return scan.ncsnr, nil
}

// scan measures the voxels of a brain over a whole experiment.
type scan struct {
	*brain
	design    *design
	sessions  []session
	responses [][]float32 // [picture][visual voxel]
	rank      map[int]int // of a voxel among the visual ones
	groups    [][]int     // trials of each picture
	ncsnr     []float32   // of each voxel of the volume, as estimated
}

func newScan(b *brain, d *design, sessions []session, responses [][]float32) *scan {
	s := &scan{brain: b, design: d, sessions: sessions, responses: responses, rank: make(map[int]int, len(b.visual))}
	for i, v := range b.visual {
		s.rank[v] = i
	}
	s.groups = make([][]int, len(responses))
	for trial, picture := range d.order {
		s.groups[picture] = append(s.groups[picture], trial)
	}
	s.ncsnr = make([]float32, len(b.brain))
	return s
}

// row fills out with the betas of width voxels from voxel first on, [voxel][trial].
func (s *scan) row(out []int16, first, width int) {
	trials := len(s.design.order)
	signal := make([]float32, trials)
	z := make([]float64, trials)
	for i := range width {
		v := first + i
		betas := out[i*trials : (i+1)*trials]
		var drive []float32
		if rank, ok := s.rank[v]; ok && !s.null {
			for t, picture := range s.design.order {
				signal[t] = s.responses[picture][rank]
			}
			drive = signal
		}
		s.betas(betas, v, s.sessions, drive)
		if s.brain.brain[v] {
			s.ncsnr[v] = float32(estimateNCSNR(betas, s.design.trials, s.groups, z))
		}
	}
}
