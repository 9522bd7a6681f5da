package table

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"percept/fmri"
	"percept/tensor/linalg"
)

// matrix is all values of a table.
func matrix(t testing.TB, of *Table) linalg.Matrix[float32] {
	t.Helper()
	m, err := of.Matrix(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// drawn is whole numbers from −300 to 300, which every format holds, none twice in a row of the matrix or of a test.
func drawn(seed uint64, rows, cols int) linalg.Matrix[float32] {
	m, order := linalg.New[float32](rows, cols), rand.New(rand.NewPCG(seed, 7)).Perm(601)
	for i := range m.Data {
		m.Data[i] = float32(order[i%601] - 300)
	}
	return m
}

// numbered is n images, step apart from first.
func numbered(n, first, step int) []fmri.ImageID {
	ids := make([]fmri.ImageID, n)
	for i := range ids {
		ids[i] = fmri.ImageID(first + step*i)
	}
	return ids
}

// made is a table in memory.
func made(t testing.TB, name string, m linalg.Matrix[float32], rows Rows, cols Columns) *Table {
	t.Helper()
	x, err := New(name, m, rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// grid is n voxels of one subject, every second of them in region late and all in region early but the last.
func grid(n int) *Voxels {
	v := &Voxels{N: n, Subject: "subj02", Space: "func1pt8mm", Betas: "b3", Scale: SessionScores, Volume: [3]int{4, 50, 2},
		Regions: []string{"early", "late", "none"}}
	for i := range n {
		v.XYZ = append(v.XYZ, int32(i%4), int32(i/4), 1)
		v.Member = append(v.Member, uint8(min(1, n-1-i)), uint8(i%2), 0)
	}
	return v
}

// checkValues reads a table in every way and compares what comes with plain values.
func checkValues(t *testing.T, of *Table, want linalg.Matrix[float32]) {
	t.Helper()
	if of.Len() != want.Rows || of.Width() != want.Cols || of.Sum == "" {
		t.Errorf("%d×%d with sum %q, want %d×%d", of.Len(), of.Width(), of.Sum, want.Rows, want.Cols)
		return
	}
	last := max(0, want.Cols-3)
	for _, c := range [][2]int{{0, want.Cols}, {0, 1}, {want.Cols - 1, want.Cols}, {last, want.Cols},
		{want.Cols / 2, want.Cols/2 + 1}, {0, 0}, {want.Cols, want.Cols}} {
		got, err := of.Slab(t.Context(), c[0], c[1])
		if err != nil || got.Rows != want.Rows || got.Cols != c[1]-c[0] {
			t.Errorf("columns %d to %d: %d×%d, %v", c[0], c[1], got.Rows, got.Cols, err)
			return
		}
		for i := range got.Rows {
			if !slices.Equal(got.Row(i), want.Row(i)[c[0]:c[1]]) {
				t.Errorf("columns %d to %d of row %d are %v, want %v", c[0], c[1], i, got.Row(i), want.Row(i)[c[0]:c[1]])
				return
			}
		}
	}
	r, err := of.Open()
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	row := make([]float32, want.Cols)
	for i := want.Rows - 1; i >= 0; i-- {
		if err := r.Row(row, i); err != nil || !slices.Equal(row, want.Row(i)) {
			t.Errorf("row %d is %v, want %v (%v)", i, row, want.Row(i), err)
			return
		}
	}
	for _, c := range [][2]int{{-1, 1}, {0, want.Cols + 1}, {1, 0}} {
		_, err := of.Slab(t.Context(), c[0], c[1])
		wantError(t, err, of.String()+": columns ", "expected some of ")
	}
	for _, i := range []int{-1, want.Rows} {
		wantError(t, r.Row(row, i), of.String()+": row ", "expected one of ")
	}
	wantError(t, r.Row(row[:want.Cols-1], 0), "expected one of ")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := of.Matrix(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Every backing hands out its values in every way, and to several readers at once.
func TestBackings(t *testing.T) {
	for name, b := range backings(t) {
		t.Run(name, func(t *testing.T) {
			checkValues(t, b.table, b.want)
			var group sync.WaitGroup
			for k := range 4 {
				group.Go(func() {
					if k%2 == 0 {
						checkValues(t, b.table, b.want)
						return
					}
					taken, err := b.table.Take([]int{b.want.Rows - 1, 0, 0})
					if err != nil {
						t.Error(err)
						return
					}
					checkValues(t, taken, b.want.Take([]int{b.want.Rows - 1, 0, 0}))
				})
			}
			group.Wait()
		})
	}
}

func TestNew(t *testing.T) {
	m := drawn(1, 3, 6)
	v := grid(6)
	v.N = 0 // is that of the values
	x := made(t, "z", m, Rows{Images: numbered(3, 5, 2), Counts: []int{1, 2, 3}}, Columns{Shape: []int{6}, Voxels: v})
	if x.Rows.N != 3 || x.Cols.Voxels.N != 6 || v.N != 0 || x.String() != "z" || x.InMemory() != 3*6*4 {
		t.Errorf("%+v with %+v, %d bytes", x, x.Cols.Voxels, x.InMemory())
	}
	if y := made(t, "z", m, Rows{}, Columns{}); y.Rows.N != 3 || y.Cols.String() != "6" {
		t.Errorf("without rows and columns: %+v", y)
	}
	short := linalg.Matrix[float32]{Rows: 3, Cols: 6, Stride: 6, Data: m.Data[:17]}
	for _, c := range []struct {
		what string
		m    linalg.Matrix[float32]
		rows Rows
		cols Columns
		want string
	}{
		{"transposed", m.T(), Rows{}, Columns{}, "values of 6×3, expected 6 rows, 1 or more, one after the other"},
		{"too short", short, Rows{}, Columns{}, "values of 3×6, expected 3 rows"},
		{"no row", linalg.New[float32](0, 6), Rows{}, Columns{}, "values of 0×6, expected 0 rows, 1 or more"},
		{"no column", linalg.New[float32](3, 0), Rows{}, Columns{}, "shape [0], expected sides of 1 or more"},
		{"other rows", m, Rows{N: 4}, Columns{}, "values of 3×6, expected 4 rows"},
		{"other columns", m, Rows{}, Columns{Shape: []int{2, 4}}, "values of 3×6, expected 2×4 columns"},
		{"negative sides", m, Rows{}, Columns{Shape: []int{-2, -3}}, "shape [-2 -3], expected sides of 1 or more"},
		{"a product that overflows to 4", drawn(1, 3, 4), Rows{}, Columns{Shape: []int{4, 1<<62 + 1}},
			"expected sides of 1 or more and at most"},
		{"images", m, Rows{Images: numbered(2, 0, 1)}, Columns{}, "2 images of 3 rows, expected one of each"},
		{"counts", m, Rows{Counts: []int{}}, Columns{}, "0 counts of 3 rows"},
		{"sessions", m, Rows{Sessions: []int{1}}, Columns{}, "1 sessions of 3 rows"},
		{"names", m, Rows{Names: make([]string, 4)}, Columns{}, "4 names of 3 rows"},
		{"1-based images taken from 0", m, Rows{Images: numbered(3, -1, 1)}, Columns{}, "image -1 of row 0, expected 0-based numbers"},
		{"coordinates", m, Rows{}, Columns{Voxels: &Voxels{XYZ: make([]int32, 17)}}, "17 coordinates of 6 voxels, expected three of each"},
		{"memberships", m, Rows{}, Columns{Voxels: &Voxels{Regions: []string{"V1"}}}, "0 memberships of 6 voxels in 1 regions"},
	} {
		x, err := New("z", c.m, c.rows, c.cols)
		if wantError(t, err, "table: z: ", c.want); x != nil {
			t.Errorf("%s: a table came with the error", c.what)
		}
	}
}

// A value that is no number is named wherever it is read.
func TestNoNumberIsNamed(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		m := drawn(2, 3, 4)
		m.Set(1, 2, bad)
		x := made(t, "z", m, Rows{Images: numbered(3, 50, 1)}, Columns{})
		views := map[string]*Table{"": x, "shuffled": x.Shuffled(0)}
		var err error
		if views["selected"], err = x.Select([]int{3, 2}); err != nil {
			t.Fatal(err)
		}
		for name, v := range views {
			_, err := v.Matrix(t.Context())
			wantError(t, err, "z: row ", "(image 5", "expected a finite number")
			r, err := v.Open()
			if err != nil {
				t.Fatal(err)
			}
			failed := 0
			for i := range 3 {
				if r.Row(make([]float32, v.Width()), i) != nil {
					failed++
				}
			}
			if failed != 1 {
				t.Errorf("%s: %d rows have a value that is no number, want 1", name, failed)
			}
		}
		if _, err := x.Slab(t.Context(), 0, 2); err != nil {
			t.Errorf("columns without it: %v", err)
		}
		_, err = x.Matrix(t.Context())
		wantError(t, err, "row 1 (image 51), column 2")
	}
}

// What callers append to a table's rows and columns is not seen by others.
func TestRowsAndColumnsShareNoRoom(t *testing.T) {
	for name, b := range backings(t) {
		r := b.table.Rows
		if cap(r.Images) != len(r.Images) || cap(r.Counts) != len(r.Counts) ||
			cap(r.Sessions) != len(r.Sessions) || cap(r.Names) != len(r.Names) {
			t.Errorf("%s: rows have room behind them that two callers might fill", name)
		}
		if v := b.table.Cols.Voxels; v != nil && (cap(v.XYZ) != len(v.XYZ) || cap(v.Member) != len(v.Member)) {
			t.Errorf("%s: voxels have room behind them", name)
		}
	}
	x := made(t, "train", drawn(3, 2, 9), Rows{}, Columns{Voxels: grid(9)})
	asked := []string{"early", "late"}[:1]
	region, err := x.Region(asked...)
	if err != nil {
		t.Fatal(err)
	}
	asked[0] = "changed"
	named := region.Cols.Voxels.Named()
	named[0] = "changed"
	if got := region.Cols.Voxels.Chosen; !slices.Equal(got, []string{"early"}) {
		t.Errorf("regions that were asked for became %v", got)
	}
	rows := []int{1, 0}
	taken, err := x.Take(rows)
	if err != nil {
		t.Fatal(err)
	}
	rows[0] = 0
	checkValues(t, taken, matrix(t, x).Take([]int{1, 0}))
}

// Sums tell apart what Rows and Cols do not.
func TestSums(t *testing.T) {
	m, other := drawn(4, 4, 6), drawn(4, 4, 6)
	other.Data[23]++
	x := made(t, "z", m, Rows{Images: numbered(4, 0, 1)}, Columns{Shape: []int{2, 3}})
	v := made(t, "v", m, Rows{}, Columns{Voxels: grid(6)})
	is := func(x *Table, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return x.Sum
	}
	early, err := v.Region("early") // five of the six
	if err != nil {
		t.Fatal(err)
	}
	late, err := v.Region("late")
	if err != nil {
		t.Fatal(err)
	}
	otherLate, err := made(t, "v", other, Rows{}, Columns{Voxels: grid(6)}).Region("late")
	if err != nil {
		t.Fatal(err)
	}
	fiveOf, err := v.Select([]int{1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for what, sum := range map[string]string{
		"the table":                    x.Sum,
		"other values":                 made(t, "z", other, Rows{Images: numbered(4, 0, 1)}, Columns{Shape: []int{2, 3}}).Sum,
		"other images":                 made(t, "z", m, Rows{Images: numbered(4, 1, 1)}, Columns{Shape: []int{2, 3}}).Sum,
		"unknown images":               made(t, "z", m, Rows{}, Columns{Shape: []int{2, 3}}).Sum,
		"another shape":                made(t, "z", m, Rows{Images: numbered(4, 0, 1)}, Columns{Shape: []int{6}}).Sum,
		"rows 1, 2":                    is(x.Take([]int{1, 2})),
		"rows 2, 1":                    is(x.Take([]int{2, 1})),
		"columns 1, 2":                 is(x.Select([]int{1, 2})),
		"columns 2, 1":                 is(x.Select([]int{2, 1})),
		"shuffled":                     x.Shuffled(1).Sum,
		"shuffled otherwise":           x.Shuffled(2).Sum,
		"beside itself":                is(Beside("b", x, x)),
		"beside another":               is(Beside("b", x, v)),
		"another first":                is(Beside("b", v, x)),
		"one region beside nothing":    is(Beside("b", early)),
		"five voxels beside nothing":   is(Beside("b", fiveOf)),
		"a region beside":              is(Beside("b", v, late)),
		"a region of others beside":    is(Beside("b", v, otherLate)),
		"a region beside, the larger":  is(Beside("b", v, early)),
		"the columns of a region":      is(late.Select([]int{1})),
		"the rows of a region":         is(late.Take([]int{1})),
		"shuffled region":              late.Shuffled(1).Sum,
		"rows of a shuffled table":     is(x.Shuffled(1).Take([]int{0, 1, 2, 3})),
		"the table's rows, one by one": is(x.Take([]int{0, 1, 2, 3})),
	} {
		if before, twice := sums[sum]; twice {
			t.Errorf("%s has the sum of %s", what, before)
		}
		sums[sum] = what
	}
	again := made(t, "z", m.Clone(), Rows{Images: numbered(4, 0, 1)}, Columns{Shape: []int{2, 3}})
	if again.Sum != x.Sum || is(again.Take([]int{1, 2})) != is(x.Take([]int{1, 2})) {
		t.Error("the same table has another sum")
	}
	// What a part was asked for, its columns and rows say; models keep the sum of the whole and those.
	one, err := x.ByImage(numbered(2, 1, 1))
	if err != nil || one.Sum != x.Sum || late.Sum != v.Sum {
		t.Errorf("a region or rows by image have another sum than the whole (%v)", err)
	}
}
