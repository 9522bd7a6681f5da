package prepare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/matfile"
	"percept/fmri/nsd"
)

// TestGaps: sessions of different lengths, one of them missing on disk and one in responses.tsv, and betas of a session that
// took place but was held back.
func TestGaps(t *testing.T) {
	const s = fmri.Subject("subj03")
	dir := t.TempDir()
	p := nsd.Paths(dir)
	lengths := []int{3, 2, 4, 2}
	order := []float64{1, 2, 1, 3, 2, 4, 1, 4, 5, 3, 5}
	ids := []float64{70, 11, 12, 13, 14} // 73k ids of the subject's images
	subjectim := make([]float64, 3*5)
	for k, id := range ids {
		subjectim[3*k+2] = id
		subjectim[3*k], subjectim[3*k+1] = id, id
	}
	pattern := make([]float64, 4*1*6)
	for session, n := range lengths {
		for k := range n {
			pattern[session+4*(k+1)] = 1
		}
	}
	if err := matfile.Write(p.ExpDesign(), matfile.Matrix{Name: "masterordering", Dims: []int{1, len(order)}, Data: order},
		matfile.Matrix{Name: "subjectim", Dims: []int{3, 5}, Data: subjectim},
		matfile.Matrix{Name: "sharedix", Dims: []int{1, 1}, Data: []float64{70}},
		matfile.Matrix{Name: "stimpattern", Dims: []int{4, 1, 6}, Data: pattern}); err != nil {
		t.Fatal(err)
	}
	tsv := "SUBJECT\tSESSION\tRUN\tTRIAL\t73KID\tRT\n"
	at := 0
	for session, n := range lengths {
		w, err := hdf5.Create(p.SessionBetas(s, nsd.DefaultSpace, nsd.DefaultBetas, session+1, "hdf5"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := hdf5.NewDataset[int16](w, "betas", []int{n, 1, 2, 2}, []int{n, 1, 1, 1})
		if err != nil {
			t.Fatal(err)
		}
		for v := range 4 {
			col := make([]int16, n)
			for k := range col {
				col[k] = int16(300 * (100*(at+k) + v))
			}
			if err := b.Append(col); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		for k := range n {
			if session != 1 { // session 2 was held back: its betas are there, its trials are not known
				tsv += strings.Join([]string{"3", string(rune('1' + session)), "1", "1", trimFloat(ids[int(order[at+k])-1]), "NaN"},
					"\t") + "\r\n"
			}
		}
		at += n
	}
	if err := os.MkdirAll(filepath.Dir(p.Responses(s)), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.Responses(s), []byte(tsv), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(p.SessionBetas(s, nsd.DefaultSpace, nsd.DefaultBetas, 3, "hdf5")); err != nil {
		t.Fatal(err)
	}
	o := Options{Subject: s, Voxels: AllVoxels, Average: true, Trials: true}
	_, err := Run(t.Context(), dir, filepath.Join(t.TempDir(), "out"), "test", o)
	wantError(t, err, "no betas of session 3 in it; sessions 1,4 leave that out")
	o.Sessions = nsd.Sessions{List: []int{1, 2}}
	_, err = Run(t.Context(), dir, filepath.Join(t.TempDir(), "out"), "test", o)
	wantError(t, err, "no trials of session 2; subj03 has sessions 1, 3-4")
	o.Sessions = nsd.Sessions{List: []int{1, 4}} // trials 0, 1, 2, 9, 10
	f := run(t, dir, o)
	near(t, f, "images_train_trials.npy", []int32{10, 11, 13}, 0)
	near(t, f, "images_test_trials.npy", []int32{69, 69}, 0)
	near(t, f, "sessions_train_trials.npy", []int32{1, 4, 4}, 0)
	near(t, f, "sessions_test_trials.npy", []int32{1, 1}, 0)
	near(t, f, "counts_train.npy", []int32{1, 1, 1}, 0)
	near(t, f, "counts_test.npy", []int32{2}, 0)
	// Columns are voxels (0, 0), (0, 1), (1, 0), (1, 1), elements 0, 2, 1, 3 of the file; 32767/300 is passed, so values wrap as
	// int16 does.
	var want []float32
	for _, trial := range []int{1, 9, 10} {
		for _, v := range []int{0, 2, 1, 3} {
			want = append(want, float32(int16(300*(100*trial+v)))/300)
		}
	}
	near(t, f, "X_train_trials.npy", want, 0)
	near(t, f, "X_train.npy", want, 0)
	// A part of a download: what is asked for is there.
	if err := os.Remove(p.SessionBetas(s, nsd.DefaultSpace, nsd.DefaultBetas, 4, "hdf5")); err != nil {
		t.Fatal(err)
	}
	o.Sessions = nsd.Sessions{}
	_, err = Run(t.Context(), dir, filepath.Join(t.TempDir(), "out"), "test", o)
	wantError(t, err, "no betas of sessions 3-4 in it; session 1 alone leaves that out")
	o.Sessions = nsd.Sessions{First: 1}
	near(t, run(t, dir, o), "sessions_train_trials.npy", []int32{1}, 0)
}

func trimFloat(v float64) string {
	n := int(v)
	return string(rune('0'+n/10)) + string(rune('0'+n%10))
}
