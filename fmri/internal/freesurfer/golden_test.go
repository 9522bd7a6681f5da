package freesurfer

import (
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

func expected(t *testing.T) *golden.Tensors { return golden.Open(t, "testdata/expected.safetensors") }

func data(name string) string { return filepath.Join("testdata", name) }

func flat[T any](x [][3]T) []T {
	var out []T
	for _, v := range x {
		out = append(out, v[:]...)
	}
	return out
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// TestMGH reads all types as nibabel reads them: values, orientation, single frames and single voxels.
func TestMGH(t *testing.T) {
	want := expected(t)
	for _, c := range []struct {
		name   string
		dims   [4]int
		typ    DataType
		footer int
	}{
		{"u8.mgz", [4]int{3, 4, 5, 2}, Uint8, 20}, {"i16.mgh", [4]int{3, 4, 5, 2}, Int16, 20}, {"i32.mgh", [4]int{3, 4, 5, 1}, Int32, 20},
		{"f32.mgh", [4]int{3, 4, 5, 7}, Float32, 44}, {"f32.mgz", [4]int{40, 1, 1, 6}, Float32, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := OpenMGH(data(c.name))
			if err != nil {
				t.Fatal(err)
			}
			if m.Dims != c.dims || m.Type != c.typ || m.DOF != 12 || !m.GoodRAS {
				t.Errorf("header %+v", m.Header)
			}
			key := strings.ReplaceAll(c.name, ".", "_")
			ref := golden.Values[float64](want, key)
			got, err := m.ReadAll64()
			if err != nil || !slices.Equal(got, ref) {
				t.Fatalf("values %v (%v), want %v", got, err, ref)
			}
			for key, a := range map[string][4][4]float64{key + ".affine": m.Affine(), key + ".tkr": surfaceAffine(m)} {
				for i, w := range golden.Values[float64](want, key) {
					if math.Abs(a[i/4][i%4]-w) > 1e-5 { // nibabel multiplies in float32
						t.Errorf("%s is %v, at %d,%d want %v", key, a, i/4, i%4, w)
					}
				}
			}
			if f, err := footer(m); err != nil || len(f) != c.footer {
				t.Errorf("footer of %d bytes (%v), want %d", len(f), err, c.footer)
			}
			if c.typ == Int32 {
				if _, err := m.ReadAll(); err == nil || !strings.Contains(err.Error(), "float32 cannot hold exactly") {
					t.Errorf("32-bit integers as float32: %v", err)
				}
				return
			}
			checkParts(t, m, ref)
		})
	}
}

// surfaceAffine is vox2ras-tkr: the origin is the volume's centre, the axes those of a coronal volume.
func surfaceAffine(m *Image) [4][4]float64 {
	delta, _, _ := m.orientation()
	return Header{Dims: m.Dims, GoodRAS: true, Delta: delta, Axes: [3][3]float32{{-1, 0, 0}, {0, 0, -1}, {0, 1, 0}}}.Affine()
}

// footer is what follows the values.
func footer(m *Image) ([]byte, error) {
	s, err := m.file.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	b, err := io.ReadAll(s.Reader())
	return b[min(len(b), mghHeader+m.Type.Size()*m.Voxels()*m.Frames()):], err
}

// checkParts reads all values as float32 and some voxels and compares them with all values.
func checkParts(t *testing.T, m *Image, ref []float64) {
	t.Helper()
	vox := m.Voxels()
	all, err := m.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range all {
		if v != float32(ref[i]) {
			t.Fatalf("value %d is %v, want %v", i, v, ref[i])
		}
	}
	for _, index := range [][]int{{}, {0}, {vox - 1}, {5, 3, 5, vox - 1, 0}} {
		got := make([]float32, m.Frames()*len(index))
		if err := readVoxels(m, got, index); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if w := ref[i/len(index)*vox+index[i%len(index)]]; v != float32(w) {
				t.Fatalf("voxels %v: value %d is %v, want %v", index, i, v, w)
			}
		}
	}
	for _, index := range [][]int{{-1}, {vox}} {
		if err := readVoxels(m, make([]float32, m.Frames()), index); err == nil {
			t.Errorf("voxel %d was read", index[0])
		}
	}
}

