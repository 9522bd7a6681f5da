package table

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/internal/npy"
	"percept/internal/filesum"
)

// Both folders were made by version 0.1.0 of percept nsd prepare (format 1) from a simulated tree: three sessions of early and
// of ventral and lateral voxels, z-scored; and two of early voxels as the published code takes them (--compat takagi).
const (
	zscored   = "testdata/zscored"
	published = "testdata/published"
)

func openFolder(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", parts)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q does not have %q", err, p)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q is not one line", err)
	}
}

// column reads one array whole, by the other reader of .npy files.
func whole(t *testing.T, dir, name string) *npy.Array {
	t.Helper()
	a, err := npy.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestFolderTable compares every part and region of both folders with their files.
func TestFolderTable(t *testing.T) {
	for dir, want := range map[string]Voxels{
		zscored: {Subject: "subj01", Space: "func1pt8mm", Betas: "betas_fithrf_GLMdenoise_RR", Scale: SessionScores,
			Volume:  [3]int{10, 12, 9},
			Regions: []string{"streams/early", "streams/ventral+lateral"}},
		published: {Subject: "subj01", Space: "func1pt8mm", Betas: "betas_fithrf_GLMdenoise_RR", Scale: StoredNumbers,
			Volume:  [3]int{10, 12, 9},
			Regions: []string{"streams/early"}},
	} {
		f := openFolder(t, dir)
		rois, xyz := whole(t, dir, "rois.npy"), whole(t, dir, "voxels.npy")
		for _, part := range []string{"train", "test", "train_trials", "test_trials"} {
			x := whole(t, dir, "X_"+part+".npy")
			for _, chosen := range [][]string{nil, {want.Regions[0]}, {want.Regions[len(want.Regions)-1]}, want.Regions} {
				var columns []int
				for v := range f.Manifest.Voxels {
					in := chosen == nil
					for r, name := range want.Regions {
						in = in || slices.Contains(chosen, name) && rois.Data[v*len(want.Regions)+r] == 1
					}
					if in {
						columns = append(columns, v)
					}
				}
				table, err := f.Table(part, chosen...)
				if err != nil {
					t.Fatal(err)
				}
				m, err := table.Matrix(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if m.Rows != x.Shape[0] || m.Cols != len(columns) || len(columns) == 0 {
					t.Fatalf("%s, %s of %v: %d×%d, want %d×%d", dir, part, chosen, m.Rows, m.Cols, x.Shape[0], len(columns))
				}
				for i := range m.Rows {
					for k, v := range columns {
						if w := x.Data[i*x.Shape[1]+v]; m.Data[i*m.Cols+k] != float32(w) {
							t.Fatalf("%s, %s of %v: row %d, column %d is %v, want %v", dir, part, chosen, i, k, m.Data[i*m.Cols+k], w)
						}
					}
				}
				slab, err := table.Slab(t.Context(), 1, m.Cols-1)
				if err != nil || slab.Data[slab.Cols] != m.Data[m.Cols+1] {
					t.Errorf("%s, %s of %v: a slab has other values than the whole; %v", dir, part, chosen, err)
				}
				checkRows(t, dir, part, table)
				checkVoxels(t, *table.Cols.Voxels, want, chosen, columns, xyz.Data, rois.Data)
			}
		}
	}
}

func checkRows(t *testing.T, dir, part string, table *Table) {
	t.Helper()
	var images []fmri.ImageID
	for _, id := range whole(t, dir, "images_"+part+".npy").Data {
		images = append(images, fmri.ImageID(id))
	}
	numbers := func(name string) (n []int) {
		for _, x := range whole(t, dir, name+part+".npy").Data {
			n = append(n, int(x))
		}
		return n
	}
	r := table.Rows
	same := slices.Equal(r.Images, images) && r.Names == nil && r.N == len(images)
	if strings.HasSuffix(part, "_trials") {
		same = same && slices.Equal(r.Sessions, numbers("sessions_")) && r.Counts == nil
	} else {
		same = same && slices.Equal(r.Counts, numbers("counts_")) && r.Sessions == nil
	}
	if !same || table.Name != part || table.Path != dir || len(table.Sum) != 64 {
		t.Errorf("%s, %s: %+v of %s with sum %s", dir, part, r, table.Path, table.Sum)
	}
}

func checkVoxels(t *testing.T, got, want Voxels, chosen []string, columns []int, xyz, rois []float64) {
	t.Helper()
	if got.Subject != want.Subject || got.Space != want.Space || got.Betas != want.Betas || got.Scale != want.Scale ||
		got.Volume != want.Volume || !slices.Equal(got.Regions, want.Regions) || !slices.Equal(got.Chosen, chosen) ||
		got.N != len(columns) {
		t.Errorf("voxels %+v, want %+v with %d voxels of %v", got, want, len(columns), chosen)
	}
	for k, v := range columns {
		for d := range 3 {
			if float64(got.XYZ[3*k+d]) != xyz[3*v+d] {
				t.Fatalf("column %d lies at %v, want %v", k, got.XYZ[3*k:3*k+3], xyz[3*v:3*v+3])
			}
		}
		for r := range want.Regions {
			if n := len(want.Regions); float64(got.Member[k*n+r]) != rois[v*n+r] {
				t.Fatalf("column %d in region %d: %v, want %v", k, r, got.Member[k*n+r], rois[v*n+r])
			}
		}
	}
}

func TestFolderRejects(t *testing.T) {
	f := openFolder(t, zscored)
	_, err := f.Table("train", "streams/late")
	wantError(t, err, zscored, "no region streams/late in it, expected one of streams/early, streams/ventral+lateral")
	_, err = f.Table("all")
	wantError(t, err, zscored, "no X_all.npy in it, expected one of X_train.npy, X_test.npy, X_train_trials.npy, X_test_trials.npy")
	_, _, err = f.Array("counts.npy")
	wantError(t, err, zscored, "no counts.npy in it", `"rois":["streams/early","streams/ventral+lateral"]`)

	dir := filepath.Join(t.TempDir(), "folder")
	if err := os.CopyFS(dir, os.DirFS(zscored)); err != nil {
		t.Fatal(err)
	}
	f = openFolder(t, dir)
	path := filepath.Join(dir, "X_train.npy")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	table, err := f.Table("train")
	if err != nil {
		t.Fatal(err)
	}
	for want, b := range map[string][]byte{
		"the file ends after":                         b[:len(b)-1],
		"not an npy file":                             append([]byte("\x93NUMPZ"), b[6:]...),
		"the file ends inside":                        b[:20],
		"not an npy file ":                            {},
		"1 bytes behind the values, expected none":    append(slices.Clone(b), 0),
		"<i4 [17 24], expected the array of <f4 [17 ": []byte(strings.Replace(string(b), "<f4", "<i4", 1)),
		"<f4 [24 17], expected the array of <f4 [17 ": []byte(strings.Replace(string(b), "(17, 24)", "(24, 17)", 1)),
		"is NaN, expected a finite number in X_train": append(b[:len(b)-4:len(b)-4], 0, 0, 0xc0, 0x7f),
	} {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := OpenFolder(dir)
		if strings.Contains(want, "NaN") { // what only a reader of all values sees
			if err != nil {
				t.Error(err)
			}
			_, err = table.Matrix(t.Context())
			wantError(t, err, path, "does not have the sum")
			reseal(t, f)
			_, err = table.Matrix(t.Context())
			wantError(t, err, dir+": row 16 (image ", "column 23 ")
		}
		wantError(t, err, strings.TrimSpace(want))
		if !strings.Contains(want, "NaN") {
			wantError(t, err, path)
			_, err = table.Matrix(t.Context()) // the file that changed after the table was made
			wantError(t, err, path)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFolder(dir)
	wantError(t, err, path, "no such file")
	_, err = table.Matrix(t.Context())
	wantError(t, err, path, "no such file")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFolder(dir)
	wantError(t, err, path, "is a folder")

	manifest := filepath.Join(dir, manifestName)
	for want, text := range map[string]string{
		"expected the manifest":      `{"what": 1}`,
		"expected the manifest of ":  `{"format": 1, "options": {"subject": 1}}`,
		"format 9, expected 1 to 3":  `{"format": 9}`,
		"format 0, expected 1 to 3 ": `{}`,
		"of 3 voxels and 0 regions":  `{"format": 1, "voxels": 3}`,
		`array "../x" of shape`:      `{"format": 1, "arrays": [{"file": "../x", "dtype": "<f4", "shape": [1]}]}`,
		`array "ncsnr.npy" of shape`: `{"format": 1, "arrays": [{"file": "ncsnr.npy", "dtype": "<f4"}]}`,
		"array of <f4 [-1]":          `{"format": 1, "arrays": [{"file": "ncsnr.npy", "dtype": "<f4", "shape": [-1]}]}`,
	} {
		if err := os.WriteFile(manifest, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := OpenFolder(dir)
		wantError(t, err, dir, strings.TrimSpace(want))
	}
}

// TestFolderRowsDisagree: arrays that are what the manifest says and do not fit together.
func TestFolderRowsDisagree(t *testing.T) {
	dir := t.TempDir()
	write := func(m *Manifest, name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		if err := npy.Write(filepath.Join(dir, name), shape, make([]float32, n)); err != nil {
			t.Fatal(err)
		}
		m.Arrays = append(m.Arrays, ArrayFile{File: name, DType: "<f4", Shape: shape})
	}
	for _, c := range []struct {
		images, counts, rows, voxels int
		want                         string
	}{
		{2, 3, 2, 4, "3 counts of 2 rows"},
		{2, 2, 3, 4, "shape [3 4], expected 2 images of 4 voxels"},
		{2, 2, 2, 5, "shape [2 5], expected 2 images of 4 voxels"},
	} {
		m := &Manifest{Request: Request{Format: FolderFormat, Options: []byte("{}")}, Voxels: 4}
		write(m, "voxels.npy", 4, 3)
		write(m, "images_train.npy", c.images)
		write(m, "counts_train.npy", c.counts)
		write(m, "X_train.npy", c.rows, c.voxels)
		if err := m.Write(dir); err != nil {
			t.Fatal(err)
		}
		f := openFolder(t, dir)
		reseal(t, f)
		_, err := f.Table("train")
		wantError(t, err, dir, c.want)
	}
}

// FuzzManifest: no manifest makes OpenFolder or Table panic or take memory that no file backs.
func FuzzManifest(f *testing.F) {
	const voxels = `{"file": "voxels.npy", "dtype": "<i4", "shape": [2, 3]}`
	f.Add([]byte(`{"format": 1, "voxels": 2, "arrays": [` + voxels + `, {"file": "rois.npy", "dtype": "|u1", "shape": [2, 1]}],
		"regions": [{"name": "a"}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 1000000000000, "arrays": [{"file": "X_train.npy", "dtype": "<f4", "shape": [1, 1000000000000]}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 2, "arrays": [` + voxels + `, {"file": "images_train.npy", "dtype": "<i4", "shape": []}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 2, "arrays": [` + voxels + `, {"file": "images_train.npy", "dtype": "<i4", "shape": [2]},
		{"file": "counts_train.npy", "dtype": "<i4", "shape": [2]}, {"file": "X_train.npy", "dtype": "<f4", "shape": [2, 2]}]}`))
	f.Add([]byte(`{"format": 1, "voxels": 2, "options": [], "arrays": [` + voxels + `]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		write := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		write(os.WriteFile(filepath.Join(dir, manifestName), b, 0o666))
		write(npy.Write(filepath.Join(dir, "voxels.npy"), []int{2, 3}, make([]int32, 6)))
		write(npy.Write(filepath.Join(dir, "rois.npy"), []int{2, 1}, make([]uint8, 2)))
		write(npy.Write(filepath.Join(dir, "images_train.npy"), []int{2}, make([]int32, 2)))
		write(npy.Write(filepath.Join(dir, "counts_train.npy"), []int{2}, make([]int32, 2)))
		write(npy.Write(filepath.Join(dir, "X_train.npy"), []int{2, 2}, []float32{1, 2, 3, float32(math.Inf(1))}))
		folder, err := OpenFolder(dir)
		if err != nil {
			return
		}
		if folder.Verify() == nil && len(folder.Manifest.Arrays) > 0 {
			t.Error("arrays have sums that nobody wrote")
		}
		reseal(t, folder) // or no fuzzed manifest would be gone on with
		for _, part := range []string{"train", "test_trials"} {
			for _, rois := range [][]string{nil, {"a"}} {
				table, err := folder.Table(part, rois...)
				if err != nil {
					continue
				}
				if len(folder.Manifest.Arrays) == 0 {
					t.Error("something was read from nothing")
				}
				if _, err := table.Matrix(t.Context()); err == nil {
					t.Error("an infinite response was read")
				}
			}
		}
	})
}

// Two voxels in one place and memberships that are neither 0 nor 1 are damage: they would be other voxels' responses.
func TestFolderRejectsDamagedVoxels(t *testing.T) {
	for _, c := range []struct {
		file  string
		shape func(v, r int) []int
		want  string
	}{
		{"voxels.npy", func(v, _ int) []int { return []int{v, 3} }, "voxels.npy: voxels 0 and 1 are both at [7 7 7]"},
		{"rois.npy", func(v, r int) []int { return []int{v, r} }, "rois.npy: voxel 0 has 7, expected 0 or 1"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("testdata/zscored")); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, c.file)
		n := 1
		for _, d := range c.shape(f.Manifest.Voxels, len(f.Manifest.Regions)) {
			n *= d
		}
		if c.file == "voxels.npy" {
			err = npy.Write(path, c.shape(f.Manifest.Voxels, 0), slices.Repeat([]int32{7}, n))
		} else {
			err = npy.Write(path, c.shape(f.Manifest.Voxels, len(f.Manifest.Regions)), slices.Repeat([]uint8{7}, n))
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Table("train")
		wantError(t, err, path, "does not have the sum")
		reseal(t, f)
		if _, err := f.Table("train"); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error %v, want %q", c.file, err, c.want)
		}
	}
}

// reseal has a manifest name the sums that the arrays have.
func reseal(t *testing.T, f *Folder) {
	t.Helper()
	for i := range f.Manifest.Arrays {
		a := &f.Manifest.Arrays[i]
		var err error
		if a.SHA256, err = filesum.Hex(filepath.Join(f.Dir, a.File)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSumOfAFolderIsOfItsData: what a model cites is the values, not where and from which tree they were made.
func TestSumOfAFolderIsOfItsData(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(zscored)); err != nil {
		t.Fatal(err)
	}
	sum := func(dir, part string) string {
		t.Helper()
		f := openFolder(t, dir)
		reseal(t, f)
		x, err := f.Table(part)
		if err != nil {
			t.Fatal(err)
		}
		return x.Sum
	}
	f := openFolder(t, dir)
	f.Manifest.Data, f.Manifest.Version = "/another/tree", "another"
	if err := f.Manifest.Write(dir); err != nil {
		t.Fatal(err)
	}
	if a, b := sum(zscored, "train"), sum(dir, "train"); a != b {
		t.Errorf("the same responses of another tree have sum %s, expected %s", b, a)
	}
	if sum(dir, "train") == sum(dir, "test") {
		t.Error("training and test responses have one sum")
	}
	before := sum(dir, "train")
	path := filepath.Join(dir, "X_train.npy")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-2] ^= 1
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if sum(dir, "train") == before {
		t.Error("other responses have the same sum")
	}
}

// TestFlipsInAFolder: whatever bit of a prepared folder is flipped, what is read of it is an error or what it was.
func TestFlipsInAFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(zscored)); err != nil {
		t.Fatal(err)
	}
	f := openFolder(t, dir)
	if err := f.Manifest.Write(dir); err != nil { // with a sum, which the first formats had not
		t.Fatal(err)
	}
	read := func() (x []any, err error) {
		f, err := OpenFolder(dir)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			table, err := f.Table(part, "streams/early")
			if err != nil {
				return nil, err
			}
			m, err := table.Matrix(t.Context())
			if err != nil {
				return nil, err
			}
			x = append(x, m.Data, table.Rows, *table.Cols.Voxels)
		}
		ncsnr, _, err := f.Array("ncsnr.npy")
		return append(x, ncsnr), err
	}
	want, err := read()
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(8, 1))
	named, same := 0, 0
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 25 {
			bit := r.IntN(8 * len(good))
			bad := slices.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(path, bad, 0o666); err != nil {
				t.Fatal(err)
			}
			got, err := read()
			switch {
			case err != nil && strings.Contains(err.Error(), dir):
				named++
			case err == nil && reflect.DeepEqual(got, want):
				same++
			default:
				t.Errorf("%s: bit %d flipped: %v, expected an error with the folder's name or the same values", e.Name(), bit, err)
			}
		}
		if err := os.WriteFile(path, good, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d flips named, %d without effect", named, same)
	if named < 10*same/25 {
		t.Errorf("%d flips named, %d without effect", named, same)
	}
}
