package table

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/tensor/linalg"
)

// A plain is what a table should be, with all its values in memory.
type plain struct {
	values linalg.Matrix[float32]
	rows   Rows
	voxels *Voxels
}

func (p plain) take(rows []int) plain {
	q := plain{p.values.Take(rows), Rows{N: len(rows)}, p.voxels}
	for _, r := range rows {
		if p.rows.Images != nil {
			q.rows.Images = append(q.rows.Images, p.rows.Images[r])
		}
		if p.rows.Counts != nil {
			q.rows.Counts = append(q.rows.Counts, p.rows.Counts[r])
		}
		if p.rows.Sessions != nil {
			q.rows.Sessions = append(q.rows.Sessions, p.rows.Sessions[r])
		}
		if p.rows.Names != nil {
			q.rows.Names = append(q.rows.Names, p.rows.Names[r])
		}
	}
	return q
}

func (p plain) columns(columns []int) plain {
	q := plain{linalg.New[float32](p.values.Rows, len(columns)), p.rows, nil}
	for k, c := range columns {
		for i := range p.values.Rows {
			q.values.Set(i, k, p.values.At(i, c))
		}
	}
	if v := p.voxels; v != nil {
		own := *v
		own.N, own.XYZ, own.Member = len(columns), nil, nil
		for _, c := range columns {
			if v.XYZ != nil {
				own.XYZ = append(own.XYZ, v.XYZ[3*c], v.XYZ[3*c+1], v.XYZ[3*c+2])
			}
			for r := range v.Regions {
				own.Member = append(own.Member, v.Member[c*len(v.Regions)+r])
			}
		}
		q.voxels = &own
	}
	return q
}

// A step is one view and what it does to plain values.
var steps = map[string]func(r *rand.Rand, x *Table, p plain) (*Table, plain, error){
	"Take": func(r *rand.Rand, x *Table, p plain) (*Table, plain, error) {
		rows := make([]int, 1+r.IntN(2*x.Len()))
		for i := range rows {
			rows[i] = r.IntN(x.Len())
		}
		v, err := x.Take(rows)
		return v, p.take(rows), err
	},
	"Select": func(r *rand.Rand, x *Table, p plain) (*Table, plain, error) {
		columns := make([]int, 1+r.IntN(2*x.Width()))
		for i := range columns {
			columns[i] = r.IntN(x.Width())
		}
		v, err := x.Select(columns)
		return v, p.columns(columns), err
	},
	"Shuffled": func(r *rand.Rand, x *Table, p plain) (*Table, plain, error) {
		seed := r.Uint64()
		q := p.take(rand.New(rand.NewPCG(seed, 0x5348_5546)).Perm(x.Len()))
		q.rows = p.rows // which stay where they are
		return x.Shuffled(seed), q, nil
	},
	"Region": func(r *rand.Rand, x *Table, p plain) (*Table, plain, error) {
		if p.voxels == nil || !slices.Contains(p.voxels.Regions, "late") {
			return x, p, nil
		}
		at := slices.Index(p.voxels.Regions, "late")
		var columns []int
		for c := range x.Width() {
			if p.voxels.Member[c*len(p.voxels.Regions)+at] == 1 {
				columns = append(columns, c)
			}
		}
		if columns == nil {
			_, err := x.Region("late")
			if err == nil || !strings.Contains(err.Error(), "no voxel in late, expected some") {
				return nil, p, fmt.Errorf("a region without voxels: %v", err)
			}
			return x, p, nil
		}
		v, err := x.Region("late")
		q := p.columns(columns)
		q.voxels.Chosen = []string{"late"}
		return v, q, err
	},
	"Beside": func(r *rand.Rand, x *Table, p plain) (*Table, plain, error) {
		other := x.Shuffled(9)
		q := p.take(rand.New(rand.NewPCG(9, 0x5348_5546)).Perm(x.Len()))
		v, err := Beside(x.Name, x, other, x)
		m := linalg.New[float32](x.Len(), 3*x.Width())
		for i := range m.Rows {
			copy(m.Row(i), slices.Concat(p.values.Row(i), q.values.Row(i), p.values.Row(i)))
		}
		return v, plain{m, p.rows, nil}, err
	},
	"ByImage": func(r *rand.Rand, x *Table, p plain) (*Table, plain, error) {
		if p.rows.Images == nil || len(x.Rows.Distinct()) < x.Len() {
			return x, p, nil
		}
		rows := r.Perm(x.Len())[:1+r.IntN(x.Len())]
		q := p.take(rows)
		v, err := x.ByImage(q.rows.Images)
		return v, q, err
	},
}

