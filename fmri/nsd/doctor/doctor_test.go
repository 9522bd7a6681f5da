package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/freesurfer"
	"percept/fmri/internal/hdf5"
	"percept/fmri/internal/nifti"
	"percept/fmri/nsd"
	"percept/fmri/sim"
)

const (
	golden = "../testdata/nsd_root"
	one    = fmri.Subject("subj01")
)

var simulated = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "doctor-tree-")
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "tree")
	return dir, sim.Write(context.Background(), dir, sim.Options{Seed: 2, Subjects: 1, SharedImages: 4, OwnImages: 13, Sessions: 3, Runs: 2,
		ImageSize: 24, Shape: [3]int{10, 12, 9}, EarlyVoxels: 40, MidVoxels: 9, HigherVoxels: 20}, nil)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := simulated(); err == nil {
		os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}

// healthyTree is a copy of a simulated tree that a test may damage.
func healthyTree(t *testing.T) nsd.Paths {
	t.Helper()
	dir, err := simulated()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "tree")
	if err := os.CopyFS(root, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return nsd.Paths(root)
}

func check(t *testing.T, root string, o Options) *Report {
	t.Helper()
	r, err := Check(t.Context(), root, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestHealthy: neither simulated trees nor the golden one give cause for complaint.
func TestHealthy(t *testing.T) {
	for _, root := range []string{golden, string(healthyTree(t))} {
		for _, deep := range []bool{false, true} {
			r := check(t, root, Options{Deep: deep})
			if len(r.Problems) > 0 || !r.Healthy() {
				t.Errorf("%s: healthy %v, problems %+v", root, r.Healthy(), r.Problems)
			}
			for _, s := range r.Subjects {
				for _, a := range s.Analyses {
					if a.OK() != (a.Name != Surfaces || root == golden && exists(filepath.Join(root, a.Lacks[0]))) {
						t.Errorf("%s: %s of %s lacks %v", root, a.Name, s.Name, a.Lacks)
					}
				}
				if deep != (s.Betas[0].Sample != nil) {
					t.Errorf("sample %+v of a deep (%v) check", s.Betas[0].Sample, deep)
				}
			}
		}
	}
}

// TestFacts: what the report says of the golden tree, against its info.json and README.
func TestFacts(t *testing.T) {
	r := check(t, golden, Options{Subjects: []fmri.Subject{"subj02"}, Deep: true})
	if len(r.Subjects) != 1 || r.Subjects[0].Name != "subj02" {
		t.Fatalf("subjects %+v", r.Subjects)
	}
	s := r.Subjects[0]
	if r.Design.Trials != 72 || r.Design.Shared != 5 || !slices.Equal(r.Design.SessionTrials, []int{24, 24, 24}) ||
		r.Stimuli.Images != 157 ||
		r.Stimuli.Height != 64 || r.Table.First != 0 || r.Captions.Images != 157 {
		t.Errorf("design %+v, images %+v, table %+v, captions %+v", r.Design, r.Stimuli, r.Table, r.Captions)
	}
	if !slices.Equal(s.Sessions, []int{1, 2, 3}) || s.Trials != 72 || s.Images != 24 || s.Repeats[3] != 24 || s.SharedSeen != 5 ||
		s.Volume != [3]int{8, 10, 9} || s.Brain != 452 {
		t.Errorf("subject %+v", s)
	}
	b := s.Betas[0]
	if b.Formats["hdf5"] != 3 || b.Formats["nii.gz"] != 3 || !slices.Equal(b.Usable, []int{1, 2, 3}) || b.Stored != "int16" ||
		b.Scale != 300 ||
		!slices.Equal(b.Chunks, []int{24, 1, 1, 1}) || b.NCSNR.NaN != 1 {
		t.Errorf("betas %+v, ncsnr %+v", b, b.NCSNR)
	}
	if b.Sample.Values != 6*24*sampled || b.Sample.SD < 0.3 || b.Sample.SD > 10 {
		t.Errorf("sample %+v", b.Sample)
	}
	for _, a := range s.Atlases {
		if a.Name == "streams" && (len(a.Regions) != 7 || a.Regions[4].Name != "ventral" || a.Regions[4].Voxels != 27) {
			t.Errorf("streams %+v", a)
		}
	}
}

// rewrite writes session n's betas anew, as change makes them of [trials, z, y, x].
func rewrite(t *testing.T, p nsd.Paths, n int, change func(shape []int, x []int16) ([]int, []int16)) {
	t.Helper()
	path := p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5")
	f, err := hdf5.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	d, err := f.Dataset("betas")
	if err != nil {
		t.Fatal(err)
	}
	x, err := hdf5.Read[int16](d)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	shape, x := change(d.Shape(), x)
	w, err := hdf5.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	ds, err := hdf5.NewDataset[int16](w, "betas", shape, []int{shape[0], 1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	width := len(x) / shape[0]
	column := make([]int16, shape[0])
	for v := range width {
		for k := range column {
			column[k] = x[k*width+v]
		}
		if err := ds.Append(column); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, path string, change func(string) string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(change(string(b))), 0o666); err != nil {
		t.Fatal(err)
	}
}

// column changes the whole numbers of one column of a table.
func column(name, sep string, change func(int) int) func(string) string {
	return func(s string) string {
		lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
		at := slices.Index(strings.Split(lines[0], sep), name)
		for i, line := range lines[1:] {
			// The table of images has one quoted cell with separators, before the columns that are changed.
			before, quoted, rest := "", "", line
			if k := strings.LastIndex(line, `"`); k >= 0 {
				before, rest = line[:k+1], line[k+1:]
				quoted = strings.Repeat(sep, 3)
			}
			f := strings.Split(rest, sep)
			c := at
			if quoted != "" {
				c -= 3 // index, cocoId and cocoSplit come before the quoted cell
			}
			var n int
			fmt.Sscan(f[c], &n)
			f[c] = fmt.Sprint(change(n))
			lines[i+1] = before + strings.Join(f, sep)
		}
		return strings.Join(lines, "\n") + "\n"
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// truncate cuts a file to a share of its length.
func truncate(t *testing.T, path string, share float64) {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	must(t, os.Truncate(path, int64(share*float64(info.Size()))))
}

// toNIfTI replaces session n's HDF5 file by a .nii.gz of the same values, in one or two gzip members.
func toNIfTI(t *testing.T, p nsd.Paths, n int, members int) string {
	t.Helper()
	from, to := p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5"),
		p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, n, "nii.gz")
	f, err := hdf5.Open(from)
	must(t, err)
	d, err := f.Dataset("betas")
	must(t, err)
	x, err := hdf5.Read[int16](d)
	must(t, err)
	f.Close()
	s := d.Shape()
	must(t, nifti.Write(to, nifti.Header{Dims: []int{s[3], s[2], s[1], s[0]}}, x))
	must(t, os.Remove(from))
	if members == 1 {
		return to
	}
	b, err := os.ReadFile(to)
	must(t, err)
	z, err := gzip.NewReader(bytes.NewReader(b))
	must(t, err)
	b, err = io.ReadAll(z)
	must(t, err)
	var out bytes.Buffer
	for _, part := range [][]byte{b[:1000], b[1000:]} {
		w := gzip.NewWriter(&out)
		_, err := w.Write(part)
		must(t, err)
		must(t, w.Close())
	}
	must(t, os.WriteFile(to, out.Bytes(), 0o666))
	return to
}

// TestDamage: each damage gives one line of its own, which names the file, and no other.
func TestDamage(t *testing.T) {
	const folder = "nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"
	const roi = "nsddata/ppdata/subj01/func1pt8mm/roi/"
	betas := func(p nsd.Paths, n int) string {
		return p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, n, "hdf5")
	}
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, p nsd.Paths)
		deep   bool
		want   Problem // File whole, What and Do in part
		usable []int   // sessions of subj01
	}{
		{"session missing", func(t *testing.T, p nsd.Paths) { must(t, os.Remove(betas(p, 2))) }, false,
			Problem{Missing, folder, "no betas of session 2; there are 1, 3", "--sessions 1,3"}, []int{1, 3}},
		{"last session missing", func(t *testing.T, p nsd.Paths) { must(t, os.Remove(betas(p, 3))) }, false,
			Problem{Missing, folder, "no betas of session 3, the last ones", "--sessions 1-2"}, []int{1, 2}},
		{"one trial less", func(t *testing.T, p nsd.Paths) {
			rewrite(t, p, 3, func(s []int, x []int16) ([]int, []int16) {
				return []int{s[0] - 1, s[1], s[2], s[3]}, x[:len(x)/s[0]*(s[0]-1)]
			})
		}, false, Problem{Damaged, folder + "/betas_session03.hdf5", "betas of 12 trials, responses.tsv has 13 in that session",
			"both files"}, []int{1, 2}},
		{"another volume", func(t *testing.T, p nsd.Paths) {
			rewrite(t, p, 2, func(s []int, x []int16) ([]int, []int16) {
				return []int{s[0], s[1], s[2], s[3] - 1}, x[:s[0]*s[1]*s[2]*(s[3]-1)]
			})
		}, false, Problem{Damaged, folder + "/betas_session02.hdf5", "betas of a volume of 9×12×9 voxels, this subject's is of 10×12×9",
			"again"}, []int{1, 3}},
		{"axes the other way round", func(t *testing.T, p nsd.Paths) {
			rewrite(t, p, 2, func(s []int, x []int16) ([]int, []int16) { return []int{s[0], s[3], s[2], s[1]}, x })
		}, false, Problem{Damaged, folder + "/betas_session02.hdf5", "axes in another order: dimensions 13×10×12×9, expected 13×9×12×10",
			"transpose"}, []int{1, 3}},
		{"trials last", func(t *testing.T, p nsd.Paths) {
			rewrite(t, p, 2, func(s []int, x []int16) ([]int, []int16) { return []int{s[1], s[2], s[3], s[0]}, x })
		}, false, Problem{Damaged, folder + "/betas_session02.hdf5", "axes in another order: dimensions 9×12×10×13, expected 13×9×12×10",
			"transpose"}, []int{1, 3}},
		{"truncated HDF5", func(t *testing.T, p nsd.Paths) { truncate(t, betas(p, 1), 0.7) }, false,
			Problem{Damaged, folder + "/betas_session01.hdf5", "its superblock states", "again"}, []int{2, 3}},
		{"empty HDF5", func(t *testing.T, p nsd.Paths) { truncate(t, betas(p, 1), 0) }, false,
			Problem{Damaged, folder + "/betas_session01.hdf5", "HDF5", "again"}, []int{2, 3}},
		{"damaged index", func(t *testing.T, p nsd.Paths) {
			edit(t, betas(p, 2), func(s string) string {
				i := strings.LastIndex(s, "TREE") // of the group
				i = strings.LastIndex(s[:i], "TREE")
				return s[:i] + "EERT" + s[i+4:]
			})
		}, true, Problem{Damaged, folder + "/betas_session02.hdf5", "HDF5, offset", "again"}, []int{1, 3}},
		{"nothing but zeros", func(t *testing.T, p nsd.Paths) {
			rewrite(t, p, 2, func(s []int, x []int16) ([]int, []int16) { return s, make([]int16, len(x)) })
		}, true, Problem{Damaged, folder + "/betas_session02.hdf5", "none of them changes", "again"}, []int{1, 3}},
		{"truncated .nii.gz", func(t *testing.T, p nsd.Paths) { truncate(t, toNIfTI(t, p, 2, 1), 0.8) }, false,
			Problem{Damaged, folder + "/betas_session02.nii.gz", "truncated", "again"}, []int{1, 3}},
		{".nii.gz with zeros behind it", func(t *testing.T, p nsd.Paths) {
			edit(t, toNIfTI(t, p, 2, 1), func(s string) string { return s + strings.Repeat("\x00", 512) })
		}, true, Problem{}, []int{1, 2, 3}},
		{".nii.gz of two members", func(t *testing.T, p nsd.Paths) { toNIfTI(t, p, 2, 2) }, true, Problem{}, []int{1, 2, 3}},
		{"damaged .nii.gz", func(t *testing.T, p nsd.Paths) {
			edit(t, toNIfTI(t, p, 2, 1), func(s string) string { return s[:len(s)/2] + "damage" + s[len(s)/2+6:] })
		}, true, Problem{Damaged, folder + "/betas_session02.nii.gz", "NIfTI", "again"}, []int{1, 3}},
		{"betas in float", func(t *testing.T, p nsd.Paths) {
			to := p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, 1, "nii.gz")
			must(t, os.Remove(betas(p, 1)))
			must(t, nifti.Write(to, nifti.Header{Dims: []int{10, 12, 9, 13}}, make([]float32, 10*12*9*13)))
		}, false, Problem{Damaged, folder + "/betas_session01.nii.gz", "betas are float32", "again"}, []int{2, 3}},
		{"chunks of another kind", func(t *testing.T, p nsd.Paths) {
			w, err := hdf5.Create(betas(p, 1))
			must(t, err)
			d, err := hdf5.NewDataset[int16](w, "betas", []int{13, 9, 12, 10}, nil)
			must(t, err)
			must(t, d.Append(make([]int16, 13*9*12*10)))
			must(t, w.Close())
		}, false, Problem{Note, folder + "/betas_session01.hdf5", "chunks of []", "slower"}, []int{1, 2, 3}},
		{"csv counts from 1", func(t *testing.T, p nsd.Paths) {
			edit(t, p.StimInfo(), column("nsdId", ",", func(n int) int { return n + 1 }))
		}, false,
			Problem{Damaged, "nsddata/experiments/nsd/nsd_stim_info_merged.csv", "nsdId counts from 1", "take 1 off"}, []int{1, 2, 3}},
		{"behaviour counts from 0", func(t *testing.T, p nsd.Paths) {
			edit(t, p.Responses(one), column("73KID", "\t", func(n int) int { return n - 1 }))
		}, false,
			Problem{Damaged, "nsddata/ppdata/subj01/behav/responses.tsv", "73KID counts from 0", "add 1"}, []int{1, 2, 3}},
		{"another image in a trial", func(t *testing.T, p nsd.Paths) {
			k := 0
			edit(t, p.Responses(one), column("73KID", "\t", func(n int) int {
				if k++; k == 5 {
					return 18 - n
				}
				return n
			}))
		}, false, Problem{Damaged, "nsddata/ppdata/subj01/behav/responses.tsv", "trial 5 of session 1 shows image", "again"},
			[]int{1, 2, 3}},
		{"a trial missing from behaviour", func(t *testing.T, p nsd.Paths) {
			edit(t, p.Responses(one), func(s string) string {
				s = strings.TrimSuffix(s, "\n")
				return s[:strings.LastIndex(s, "\n")+1]
			})
		}, false, Problem{Damaged, "nsddata/ppdata/subj01/behav/responses.tsv", "session 3 has 12 trials, nsd_expdesign.mat 13", "again"},
			[]int{1, 2}},
		{"label without a name", func(t *testing.T, p nsd.Paths) {
			for _, owner := range []fmri.Subject{one, "fsaverage"} {
				edit(t, p.LabelTable(owner, "streams"), func(s string) string { return strings.Replace(s, "5 ventral\n", "", 1) })
			}
		}, false, Problem{Missing, roi + "streams.nii.gz", "value 5 (12 voxels) has no name in the label table", "give value 5 a name"},
			[]int{1, 2, 3}},
		{"no label table", func(t *testing.T, p nsd.Paths) {
			for _, owner := range []fmri.Subject{one, "fsaverage"} {
				must(t, os.Remove(p.LabelTable(owner, "prf-visualrois")))
			}
		}, false, Problem{Missing, "nsddata/freesurfer/subj01/label/prf-visualrois.mgz.ctab", "7 values without a name",
			"get the label table"}, []int{1, 2, 3}},
		{"brain mask of another size", func(t *testing.T, p nsd.Paths) {
			must(t, nifti.Write(p.BrainMask(one, nsd.DefaultSpace), nifti.Header{Dims: []int{10, 12, 8}}, slices.Repeat([]uint8{1}, 960)))
		}, false, Problem{Damaged, "nsddata/ppdata/subj01/func1pt8mm/brainmask.nii.gz",
			"a volume of 10×12×8 voxels, most of subj01's are of 10×12×9", "again"}, []int{1, 2, 3}},
		{"regions of another size", func(t *testing.T, p nsd.Paths) {
			must(t, nifti.Write(p.ROI(one, nsd.DefaultSpace, "nsdgeneral"), nifti.Header{Dims: []int{11, 12, 9}}, make([]int16, 11*12*9)))
		}, false, Problem{Damaged, roi + "nsdgeneral.nii.gz", "a volume of 11×12×9 voxels", "again"}, []int{1, 2, 3}},
		{"regions that are no labels", func(t *testing.T, p nsd.Paths) {
			must(t, nifti.Write(p.ROI(one, nsd.DefaultSpace, "nsdgeneral"), nifti.Header{Dims: []int{10, 12, 9}},
				slices.Repeat([]float32{0.5}, 1080)))
		}, false, Problem{Damaged, roi + "nsdgeneral.nii.gz", "voxel 0 is 0.5, expected whole numbers", "again"}, []int{1, 2, 3}},
		{"ncsnr of another size", func(t *testing.T, p nsd.Paths) {
			must(t, nifti.Write(p.NCSNR(one, nsd.DefaultSpace, nsd.DefaultBetas), nifti.Header{Dims: []int{10, 12, 8}},
				make([]float32, 960)))
		}, false, Problem{Damaged, folder + "/ncsnr.nii.gz", "a volume of 10×12×8 voxels, the betas beside it are of 10×12×9", "again"},
			[]int{1, 2, 3}},
		{"negative ncsnr", func(t *testing.T, p nsd.Paths) {
			must(t, nifti.Write(p.NCSNR(one, nsd.DefaultSpace, nsd.DefaultBetas), nifti.Header{Dims: []int{10, 12, 9}},
				slices.Repeat([]float32{-1}, 1080)))
		}, false, Problem{Damaged, folder + "/ncsnr.nii.gz", "values from -1 to -1", "ncsnr.nii.gz"}, []int{1, 2, 3}},
		{"truncated images", func(t *testing.T, p nsd.Paths) { truncate(t, p.Stimuli(), 0.5) }, false,
			Problem{Damaged, "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5", "its superblock states", "again"}, []int{1, 2, 3}},
		{"captions cut short", func(t *testing.T, p nsd.Paths) { truncate(t, p.Captions("train2017"), 0.5) }, false,
			Problem{Damaged, "nsddata_stimuli/stimuli/nsd/annotations/captions_train2017.json", "the file ends too early", "COCO"},
			[]int{1, 2, 3}},
		{"design cut short", func(t *testing.T, p nsd.Paths) { truncate(t, p.ExpDesign(), 0.5) }, false,
			Problem{Damaged, "nsddata/experiments/nsd/nsd_expdesign.mat", "MAT", "again"}, []int{1, 2, 3}},
		{"folder of other files", func(t *testing.T, p nsd.Paths) {
			dir := p.BetaFolder(one, "nativesurface", nsd.DefaultBetas)
			must(t, os.MkdirAll(dir, 0o777))
			must(t, os.WriteFile(filepath.Join(dir, "lh.betas_session01.hdf5"), nil, 0o666))
		}, false, Problem{Note, "nsddata_betas/ppdata/subj01/nativesurface/betas_fithrf_GLMdenoise_RR", "no betas_sessionNN.hdf5",
			"not read"}, []int{1, 2, 3}},
		{"betas of one session twice", func(t *testing.T, p nsd.Paths) {
			from := p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, 2, "hdf5")
			b, err := os.ReadFile(from)
			must(t, err)
			must(t, os.WriteFile(p.SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, 3, "hdf5"), b, 0o666))
		}, true, Problem{Damaged, folder + "/betas_session03.hdf5", "has the values of session 2, betas_session02.hdf5", "again"}, []int{1, 2}},
		{"table among the templates", func(t *testing.T, p nsd.Paths) {
			must(t, nifti.Write(p.ROI(one, nsd.DefaultSpace, "thalamus"), nifti.Header{Dims: []int{10, 12, 9}},
				append([]int16{1, 2, -1}, make([]int16, 1077)...)))
			table := p.LabelTables(one, "lh.thalamus")[2]
			must(t, os.MkdirAll(filepath.Dir(table), 0o777))
			must(t, os.WriteFile(table, []byte("1 LGN\n2 pulvinar\n"), 0o666))
		}, false, Problem{}, []int{1, 2, 3}},
		{"link to nowhere", func(t *testing.T, p nsd.Paths) {
			must(t, os.Symlink("nowhere", filepath.Join(p.BetaFolder(one, nsd.DefaultSpace, nsd.DefaultBetas), "meanbeta.nii.gz")))
		}, false, Problem{Damaged, folder + "/meanbeta.nii.gz", "no such file", "mend the link"}, []int{1, 2, 3}},
		{"link in a circle", func(t *testing.T, p nsd.Paths) {
			must(t, os.Symlink(".", filepath.Join(string(p), "self")))
		}, false, Problem{Note, "self", "a link to a folder that it lies in", "not followed"}, []int{1, 2, 3}},
		{"link to a folder far above", func(t *testing.T, p nsd.Paths) {
			must(t, os.Symlink("../..", filepath.Join(string(p), "nsddata", "experiments", "back")))
		}, false, Problem{Note, "nsddata/experiments/back", "a link to a folder that it lies in", "not followed"}, []int{1, 2, 3}},
		{"betas elsewhere", func(t *testing.T, p nsd.Paths) {
			dir, away := p.BetaFolder(one, nsd.DefaultSpace, nsd.DefaultBetas), filepath.Join(filepath.Dir(string(p)), "elsewhere")
			must(t, os.Rename(dir, away))
			must(t, os.Symlink(away, dir))
		}, false, Problem{}, []int{1, 2, 3}},
		{"one hemisphere missing", func(t *testing.T, p nsd.Paths) {
			dir := p.BetaFolder(one, nsd.Fsaverage, nsd.DefaultBetas)
			for n := 1; n <= 3; n++ {
				for _, side := range []string{"lh", "rh"} {
					if n != 2 || side != "lh" {
						must(t, freesurfer.WriteMGH(filepath.Join(dir, fmt.Sprintf("%s.betas_session%02d.mgh", side, n)),
							freesurfer.Header{Dims: [4]int{5, 1, 1, 13}}, make([]float32, 65)))
					}
				}
			}
		}, false, Problem{Damaged, "nsddata_betas/ppdata/subj01/fsaverage/betas_fithrf_GLMdenoise_RR/lh.betas_session02.mgh",
			"not there: it is the betas of one hemisphere", "again"}, []int{1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := healthyTree(t)
			c.damage(t, p)
			r := check(t, string(p), Options{Subjects: []fmri.Subject{one}, Deep: c.deep})
			if c.want.File == "" {
				if len(r.Problems) > 0 {
					t.Errorf("problems %+v, want none", r.Problems)
				}
			} else if len(r.Problems) != 1 {
				t.Errorf("%d problems, want one: %+v", len(r.Problems), r.Problems)
			} else if got := r.Problems[0]; got.Kind != c.want.Kind || got.File != c.want.File ||
				!strings.Contains(got.What, c.want.What) ||
				!strings.Contains(got.Do, c.want.Do) || strings.Contains(got.What, "\n") || strings.Contains(got.What, string(p)) {
				t.Errorf("%+v,\nwant %+v", got, c.want)
			}
			if r.Healthy() == (c.want.Kind == Damaged) {
				t.Errorf("healthy: %v", r.Healthy())
			}
			usable := []int{}
			for _, b := range r.Subjects[0].Betas {
				if b.Space == nsd.DefaultSpace {
					usable = b.Usable
				}
			}
			if !slices.Equal(usable, c.usable) {
				t.Errorf("usable sessions %v, want %v", usable, c.usable)
			}
		})
	}
}

