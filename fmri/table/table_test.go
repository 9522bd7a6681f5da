package table

import (
	"testing"

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
