package freesurfer

import (
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
			for key, a := range map[string][4][4]float64{key + ".affine": m.Affine(), key + ".tkr": m.SurfaceAffine()} {
				for i, w := range golden.Values[float64](want, key) {
					if math.Abs(a[i/4][i%4]-w) > 1e-5 { // nibabel multiplies in float32
						t.Errorf("%s is %v, at %d,%d want %v", key, a, i/4, i%4, w)
					}
				}
			}
			if f, err := m.Footer(); err != nil || len(f) != c.footer {
				t.Errorf("footer of %d bytes (%v), want %d", len(f), err, c.footer)
			}
			if c.typ == Int32 {
				if _, err := m.ReadAll(); err == nil || !strings.Contains(err.Error(), "float32 cannot hold exactly") {
					t.Errorf("32-bit integers as float32: %v", err)
				}
				ints, err := m.ReadInts()
				if err != nil || float64(ints[7]) != ref[7] {
					t.Errorf("ReadInts: %v", err)
				}
				return
			}
			checkParts(t, m, ref)
		})
	}
}

// checkParts reads frames and voxels and compares them with all values.
func checkParts(t *testing.T, m *Image, ref []float64) {
	t.Helper()
	vox := m.Voxels()
	for first := range m.Frames() {
		for n := range m.Frames() - first + 1 {
			got := make([]float32, n*vox)
			if err := m.ReadFrames(got, first); err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if v != float32(ref[first*vox+i]) {
					t.Fatalf("frame %d and %d more: value %d is %v, want %v", first, n, i, v, ref[first*vox+i])
				}
			}
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
	if err := m.ReadFrames(make([]float32, vox), m.Frames()); err == nil {
		t.Error("a frame after the last was read")
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
		if !slices.Equal(flat(s.Vertices), golden.Values[float32](want, "vertices")) || !slices.Equal(flat(s.Faces), golden.Values[int32](want, "faces")) {
			t.Errorf("%s: %v %v", name, s.Vertices, s.Faces)
		}
		g, ok, err := s.Geometry()
		if ok != (name == "lh.white") || err != nil {
			t.Errorf("%s: geometry %v %v", name, ok, err)
		}
		if ok && (g.Volume != [3]int{256, 256, 256} || g.Center != [3]float64{5.3997, 18, -0.25} || g.Axes[1] != [3]float64{0, 0, -1}) {
			t.Errorf("geometry %+v", g)
		}
	}
}

func TestCurv(t *testing.T) {
	c, err := ReadCurv(data("lh.curv"))
	if err != nil {
		t.Fatal(err)
	}
	if want := golden.Values[float32](expected(t), "curv"); !slices.Equal(c.Values, want) || c.Faces != 32 {
		t.Errorf("%+v, want %v", c, want)
	}
	back := filepath.Join(t.TempDir(), "lh.copy")
	if err := WriteCurv(back, c); err != nil {
		t.Fatal(err)
	}
	if again, err := ReadCurv(back); err != nil || !slices.Equal(again.Values, c.Values) || again.Faces != c.Faces {
		t.Errorf("written and read: %+v %v", again, err)
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
			if e.Name != []string{"Unknown", "V1", "V2 dorsal", "café"}[i] || int32(e.R) != row[0] || int32(e.G) != row[1] || int32(e.B) != row[2] || 255-int32(e.A) != row[3] || e.code() != row[4] {
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
	if !slices.Equal(l.Index, golden.Values[int32](want, "label.index")) || !slices.Equal(l.Values, golden.Values[float32](want, "label.values")) {
		t.Errorf("%+v", l)
	}
	back := filepath.Join(t.TempDir(), "copy.label")
	if err := WriteLabel(back, l); err != nil {
		t.Fatal(err)
	}
	again, err := ReadLabel(back)
	if err != nil || !slices.Equal(again.Index, l.Index) || !slices.Equal(again.Values, l.Values) || !slices.Equal(again.XYZ, l.XYZ) {
		t.Errorf("written and read: %+v %v, want %+v", again, err, l)
	}
}

func TestPatch(t *testing.T) {
	want := expected(t)
	p, err := ReadPatch(data("lh.flat.patch.3d"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSurface(data("lh.white"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Index, golden.Values[int32](want, "patch.index")) || !slices.Equal(flat(p.XYZ), golden.Values[float32](want, "patch.xyz")) {
		t.Errorf("%+v", p)
	}
	for i, w := range golden.Values[uint8](want, "patch.border") {
		if p.Border[i] != (w == 1) {
			t.Errorf("vertex %d: border %v", p.Index[i], p.Border[i])
		}
	}
	if faces := golden.Values[int32](want, "patch.faces"); !slices.Equal(flat(p.Faces(s.Faces)), faces) {
		t.Errorf("faces %v, want %v", p.Faces(s.Faces), faces)
	}
}

// readVoxels is ReadVoxels with the values as numbers.
func readVoxels(m *Image, dst []float32, index []int) error {
	stored := make([]byte, len(dst)*m.Type.Size())
	if err := m.ReadVoxels(stored, index); err != nil {
		return err
	}
	return m.decode(dst, stored, len(dst))
}
