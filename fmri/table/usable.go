package table

import (
	"context"
	"fmt"
	"slices"
)

// Flaws are the columns of a table that nothing can be fitted from.
type Flaws struct {
	NaN      []int // NaN or infinite in some row
	Constant []int // alike in all rows
}

// Flaws looks through the table for columns that no fit can use, row by row.
func (t *Table) Flaws(ctx context.Context) (Flaws, error) {
	r, err := t.source.open()
	if err != nil {
		return Flaws{}, err
	}
	defer r.Close()
	width := t.Width()
	row, first := make([]float32, width), make([]float32, width)
	nan, varies := make([]bool, width), make([]bool, width)
	for i := range t.Len() {
		if err := ctx.Err(); err != nil {
			return Flaws{}, err
		}
		if err := r.read(row, i, 0, width); err != nil {
			return Flaws{}, err
		}
		if i == 0 {
			copy(first, row)
		}
		for j, v := range row {
			nan[j] = nan[j] || v-v != 0
			varies[j] = varies[j] || v != first[j]
		}
	}
	var f Flaws
	for j := range width {
		switch {
		case nan[j]:
			f.NaN = append(f.NaN, j)
		case !varies[j]:
			f.Constant = append(f.Constant, j)
		}
	}
	return f, nil
}

// Usable is the table's voxels without flaws; what they are is told in lines.
func (t *Table) Usable(ctx context.Context) (u *Table, told []string, err error) {
	f, err := t.Flaws(ctx)
	if err != nil {
		return nil, nil, err
	}
	if len(f.NaN)+len(f.Constant) == 0 {
		return t, nil, nil
	}
	var columns []int
	for j := range t.Width() {
		if _, nan := slices.BinarySearch(f.NaN, j); nan {
			continue
		}
		if _, alike := slices.BinarySearch(f.Constant, j); !alike {
			columns = append(columns, j)
		}
	}
	if len(columns) == 0 {
		return nil, nil, fmt.Errorf("%s: all %d columns are NaN in some row or alike in all, expected some that vary", t, t.Width())
	}
	if len(f.NaN) > 0 {
		told = append(told, fmt.Sprintf("left out: %s that are NaN in some row", t.Places(f.NaN)))
	}
	if len(f.Constant) > 0 {
		told = append(told, fmt.Sprintf("left out: %s that are alike in all rows", t.Places(f.Constant)))
	}
	if t.Cols.Voxels != nil {
		t = t.withPlaces()
	}
	u, err = t.Select(columns)
	return u, told, err
}

// Places says how many columns some are and where the first lies: "3 of 900 voxels, the first at [12 30 8],".
func (t *Table) Places(columns []int) string {
	what, first := "values", fmt.Sprintf("number %d", columns[0])
	if v := t.Cols.Voxels; v != nil {
		what, first = "voxels", fmt.Sprintf("column %d", columns[0])
		if v.XYZ != nil {
			first = fmt.Sprintf("at %v", v.XYZ[3*columns[0]:][:3])
		}
	}
	return fmt.Sprintf("%d of %d %s, the first %s,", len(columns), t.Width(), what, first)
}
