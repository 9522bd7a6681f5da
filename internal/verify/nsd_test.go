package verify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/array"
	"percept/weights"
	"percept/weights/safetensors"
)

// edit changes a file in place; a change that changes nothing ends the test.
func edit(t *testing.T, path string, change func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := change(bytes.Clone(b))
	if bytes.Equal(b, changed) {
		t.Fatalf("%s has nothing to change", path)
	}
	if err := os.WriteFile(path, changed, 0o644); err != nil {
		t.Fatal(err)
	}
}

// largeSet is the large set of reference values, which is not everywhere.
const largeSet = "../../../shared/golden"

// The subjects are the set's: a copy of the large one whose first subject is the fifth of the experiment passes, and one
// whose list of subjects names another does not.
func TestOtherSubjects(t *testing.T) {
	if _, err := os.Stat(largeSet); err != nil {
		t.Skip("no large set of reference values")
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "nsd"), os.DirFS(filepath.Join(largeSet, "nsd"))); err != nil {
		t.Fatal(err)
	}
	s := &set{dir: dir}
	var folders []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "subj01" {
			folders = append(folders, path)
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if err := os.Rename(f, filepath.Join(filepath.Dir(f), "subj05")); err != nil {
			t.Fatal(err)
		}
	}
	renamed := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("subj01"), []byte("subj05")) }
	edit(t, s.path(nsdInfoFile), renamed)
	edit(t, s.path(nsdFile), renamed)
	edit(t, s.path(nsdRoot+"/nsddata/ppdata/subj05/behav/responses.tsv"), func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte("\n1\t"), []byte("\n5\t"))
	})

	// In the design the two change places: in the set's tensor and in a file that is not compressed.
	const tensor = "design.subjectim_1based"
	st, err := weights.Open(filepath.Join(largeSet, "nsd/expected.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	images, err := st.Int64(tensor)
	if err != nil {
		t.Fatal(err)
	}
	_, shape, _ := st.Info(tensor)
	swapped := slices.Clone(images)
	for i := range shape[1] {
		swapped[i], swapped[4*shape[1]+i] = images[4*shape[1]+i], images[i]
	}
	ints := func(x []int64, byColumn bool) (b []byte) {
		for k := range x {
			if byColumn {
				k = k%shape[0]*shape[1] + k/shape[0]
			}
			b = binary.LittleEndian.AppendUint32(b, uint32(x[k]))
		}
		return b
	}
	edit(t, s.path(nsdFile), func(b []byte) []byte { return bytes.Replace(b, ints(images, false), ints(swapped, false), 1) })
	variant := s.path(nsdVariants + "nsd_expdesign_uncompressed_small_ints.mat")
	edit(t, variant, func(b []byte) []byte { return bytes.Replace(b, ints(images, true), ints(swapped, true), 1) })
	edit(t, s.path(nsdRoot+"/nsddata/experiments/nsd/nsd_expdesign.mat"), func([]byte) []byte {
		b, err := os.ReadFile(variant)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})

	sum, out, err := only(t, dir, "nsd")
	if err != nil || sum.Failed > 0 || strings.Contains(out, "subj01") || !strings.Contains(out, "nsd: subj05: z-scores by session") {
		t.Errorf("%+v, %v\n%s", sum, err, out)
	}
	edit(t, s.path(nsdInfoFile), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("subj05"), []byte("subj06")) })
	for _, name := range []string{"nsd: design", "nsd: subj06: averages", "nsd: surfaces"} {
		if sum, out, err := only(t, dir, name); err == nil || sum.Failed == 0 {
			t.Errorf("subj06, which the set has not: %+v, %v\n%s", sum, err, out)
		}
	}
}

// surfaceSet is a small set with surfaces of some subjects, whose tensors have these prefixes.
func surfaceSet(t *testing.T, subjects map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	s := &set{dir: dir}
	if err := os.Mkdir(filepath.Join(dir, "nsd"), 0o755); err != nil {
		t.Fatal(err)
	}
	var tensors []safetensors.Named
	var info []string
	for subject, prefix := range subjects {
		folder := s.path(nsdRoot + "/nsddata/freesurfer/" + subject)
		copyFiles(t, filepath.Join(folder, "surf"), "../../fmri/internal/freesurfer/testdata/lh.[wc]*")
		copyFiles(t, filepath.Join(folder, "label"), "../../fmri/internal/freesurfer/testdata/lh.parts.annot")
		tensor := func(name, file, variable string) {
			a, err := array.Read(filepath.Join(folder, file), variable)
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, safetensors.NamedF32(prefix+name, converted[float32](a.Data), a.Shape...))
		}
		tensor("lh.white.vertices", "surf/lh.white", "vertices")
		tensor("lh.faces", "surf/lh.white", "faces")
		tensor("lh.curv", "surf/lh.curv", "")
		tensor("lh.streams", "label/lh.parts.annot", "regions")
		tensor("lh.parts.rgba_table", "label/lh.parts.annot", "table")
		info = append(info, fmt.Sprintf("%q: {}", subject))
	}
	if err := safetensors.Write(s.path(nsdSurfaceFile), tensors, nil); err != nil {
		t.Fatal(err)
	}
	text := `{"subjects_with_data": {` + strings.Join(info, ", ") + `}}`
	if err := os.WriteFile(s.path(nsdInfoFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSurfacesOfTheSetsSubjects(t *testing.T) {
	for _, k := range []struct {
		name     string
		subjects map[string]string // and the beginnings of their tensors' names
		passes   bool
	}{
		{"one", map[string]string{"subj07": ""}, true},
		{"two, by name", map[string]string{"subj03": "subj03.", "subj07": "subj07."}, true},
		{"two, of which the set names one", map[string]string{"subj03": "subj03.", "subj07": "subj08."}, false},
		{"none", nil, false},
	} {
		sum, out, err := only(t, surfaceSet(t, k.subjects), "nsd: surfaces")
		if (err == nil) != k.passes || sum.Passed+sum.Failed != 1 {
			t.Errorf("%s: %+v, %v\n%s", k.name, sum, err, out)
		}
	}
	dir := surfaceSet(t, map[string]string{"subj07": ""})
	edit(t, filepath.Join(dir, nsdSurfaceFile), func(b []byte) []byte { b[len(b)-1] ^= 1; return b })
	if sum, out, err := only(t, dir, "nsd: surfaces"); err == nil {
		t.Errorf("another value: %+v\n%s", sum, out)
	}
}
