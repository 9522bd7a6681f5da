package linalg

import "fmt"

// Float is the type of an element.
type Float interface{ float32 | float64 }

// Matrix is a view of Rows × Cols numbers in Data, row after row, Stride apart; with Trans, column after column.
type Matrix[E Float] struct {
	Rows, Cols int
	Stride     int // from one row to the next (with Trans, one column), at least as long as a row
	Data       []E
	Trans      bool
}

// New returns a matrix of zeros.
func New[E Float](rows, cols int) Matrix[E] { return Of(make([]E, rows*cols), rows, cols) }

// Of returns data, which has rows·cols elements, as a matrix.
func Of[E Float](data []E, rows, cols int) Matrix[E] {
	if len(data) != rows*cols {
		panic(fmt.Sprintf("linalg: Of: %d elements, expected %d for %d×%d", len(data), rows*cols, rows, cols))
	}
	return Matrix[E]{Rows: rows, Cols: cols, Stride: cols, Data: data}
}

// T returns the transposed view of m.
func (m Matrix[E]) T() Matrix[E] {
	m.Rows, m.Cols, m.Trans = m.Cols, m.Rows, !m.Trans
	return m
}

// Slice returns the view of rows i0 … i1-1 and columns j0 … j1-1.
func (m Matrix[E]) Slice(i0, i1, j0, j1 int) Matrix[E] {
	if i0 < 0 || i1 < i0 || i1 > m.Rows || j0 < 0 || j1 < j0 || j1 > m.Cols {
		panic(fmt.Sprintf("linalg: Slice: rows %d to %d, columns %d to %d of %d×%d", i0, i1, j0, j1, m.Rows, m.Cols))
	}
	s := Matrix[E]{Rows: i1 - i0, Cols: j1 - j0, Stride: m.Stride, Trans: m.Trans}
	if i1 > i0 && j1 > j0 {
		s.Data = m.Data[m.index(i0, j0) : m.index(i1-1, j1-1)+1]
	}
	return s
}

// HasRows says whether m has rows that Row can return: no transposed view, and Data holds them all.
func (m Matrix[E]) HasRows() bool {
	return !m.Trans && m.Stride >= m.Cols && len(m.Data) >= (m.Rows-1)*m.Stride+m.Cols
}

// Row returns row i; changes to it change the matrix. A transposed view has no rows in memory: Row panics.
func (m Matrix[E]) Row(i int) []E {
	if m.Trans {
		panic("linalg: Row: a transposed view, expected rows one after the other")
	}
	return m.Data[i*m.Stride : i*m.Stride+m.Cols]
}

// Take returns a copy of the given rows, in the order given. It panics on a transposed view.
func (m Matrix[E]) Take(rows []int) Matrix[E] {
	t := New[E](len(rows), m.Cols)
	for i, r := range rows {
		copy(t.Row(i), m.Row(r))
	}
	return t
}

// Clone returns a copy without gaps, row after row, of any view.
func (m Matrix[E]) Clone() Matrix[E] {
	m.check("Clone", "the matrix")
	c := New[E](m.Rows, m.Cols)
	for i := range m.Rows {
		for j := range m.Cols {
			c.Set(i, j, m.At(i, j))
		}
	}
	return c
}

// At returns element (i, j).
func (m Matrix[E]) At(i, j int) E { return m.Data[m.index(i, j)] }

// Set sets element (i, j).
func (m Matrix[E]) Set(i, j int, v E) { m.Data[m.index(i, j)] = v }

// index returns where element (i, j) is in Data.
func (m *Matrix[E]) index(i, j int) int {
	if m.Trans {
		i, j = j, i
	}
	return i*m.Stride + j
}

// lines returns how many lines lie in memory, one after the other, and how long they are: rows and columns, or columns
// and rows with Trans.
func (m *Matrix[E]) lines() (n, length int) {
	if m.Trans {
		return m.Cols, m.Rows
	}
	return m.Rows, m.Cols
}

// line returns elements from … to-1 of line i.
func (m *Matrix[E]) line(i, from, to int) []E { return m.Data[i*m.Stride+from : i*m.Stride+to] }

// check panics unless the matrix that op calls name is possible.
func (m *Matrix[E]) check(op, name string) {
	n, length := m.lines()
	if n < 0 || length < 0 || n > 0 && length > 0 && (m.Stride < length || len(m.Data) < (n-1)*m.Stride+length) {
		panic(fmt.Sprintf("linalg: %s: %s is %d×%d with stride %d in %d elements", op, name, m.Rows, m.Cols, m.Stride, len(m.Data)))
	}
}

// need panics unless the matrix that op calls name is possible and has that shape.
func (m *Matrix[E]) need(op, name string, rows, cols int) {
	m.check(op, name)
	if m.Rows != rows || m.Cols != cols {
		panic(fmt.Sprintf("linalg: %s: %s is %d×%d, expected %d×%d", op, name, m.Rows, m.Cols, rows, cols))
	}
}

// needPlain panics if the matrix that op calls name is a transposed view.
func (m *Matrix[E]) needPlain(op, name string) {
	if m.Trans {
		panic(fmt.Sprintf("linalg: %s: %s is a transposed view, expected rows one after the other", op, name))
	}
}
