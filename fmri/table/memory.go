package table

import (
	"cmp"
	"fmt"

	"percept/tensor/linalg"
)

// New makes a table of values in memory, which are not copied and must not be changed from then on.
//
//	x  [rows.N, columns]
//
// A Rows without a number of rows, and Columns without a shape, take those of x. Its Sum is that of the values.
func New(name string, x linalg.Matrix[float32], rows Rows, cols Columns) (*Table, error) {
	if rows.N == 0 {
		rows.N = x.Rows
	}
	if cols.Shape == nil {
		cols.Shape = []int{x.Cols}
	}
	if v := cols.Voxels; v != nil {
		own := *v
		own.N = x.Cols
		cols.Voxels = &own
	}
	if !x.HasRows() || x.Rows < 1 || x.Rows != rows.N {
		return nil, fmt.Errorf("table: %s: values of %d×%d, expected %d rows, 1 or more, one after the other", name, x.Rows, x.Cols, rows.N)
	}
	if err := cmp.Or(cols.Check(), rows.check()); err != nil {
		return nil, fmt.Errorf("table: %s: %w", name, err)
	}
	if x.Cols != cols.N() {
		return nil, fmt.Errorf("table: %s: values of %d×%d, expected %s columns", name, x.Rows, x.Cols, cols)
	}
	t := &Table{Name: name, Rows: rows, Cols: cols, source: memory{x}}
	var ids []int
	for _, id := range rows.Images {
		ids = append(ids, int(id))
	}
	parts := []any{"memory", cols.Shape, ids}
	for i := range x.Rows {
		parts = append(parts, x.Row(i))
	}
	t.Sum = sumOf(parts...)
	return t, nil
}

type memory struct{ x linalg.Matrix[float32] }

func (m memory) open() (reader, error) { return m, nil }
func (m memory) Close() error          { return nil }

func (m memory) read(dst []float32, i, lo, hi int) error {
	copy(dst, m.x.Row(i)[lo:hi])
	return nil
}

// InMemory is how many bytes of memory the values of the table take, or those that it is a view of; none where they are in a
// file.
func (t *Table) InMemory() int64 { return t.source.held() }

func (m memory) held() int64 { return 4 * int64(len(m.x.Data)) }
