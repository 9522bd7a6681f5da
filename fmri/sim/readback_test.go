package sim

import (
	"bytes"
	"context"
	"math"
	"testing"

	"percept/fmri"
	"percept/fmri/nsd"
)

// readStored is the stored betas of the mask's voxels in all sessions, [trials, voxels].
func readStored(t *testing.T, data *nsd.Dataset, s fmri.Subject, mask fmri.Mask) (x []float32) {
	t.Helper()
	sessions, err := data.Sessions(s, nsd.DefaultSpace, nsd.DefaultBetas)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range sessions {
		f, err := nsd.OpenSession(data.Paths.SessionBetas(s, nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5"))
		if err != nil {
			t.Fatal(err)
		}
		part := make([]float32, f.Trials*mask.Len())
		if err := f.Read(part, mask); err != nil {
			t.Fatal(err)
		}
		f.Close()
		x = append(x, part...)
	}
	return x
}

// The NSD reader finds in the tree what the simulation put there.
func TestReaderReadsTheTree(t *testing.T) {
	ctx := context.Background()
	o := tiny.withDefaults()
	data, err := nsd.Open(writeTiny(t, tiny))
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	subjects, err := data.Subjects()
	if err != nil || len(subjects) != 2 || subjects[1] != "subj02" {
		t.Fatalf("subjects %v, error %v", subjects, err)
	}
	for i, s := range subjects {
		b, d, responses := smallBrain(t, tiny, i)
		for _, want := range []struct {
			name  string
			label int16
		}{{"streams/early", early}, {"streams/ventral", ventral}, {"streams/parietal", parietal}} {
			roi, err := data.Region(s, "", want.name)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, label := range b.streams {
				if label == want.label {
					n++
				}
			}
			if roi.Mask.Len() != n {
				t.Errorf("%s %s: %d voxels, want %d", s, want.name, roi.Mask.Len(), n)
			}
			for _, v := range roi.Mask.FileIndex() {
				if b.streams[v] != want.label {
					t.Fatalf("%s %s: voxel %d is of %d", s, want.name, v, b.streams[v])
				}
			}
		}

		brain, err := data.Brain(s, "")
		if err != nil {
			t.Fatal(err)
		}
		got := readStored(t, data, s, brain) // [trials, voxels]
		trials, err := data.Trials(s)
		if err != nil {
			t.Fatal(err)
		}
		var sessions []session
		for n := range d.sessions {
			sessions = append(sessions, b.newSession(n, d.trials))
		}
		scan := newScan(b, d, sessions, responses)
		row := make([]int16, len(d.order))
		for v, file := range brain.FileIndex() {
			scan.row(row, file, 1)
			for trial, want := range row {
				if beta := got[trial*brain.Len()+v]; beta != float32(want) {
					t.Fatalf("%s voxel %d trial %d: beta %g, want %d", s, file, trial, beta, want)
				}
			}
		}
		seen := d.seen(i)
		for trial, v := range d.order {
			if got := trials[trial]; int(got.Image) != seen[v] || got.Session != trial/d.trials+1 {
				t.Fatalf("%s trial %d shows %d in session %d, want %d in %d", s, trial, got.Image, got.Session, seen[v], trial/d.trials+1)
			}
		}
		ncsnr, err := data.NoiseCeilingSNR(s, brain, "", "")
		if err != nil {
			t.Fatal(err)
		}
		for v, file := range brain.FileIndex() {
			if want := scan.ncsnr[file]; want != ncsnr[v] && !(math.IsNaN(float64(want)) && !(ncsnr[v] > 0)) {
				t.Fatalf("%s voxel %d: ncsnr %g, want %g", s, file, ncsnr[v], want)
			}
		}
	}

	d := newDesign(o)
	for _, id := range []int{0, d.shared[1], d.own[1][0]} {
		want := newStimulus(sceneOf(o.Seed, id), o.ImageSize)
		img, err := data.Stimulus(nsd.ImageID(id))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(img.Pix, want.pixels.Pix) {
			t.Errorf("picture %d is not the one that was drawn", id)
		}
		captions, err := data.Captions(ctx, nsd.ImageID(id))
		if err != nil || len(captions[fmri.ImageID(id)]) != captionsPerImage {
			t.Errorf("picture %d has captions %v, error %v", id, captions, err)
		}
		known := map[string]bool{}
		for _, c := range want.scene.Captions(stream(o.Seed, forCaptions, uint64(id)), captionsPerImage) {
			known[c] = true
		}
		for _, c := range captions[fmri.ImageID(id)] {
			if !known[c] {
				t.Errorf("picture %d has the caption %q of another", id, c)
			}
		}
	}
}
