package linalg

import "percept/tensor"

// Mirror copies the lower triangle of the square matrix c to its upper one.
func Mirror[E Float](c Matrix[E]) {
	c.need("Mirror", "C", c.Rows, c.Rows)
	c.needPlain("Mirror", "C")
	if c.Rows < 2 {
		return
	}
	free := &engineOf[E]().mirrors
	m := free.get()
	m.c = c
	tensor.Share(m, parts(c.Rows, mirrorRows), c.Rows*c.Rows)
	m.c = Matrix[E]{}
	free.put(m)
}

// mirror is the job of Mirror; a tile is mirrorRows rows of the lower triangle.
type mirror[E Float] struct{ c Matrix[E] }

const mirrorRows = 64

func (m *mirror[E]) Tile(i int) {
	c := &m.c
	i0, i1 := i*mirrorRows, min((i+1)*mirrorRows, c.Rows)
	if i0 > 0 {
		transpose(c.Data[i0:], c.Stride, c.Data[i0*c.Stride:], c.Stride, i1-i0, i0, 1)
	}
	for i := i0; i < i1; i++ {
		for j := i0; j < i; j++ {
			c.Set(j, i, c.At(i, j))
		}
	}
}
