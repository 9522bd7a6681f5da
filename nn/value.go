package nn

import (
	"fmt"

	"percept/tensor"
)

// A Value is what a node holds at one moment of a run. It is valid during the call that received
// it or, from Program.Value, until the next run.
type Value struct {
	Path     string // the name under which the node was asked for
	Shape    []int  // published shape: [N, C, H, W] of an image, [N, T, C] of tokens
	RawShape []int  // shape in memory: [N, H, W, C] of an image

	data  buffer
	image bool // data is in channels-last order, Shape in channels-first
}

func (n *Node) value(name string, data buffer) Value {
	return Value{name, n.Published(), n.shape, data, n.layout == channelsLast && len(n.shape) == 4}
}

// Raw returns the numbers as they are in memory, to be read only; see RawShape.
func (v Value) Raw() []float32 { return v.data.floats() }

// Len returns how many numbers the value has.
func (v Value) Len() int { return size(v.RawShape) }

// Data returns a copy in the published order.
func (v Value) Data() []float32 {
	d := make([]float32, v.Len())
	v.CopyTo(d)
	return d
}

// CopyTo copies the value in the published order to dst, which must be as long.
func (v Value) CopyTo(dst []float32) {
	if len(dst) != v.Len() {
		panic(fmt.Sprintf("nn: %s: %d numbers to copy to, the value has %d", v.Path, len(dst), v.Len()))
	}
	if v.image {
		s := v.Shape
		tensor.ToChannelsFirst(dst, v.Raw(), s[0], s[1], s[2], s[3])
		return
	}
	copy(dst, v.Raw())
}

// Set overwrites the value with data in the published order. It is for the functions given to
// Program.Edit and Program.Replace alone.
func (v Value) Set(data []float32) error {
	if len(data) != v.Len() {
		return fmt.Errorf("nn: %s: %d numbers, expected %d of shape %v", v.Path, len(data), v.Len(), v.Shape)
	}
	if v.image {
		s := v.Shape
		tensor.ToChannelsLast(v.Raw(), data, s[0], s[1], s[2], s[3])
		return nil
	}
	copy(v.Raw(), data)
	return nil
}

// Value returns what a node held after the last run that computed it: of an output, an input, a
// node that Keep, Feed or RunTo named. Others are gone, which is an error.
func (p *Program) Value(name string) (Value, error) {
	n, err := p.find(name)
	if err != nil {
		return Value{}, err
	}
	switch {
	case n.op == nil || n.probes.fed:
		return n.value(name, n.source), nil
	case !n.outlives() && !n.asked:
		return Value{}, fmt.Errorf("nn: the value of %s is not kept; see Program.Keep", name)
	case p.plan == nil || !p.ready || !n.done:
		return Value{}, fmt.Errorf("nn: %s has not been computed yet, or not since a probe was changed", name)
	}
	return n.value(name, n.data), nil
}
