package tensor

import (
	"fmt"

	"percept/tensor/internal/kernel"
)

// An Activation is an elementwise function that an Epilogue applies.
type Activation uint8

const (
	NoActivation Activation = iota
	ActSiLU                 // see SiLU
	ActGELU                 // see GELU
	ActQuickGELU            // see QuickGELU
)

// An Epilogue is what Linear and Conv2d do to their result while it is in the cache, in this order. Each part gives
// the bits of the operation of its name called afterwards. The zero Epilogue does nothing.
type Epilogue struct {
	Channels []float32  // AddChannels: [N, out], row n added to every pixel or token of item n; N divides the rows
	Act      Activation // SiLU, GELU or QuickGELU
	Residual []float32  // Add: of the result's shape; may be the result's own memory, which is then added to
}

// ending is the Epilogue of a result y [rows, n].
type ending struct {
	Epilogue
	n     int
	per   int  // rows that get the same row of Channels
	none  bool // nothing is to be done
	aside bool // Residual is y itself: the product must not be written there
}

func newEnding(op string, e Epilogue, y []float32, rows, n int) ending {
	end := ending{Epilogue: e, n: n, none: e.Channels == nil && e.Act == NoActivation && e.Residual == nil}
	if e.Channels != nil {
		items := len(e.Channels) / n
		if items == 0 || items*n != len(e.Channels) || rows%items != 0 {
			panic(fmt.Sprintf("tensor: %s: Epilogue.Channels has %d elements, expected %d for each item of %d rows", op,
				len(e.Channels), n, rows))
		}
		end.per = rows / items
	}
	if e.Residual != nil {
		need(op, "Epilogue.Residual", len(e.Residual), len(y))
		end.aside = len(y) > 0 && &e.Residual[0] == &y[0]
	}
	return end
}

// landing returns where the product of rows row0 … row0+rows-1 and columns col0 … col0+cols-1 of y [·, n] is to be
// written, and the floats from row to row: to y, or to buf where y holds what will be added. applyFrom then takes it
// from there.
func (e *ending) landing(buf *buffer[float32], y []float32, row0, rows, col0, cols int) (c []float32, ld int) {
	if e.aside {
		return buf.resized(rows * cols), cols
	}
	return y[row0*e.n+col0:], e.n
}

// applyFrom finishes rows row0 … row0+rows-1 and columns col0 … col0+cols-1 of y from the product of these, which lies
// in from, with ld floats from row to row, and is lost. from is that part of y itself or, with aside, other memory.
func (e *ending) applyFrom(set *kernel.Set, y, from []float32, ld, row0, rows, col0, cols int) {
	if e.none || rows < 1 || cols < 1 {
		return
	}
	if e.Channels != nil {
		for r := range rows {
			f := from[r*ld:][:cols]
			set.Add(f, f, e.Channels[(row0+r)/e.per*e.n+col0:][:cols])
		}
	}
	if cols == ld && cols == e.n { // rows without gaps are one long row
		rows, cols, ld = 1, rows*cols, rows*cols
	}
	for r := range rows {
		f, at := from[r*ld:][:cols], (row0+r)*e.n+col0
		e.Act.apply(set, f)
		switch to := y[at:][:cols]; {
		case e.Residual != nil:
			set.Add(to, f, e.Residual[at:][:cols])
		case &to[0] != &f[0]:
			copy(to, f)
		}
	}
}

func (a Activation) apply(set *kernel.Set, y []float32) {
	switch a {
	case ActSiLU:
		set.Sigmul(y, y, 1)
	case ActGELU:
		set.GELU(y, y)
	case ActQuickGELU:
		set.Sigmul(y, y, 1.702)
	}
}