// TestLacks: what is not there is no problem, but is named where it is needed.
func TestLacks(t *testing.T) {
	for name, c := range map[string]struct {
		remove  func(p nsd.Paths) string
		lacking []string
	}{
		"images":    {func(p nsd.Paths) string { return p.Stimuli() }, []string{DecodeZ, Encode}},
		"table":     {func(p nsd.Paths) string { return p.StimInfo() }, []string{DecodeC, CaptionTexts}},
		"captions":  {func(p nsd.Paths) string { return p.Captions("val2017") }, []string{DecodeC, CaptionTexts}},
		"design":    {func(p nsd.Paths) string { return p.ExpDesign() }, []string{DecodeZ, DecodeC, Encode}},
		"behaviour": {func(p nsd.Paths) string { return p.Responses(one) }, []string{DecodeZ, DecodeC, Encode}},
		"brain":     {func(p nsd.Paths) string { return p.BrainMask(one, nsd.DefaultSpace) }, []string{Encode}},
		"ncsnr":     {func(p nsd.Paths) string { return p.NCSNR(one, nsd.DefaultSpace, nsd.DefaultBetas) }, []string{NoiseCeiling}},
		"betas": {func(p nsd.Paths) string { return filepath.Join(string(p), "nsddata_betas", "ppdata", "subj01") },
			[]string{DecodeZ, DecodeC, Encode, NoiseCeiling}},
	} {
		t.Run(name, func(t *testing.T) {
			p := healthyTree(t)
			path := c.remove(p)
			must(t, os.RemoveAll(path))
			r := check(t, string(p), Options{Subjects: []fmri.Subject{one}})
			if len(r.Problems) > 0 {
				t.Errorf("problems %+v", r.Problems)
			}
			rel, err := filepath.Rel(string(p), path)
			must(t, err)
			for _, a := range r.Subjects[0].Analyses {
				if a.Name == Surfaces {
					continue
				}
				if a.OK() == slices.Contains(c.lacking, a.Name) {
					t.Errorf("%s lacks %v", a.Name, a.Lacks)
				}
				if !a.OK() && name != "betas" && !slices.Contains(a.Lacks, filepath.ToSlash(rel)) {
					t.Errorf("%s lacks %v, want %s", a.Name, a.Lacks, rel)
				}
			}
		})
	}
}