// Views of views of every backing are what the same operations make of plain values.
func TestViewsAreTheOperationsOnPlainValues(t *testing.T) {
	names := []string{"Take", "Select", "Shuffled", "Region", "Beside", "ByImage"}
	r := rand.New(rand.NewPCG(11, 0))
	for name, b := range backings(t) {
		for _, first := range names {
			x, p := b.table, plain{b.want, b.table.Rows, b.table.Cols.Voxels}
			did := []string{name}
			for step := first; len(did) < 4; step = names[r.IntN(len(names))] {
				did = append(did, step)
				var err error
				if x, p, err = steps[step](r, x, p); err != nil {
					t.Fatalf("%v: %v", did, err)
				}
			}
			t.Run(strings.Join(did, "/"), func(t *testing.T) {
				checkValues(t, x, p.values)
				if p.rows.N = p.values.Rows; !reflect.DeepEqual(x.Rows, p.rows) {
					t.Errorf("rows are %+v, want %+v", x.Rows, p.rows)
				}
				if !reflect.DeepEqual(x.Cols.Voxels, p.voxels) {
					t.Errorf("voxels are %+v, want %+v", x.Cols.Voxels, p.voxels)
				}
				if err := x.Cols.Check(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestViewsReject(t *testing.T) {
	x := made(t, "z", drawn(1, 3, 4), Rows{Images: []fmri.ImageID{7, 8, 7}}, Columns{})
	v := made(t, "train", drawn(1, 3, 4), Rows{Images: []fmri.ImageID{7, 8, 9}}, Columns{Voxels: grid(4)})
	unknown := made(t, "u", drawn(2, 3, 4), Rows{}, Columns{})
	short := made(t, "short", drawn(2, 2, 4), Rows{}, Columns{})
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(x.Take([]int{0, 3})), "z: rows [3], expected some of 3"},
		{second(x.Take([]int{-1, 5})), "z: rows [-1], expected some of 3"},
		{second(x.Take(nil)), "z: rows [], expected some of 3"},
		{second(x.Select([]int{4})), "z: columns [4], expected some of 4"},
		{second(x.Select([]int{})), "z: columns [], expected some of 4"},
		{second(x.Region("early")), "z: no regions are known of it, expected responses of voxels"},
		{second(v.Region("V9")), "train: no region V9 in it, expected one of early, late, none"},
		{second(v.Region("none")), "train: no voxel in none, expected some"},
		{second(Beside("b")), "table: b: no tables, expected some to stand side by side"},
		{second(Beside("b", x, short)), "short: its 2 rows are not those of z, which has 3; expected the same images in the same order"},
		{second(Beside("b", x, unknown, v)), "train: its 3 rows are not those of z"},
		{second(Beside("b", unknown, x, v)), "train: its 3 rows are not those of z"}, // though the first does not know its images
		{second(x.ByImage([]fmri.ImageID{8, 7})), "z: image 7 (0-based) has more than one row, expected one"},
		{second(x.ByImage([]fmri.ImageID{8, 9})), "z: image 9 (0-based) is not in it, expected one of its 2 images"},
		{second(unknown.ByImage([]fmri.ImageID{8})), "u: the images of its rows are not known, expected a table that says them"},
		{second(v.ByImage(nil)), "train: rows [], expected some of 3"},
	} {
		wantError(t, c.err, c.want)
	}
	if same, err := x.ByImage([]fmri.ImageID{7, 8, 7}); err != nil || same != x {
		t.Errorf("the images of its own rows: %v", err)
	}
	b, err := Beside("b", unknown, v)
	if err != nil || !slices.Equal(b.Rows.Images, v.Rows.Images) || b.Cols.Voxels != nil || b.Name != "b" || b.InMemory() != 2*3*4*4 {
		t.Errorf("beside one that knows its images: %+v, %v", b, err)
	}
}

func second[T any](_ T, err error) error { return err }

// One seed moves all tables of the same number of rows together, and every row to one place.
func TestShuffledMovesTablesTogether(t *testing.T) {
	ids := numbered(50, 0, 1)
	index := linalg.New[float32](50, 1)
	for i := range ids {
		index.Data[i] = float32(i)
	}
	a, b := made(t, "a", index, Rows{Images: ids}, Columns{}), made(t, "b", index.Clone(), Rows{}, Columns{})
	x, y := matrix(t, a.Shuffled(3)).Data, matrix(t, b.Shuffled(3)).Data
	if !slices.Equal(x, y) || slices.Equal(x, index.Data) || slices.Equal(x, matrix(t, a.Shuffled(4)).Data) {
		t.Errorf("orders %v and %v", x, y)
	}
	if !slices.Equal(a.Shuffled(3).Rows.Images, ids) {
		t.Error("images moved with their values")
	}
	slices.Sort(x)
	if !slices.Equal(x, index.Data) {
		t.Errorf("rows are %v, want each once", x)
	}
}

func TestJoin(t *testing.T) {
	meta := map[string]string{"feature": "z"}
	of := func(name string, m map[string]string, images ...fmri.ImageID) *Table {
		x := made(t, name, drawn(uint64(len(images)), len(images), 3), Rows{Images: images}, Columns{})
		x.Meta = m
		return x
	}
	unknown := func(name string, rows int) *Table { return made(t, name, drawn(5, rows, 3), Rows{}, Columns{}) }
	for _, c := range []struct {
		what   string
		x, y   *Table
		images []fmri.ImageID // of both; nil: the rows stay as they are
		want   string         // or the error
	}{
		{"same", of("x", nil, 4, 2, 9), of("y", meta, 4, 2, 9), []fmri.ImageID{4, 2, 9}, ""},
		{"another order: that of x", of("x", nil, 4, 2, 9), of("y", meta, 9, 4, 2), []fmri.ImageID{4, 2, 9}, ""},
		{"y has more", of("x", nil, 4, 2), of("y", meta, 9, 4, 2), []fmri.ImageID{4, 2}, ""},
		{"x has more: the order of y", of("x", nil, 4, 2, 9), of("y", meta, 9, 4), []fmri.ImageID{9, 4}, ""},
		{"trials of x", of("x", nil, 4, 2, 4), of("y", meta, 9, 4, 2), []fmri.ImageID{4, 2, 4}, ""},
		{"trials of y", of("x", nil, 4, 2, 9), of("y", meta, 9, 9, 2), []fmri.ImageID{9, 9, 2}, ""},
		{"the same trials in both", of("x", nil, 4, 2, 4), of("y", nil, 4, 2, 4), []fmri.ImageID{4, 2, 4}, ""},
		{"trials of both in other orders", of("x", nil, 4, 2, 4), of("y", nil, 4, 4, 2), nil,
			"x: image 4 (0-based) has more than one row, expected one"},
		{"trials of y of more images", of("x", nil, 4, 2), of("y", nil, 4, 4, 2, 9), nil,
			"x: image 9 (0-based) of y is not in it, expected a row of each of its images"},
		{"trials of y that x lacks", of("x", nil, 4, 2, 1), of("y", nil, 4, 4, 2, 9), nil,
			"y: image 1 (0-based) of x is not in it, expected a row of each of its images"},
		{"nothing in common", of("x", nil, 4), of("y", meta, 5), nil, "y: image 4 (0-based) of x is not in it"},
		{"images of neither", unknown("x", 3), unknown("y", 3), nil, ""},
		{"of neither, other numbers", unknown("x", 3), unknown("y", 4), nil, "y: 4 rows, expected 3 as of x"},
		{"of x alone, in memory", of("x", nil, 4, 2, 1), unknown("y", 3), nil, ""},
		{"of y alone, in memory", unknown("x", 2), of("y", nil, 4, 2), nil, ""},
		{"of y alone, a file of features", unknown("x", 2), of("y", meta, 4, 2), nil,
			"y: has features by image, but the images of the rows of x are not known, expected --images FILE"},
		{"of x alone, a file of features", of("x", meta, 4, 2), unknown("y", 2), nil,
			"x: has features by image, but the images of the rows of y are not known"},
		{"of x alone, other numbers", of("x", nil, 4, 2), unknown("y", 3), nil, "y: 3 rows, expected 2 as of x"},
		{"one row", of("x", nil, 4), of("y", meta, 5, 4), []fmri.ImageID{4}, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			x, y, err := Join(c.x, c.y)
			if c.want != "" {
				wantError(t, err, c.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.images == nil {
				if x != c.x || y != c.y {
					t.Error("rows that meet in their order are not what they were")
				}
				return
			}
			for _, side := range []struct{ joined, of *Table }{{x, c.x}, {y, c.y}} {
				if !slices.Equal(side.joined.Rows.Images, c.images) || side.joined.Sum != side.of.Sum {
					t.Errorf("%s has images %v, want %v, and the sum of the whole", side.of, side.joined.Rows.Images, c.images)
					continue
				}
				got, from := matrix(t, side.joined), matrix(t, side.of)
				for i, id := range c.images {
					at := slices.Index(side.of.Rows.Images, id)
					if len(c.images) == side.of.Len() && slices.Equal(c.images, side.of.Rows.Images) {
						at = i
					}
					if !slices.Equal(got.Row(i), from.Row(at)) {
						t.Errorf("%s: row %d is not that of image %d", side.of, i, id)
					}
				}
			}
		})
	}
}
