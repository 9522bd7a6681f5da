package nn

// An Op is one kind of operation with its constants and weights. It holds no state of a run, so
// that programs can share it and run concurrently. Apply makes a node of it.
//
// An Op may have these further methods:
//
//	Scratch(in ...[]int) int  // floats of workspace that Forward wants in Call.Scratch; 0 if absent
//	InPlace(i int) bool       // whether Call.Y may be the very memory of operand i; false if absent
type Op interface {
	// Kind is the operation's name in errors and drawings, such as "Conv2d".
	Kind() string
	// Shape returns the shape of the result for operands of these shapes, as they are in memory,
	// or an error that says which shapes the operation takes.
	Shape(in ...[]int) ([]int, error)
	// Forward computes c.Y. It must write all of it and must not allocate. It may panic.
	Forward(c *Call)
}

// A Call is one execution of an Op.
type Call struct {
	Y       []float32   // result, to be written; holds anything before
	YShape  []int       // its shape
	X       [][]float32 // operands, to be read only, except where Y is one of them
	XShape  [][]int     // their shapes
	Scratch []float32   // workspace; holds anything before
}

type scratchOp interface{ Scratch(in ...[]int) int }

type inPlaceOp interface{ InPlace(i int) bool }

// A viewOp's result is its first operand's memory under another shape: its Forward is not called.
type viewOp interface{ view() }

// A layoutOp decides on the layout of its result; others keep that of their first operand where
// both have four dimensions.
type layoutOp interface {
	layout(in []layout) (out layout, want string) // want is not empty where an operand's layout is wrong
}

// layout says what a value of four dimensions is, and so what its published shape is.
type layout uint8

const (
	asStored      layout = iota // published as it is in memory
	channelsLast                // an image [N, H, W, C], published as [N, C, H, W]
	channelsFirst               // an image that is [N, C, H, W] in memory already
)

// images is embedded by operations on channels-last images.
type images struct{}

const wantChannelsLast = "images in channels-last order (see ToChannelsLast)"

func (images) layout(in []layout) (layout, string) {
	for _, l := range in {
		if l == channelsFirst {
			return 0, wantChannelsLast
		}
	}
	return channelsLast, ""
}

// channels is embedded by operations on the last dimension of images or tokens.
type channels struct{}

func (channels) layout(in []layout) (layout, string) {
	for _, l := range in {
		if l == channelsFirst {
			return 0, wantChannelsLast
		}
	}
	return in[0], ""
}

func scratchOf(op Op, in [][]int) int {
	if s, ok := op.(scratchOp); ok {
		return s.Scratch(in...)
	}
	return 0
}

func mayOverwrite(op Op, i int) bool {
	p, ok := op.(inPlaceOp)
	return ok && p.InPlace(i)
}

func isView(op Op) bool {
	_, ok := op.(viewOp)
	return ok
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// rows returns the product of all dimensions but the last.
func rows(shape []int) int { return size(shape[:len(shape)-1]) }

func last(shape []int) int { return shape[len(shape)-1] }
