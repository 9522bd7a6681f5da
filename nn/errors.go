package nn

import (
	"fmt"
	"strings"
)

// A ShapeError says that a node was given operands it cannot take. The graph functions panic with
// it; Build and Catch turn the panic into an error.
type ShapeError struct {
	Path string  // name of the node that was being made
	Op   string  // kind of operation
	Got  [][]int // shapes of the operands, in memory order: images are [N H W C]
	Want string  // the shapes it takes
}

func (e *ShapeError) Error() string {
	got := make([]string, len(e.Got))
	for i, s := range e.Got {
		got[i] = fmt.Sprint(s)
	}
	return fmt.Sprintf("nn: %s (%s): got %s, expected %s", e.Path, e.Op, strings.Join(got, " and "), e.Want)
}

// A BuildError says that a graph was put together wrongly in another way than by shapes: a name
// used twice, operands of two graphs, a missing operand.
type BuildError struct {
	Path   string // name of the node or output
	Reason string
}

func (e *BuildError) Error() string { return "nn: " + e.Path + ": " + e.Reason }

// Catch calls f and returns the ShapeError or BuildError with which it panicked, if any. Other
// panics pass through.
func Catch(f func()) (err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *ShapeError:
			err = e
		case *BuildError:
			err = e
		default:
			panic(e)
		}
	}()
	f()
	return nil
}

// Build makes a graph with f. A shape or naming error inside f becomes Build's error.
func Build(f func(g *Graph)) (*Graph, error) {
	g := NewGraph()
	if err := Catch(func() { f(g) }); err != nil {
		return nil, err
	}
	return g, nil
}

// mismatch is the error of an operation that cannot take operands of these shapes; the graph adds
// the path.
func mismatch(got [][]int, format string, args ...any) error {
	return &ShapeError{Got: got, Want: fmt.Sprintf(format, args...)}
}