func TestCheckRejects(t *testing.T) {
	if _, err := Check(t.Context(), t.TempDir(), Options{}); err == nil || !strings.Contains(err.Error(), "no folder nsddata in it") {
		t.Errorf("a folder that is no tree: %v", err)
	}
	if _, err := Check(t.Context(), golden, Options{Subjects: []fmri.Subject{"subj09"}}); err == nil ||
		!strings.Contains(err.Error(), "there is [subj01 subj02]") {
		t.Errorf("a subject that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, golden, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestAdvice: what may not be read is not downloaded again, and one fault is told once.
func TestAdvice(t *testing.T) {
	e := &examiner{root: "tree", report: &Report{}}
	for range 2 {
		e.add(Damaged, "tree/a", again, "%v", fmt.Errorf("tree/a: %w", fs.ErrPermission))
	}
	e.add(Damaged, "tree/b", again, "%v", fs.ErrNotExist)
	want := []Problem{
		{Kind: Damaged, File: "a", What: fs.ErrPermission.Error(), Do: "make it readable for you"},
		{Kind: Damaged, File: "b", What: fs.ErrNotExist.Error(), Do: again},
	}
	if !slices.Equal(e.report.Problems, want) {
		t.Errorf("%+v, want %+v", e.report.Problems, want)
	}
}

// FuzzHeaders: whatever the first bytes are, they are told or left to the reader.
func FuzzHeaders(f *testing.F) {
	dir, err := simulated()
	if err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(nsd.Paths(dir).SessionBetas(one, nsd.DefaultSpace, nsd.DefaultBetas, 1, "hdf5"))
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range []int{0, 7, 8, 20, 48, 64, 512} {
		f.Add(b[:n])
	}
	f.Add([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(path, b, 0o666))
		for _, err := range []error{truncatedHDF5(path), truncatedGzip(path, &nsd.SessionFile{Dims: []int{2, 2, 2, 2}})} {
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q is not one line", err)
			}
		}
	})
}
