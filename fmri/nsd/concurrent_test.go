package nsd

import (
	"context"
	"slices"
	"sync"
	"testing"

	"percept/fmri"
)

// TestConcurrent reads everything of one Dataset from several goroutines, with the same result in each.
func TestConcurrent(t *testing.T) {
	d, err := Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	type result struct {
		x, snr   []float32
		pixels   []uint8
		captions int
	}
	read := func(s fmri.Subject) (r result, err error) {
		roi, err := d.Region(s, "", "nsdgeneral")
		if err != nil {
			return r, err
		}
		trials, err := d.Trials(s)
		if err != nil {
			return r, err
		}
		f, err := OpenSession(d.Paths.SessionBetas(s, DefaultSpace, DefaultBetas, 2, "hdf5"))
		if err != nil {
			return r, err
		}
		defer f.Close()
		r.x = make([]float32, f.Trials*roi.Mask.Len())
		if err := f.Read(r.x, roi.Mask); err != nil {
			return r, err
		}
		if r.snr, err = d.NoiseCeilingSNR(s, roi.Mask, "", ""); err != nil {
			return r, err
		}
		images := FirstSeen(trials)
		img, err := d.Stimulus(images[0])
		if err != nil {
			return r, err
		}
		r.pixels = img.Pix
		captions, err := d.Captions(context.Background(), images...)
		r.captions = len(captions)
		return r, err
	}
	const each = 4
	results, errs := make([]result, each*len(subjects)), make([]error, each*len(subjects))
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i], errs[i] = read(subjects[i%len(subjects)]) })
	}
	wg.Wait()
	for i, r := range results {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		want := results[i%len(subjects)]
		if !slices.Equal(r.x, want.x) || !slices.Equal(r.pixels, want.pixels) || r.captions != want.captions || len(r.x) == 0 ||
			len(r.snr) != len(want.snr) {
			t.Errorf("reader %d of %s found something else", i, subjects[i%len(subjects)])
		}
	}
}
