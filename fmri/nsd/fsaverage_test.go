package nsd

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/freesurfer"
)

// writeSurfaces adds betas on a surface of 6 vertices a hemisphere to a copy of the golden tree. The beta of vertex v of side h
// in trial t of session n is 100 n + t + v/10 + h/100, and that of left vertex 2 is NaN.
func writeSurfaces(t *testing.T, d *Dataset) {
	t.Helper()
	const vertices, trials = 6, 24
	folder := d.Paths.BetaFolder("subj01", Fsaverage, DefaultBetas)
	write := func(path string, frames int, f func(frame, v int) float32) {
		t.Helper()
		var x []float32
		for frame := range frames {
			for v := range vertices {
				x = append(x, f(frame, v))
			}
		}
		if err := freesurfer.WriteMGH(path, freesurfer.Header{Dims: [4]int{vertices, 1, 1, frames}}, x); err != nil {
			t.Fatal(err)
		}
	}
	for h, side := range []string{"lh", "rh"} {
		for n := 1; n <= 3; n++ {
			write(filepath.Join(folder, fmt.Sprintf("%s.betas_session%02d.mgh", side, n)), trials, func(k, v int) float32 {
				if h == 0 && v == 2 {
					return float32(math.NaN())
				}
				return surfaceBeta(n, k, v, h)
			})
		}
		write(filepath.Join(folder, side+".ncsnr.mgh"), 1, func(_, v int) float32 { return float32(v) + float32(h)/2 })
		label := filepath.Join(string(d.Paths), "nsddata", "freesurfer", "fsaverage", "label")
		write(filepath.Join(label, side+".streams.mgz"), 1, func(_, v int) float32 { return []float32{0, 1, 1, 5, -1, 5 + float32(h)}[v] })
	}
}

func surfaceBeta(session, trial, vertex, side int) float32 {
	return float32(100*session+trial) + float32(vertex)/10 + float32(side)/100
}

// TestUnsignedAtlas reads atlases of unsigned integers of 16 bits, as FreeSurfer 7.4 and later writes them.
func TestUnsignedAtlas(t *testing.T) {
	d := copyTree(t)
	writeSurfaces(t, d)
	label := filepath.Join(string(d.Paths), "nsddata", "freesurfer", "fsaverage", "label")
	for h, side := range []string{"lh", "rh"} {
		plain := filepath.Join(t.TempDir(), "labels.mgh")
		labels := []int16{0, 1, 0, 5, int16(h), 1}
		if err := freesurfer.WriteMGH(plain, freesurfer.Header{Dims: [4]int{6, 1, 1, 1}}, labels); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(plain)
		if err != nil {
			t.Fatal(err)
		}
		b[23] = 10
		if err := os.WriteFile(filepath.Join(label, side+".streams.mgz"), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	early, err := d.Region("subj01", Fsaverage, "streams/early")
	if err != nil || !slices.Equal(early.Mask.Index, []int{1, 5, 7, 10, 11}) {
		t.Errorf("%+v %v", early.Mask, err)
	}
}

func TestFsaverage(t *testing.T) {
	d := copyTree(t)
	writeSurfaces(t, d)
	const s = fmri.Subject("subj01")
	spaces, err := d.Spaces(s)
	if err != nil || !slices.Equal(spaces[Fsaverage], []string{DefaultBetas}) ||
		!slices.Equal(spaces[DefaultSpace], []string{DefaultBetas}) {
		t.Errorf("Spaces() = %v, %v", spaces, err)
	}
	early, err := d.Region(s, Fsaverage, "streams/early")
	if err != nil {
		t.Fatal(err)
	}
	if early.Mask.Shape != [3]int{2, 6, 1} || !slices.Equal(early.Mask.Index, []int{1, 2, 7, 8}) {
		t.Errorf("early: %+v", early.Mask)
	}
	if right, err := d.Region(s, Fsaverage, "rh.streams/lateral"); err != nil || !slices.Equal(right.Mask.Index, []int{11}) {
		t.Errorf("right lateral: %+v, %v", right.Mask, err)
	}
	if n, err := d.Sessions(s, Fsaverage, DefaultBetas); err != nil || !slices.Equal(n, []int{1, 2, 3}) {
		t.Errorf("sessions %v, %v", n, err)
	}
	for i, got := range readBetas(t, d, s, Fsaverage, early.Mask) {
		trial, p := i/early.Mask.Len(), early.Mask.XYZ(i%early.Mask.Len())
		want := surfaceBeta(1+trial/24, trial%24, p[1], p[0]) // stored as percent signal change: not divided by 300
		if got != want && !(p == [3]int{0, 2, 0} && got != got) {
			t.Fatalf("trial %d, %v: %v, want %v", trial, p, got, want)
		}
	}
	snr, err := d.NoiseCeilingSNR(s, early.Mask, Fsaverage, "")
	if err != nil || !slices.Equal(snr, []float32{1, 2, 1.5, 2.5}) {
		t.Errorf("ncsnr %v, %v", snr, err)
	}
	left := filepath.Join(d.Paths.BetaFolder(s, Fsaverage, DefaultBetas), "lh.betas_session02.mgh")
	right := filepath.Join(d.Paths.BetaFolder(s, Fsaverage, DefaultBetas), "rh.betas_session02.mgh")
	if err := freesurfer.WriteMGH(right, freesurfer.Header{Dims: [4]int{5, 1, 1, 24}}, make([]float32, 120)); err != nil {
		t.Fatal(err)
	}
	_, err = OpenSession(left)
	wantError(t, err, "rh.betas_session02.mgh: dimensions [5 1 1 24], the left hemisphere has [6 1 1 24]")
	if err := freesurfer.WriteMGH(right, freesurfer.Header{Dims: [4]int{6, 1, 1, 24}}, make([]int16, 144)); err != nil {
		t.Fatal(err)
	}
	_, err = OpenSession(left)
	wantError(t, err, "rh.betas_session02.mgh: betas of dimensions [6 1 1 24], int16, expected vertices, 1, 1, trials of float32")
	os.Remove(right)
	_, err = OpenSession(left)
	wantError(t, err, "rh.betas_session02.mgh: not there: it is the betas of one hemisphere")
}