func TestSurface(t *testing.T) {
	want := expected(t)
	for _, name := range []string{"lh.white", "lh.plain"} {
		s, err := ReadSurface(data(name))
		if err != nil {
			t.Fatal(err)
		}
		if s.Comment != "created by make.py" {
			t.Errorf("comment %q", s.Comment)
		}
		if !slices.Equal(flat(s.Vertices), wide(golden.Values[float32](want, "vertices"))) ||
			!slices.Equal(flat(s.Faces), golden.Values[int32](want, "faces")) {
			t.Errorf("%s: %v %v", name, s.Vertices, s.Faces)
		}
	}
}

func TestCurv(t *testing.T) {
	c, err := ReadCurv(data("lh.curv"))
	if err != nil {
		t.Fatal(err)
	}
	if want := wide(golden.Values[float32](expected(t), "curv")); !slices.Equal(c.Values, want) || c.Faces != 32 {
		t.Errorf("%+v, want %v", c, want)
	}
}

func TestAnnot(t *testing.T) {
	want := expected(t)
	regions := golden.Values[int32](want, "annot.regions")
	table := golden.Values[int32](want, "annot.table")
	for _, name := range []string{"lh.parts.annot", "lh.old.annot", "lh.shuffled.annot"} {
		a, err := ReadAnnot(data(name))
		if err != nil {
			t.Fatal(err)
		}
		for v, r := range a.Regions {
			w := regions[v]
			if v == 3 && name != "lh.parts.annot" {
				w = -1
			}
			if r != w {
				t.Errorf("%s: vertex %d is in region %d, want %d", name, v, r, w)
			}
		}
		for i, e := range a.Table {
			row := table[5*i:]
			if e.Name != []string{"Unknown", "V1", "V2 dorsal", "café"}[i] || int32(e.R) != row[0] || int32(e.G) != row[1] ||
				int32(e.B) != row[2] || 255-int32(e.A) != row[3] || e.code() != row[4] {
				t.Errorf("%s: entry %d is %+v, want %v", name, i, e, row[:5])
			}
			number := map[string]int{"lh.parts.annot": i, "lh.old.annot": i, "lh.shuffled.annot": 2 * i}[name]
			if e.Number != number {
				t.Errorf("%s: entry %d has number %d, want %d", name, i, e.Number, number)
			}
		}
	}
}

func TestLabel(t *testing.T) {
	want := expected(t)
	l, err := ReadLabel(data("lh.V1.label"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l.Index, golden.Values[int32](want, "label.index")) ||
		!slices.Equal(l.Values, golden.Values[float32](want, "label.values")) {
		t.Errorf("%+v", l)
	}
}

func TestPatch(t *testing.T) {
	want := expected(t)
	p, err := ReadPatch(data("lh.flat.patch.3d"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Index, golden.Values[int32](want, "patch.index")) ||
		!slices.Equal(flat(p.XYZ), golden.Values[float32](want, "patch.xyz")) {
		t.Errorf("%+v", p)
	}
	for i, w := range golden.Values[uint8](want, "patch.border") {
		if p.Border[i] != (w == 1) {
			t.Errorf("vertex %d: border %v", p.Index[i], p.Border[i])
		}
	}
}

// readVoxels is ReadVoxels with the values as numbers.
func readVoxels(m *Image, dst []float32, index []int) error {
	stored := make([]byte, len(dst)*m.Type.Size())
	if err := m.ReadVoxels(stored, index); err != nil {
		return err
	}
	for i := range dst {
		dst[i] = float32(m.value(stored[i*m.Type.Size():]))
	}
	return nil
}
