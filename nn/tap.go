package nn

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A Tap makes a reduction of a node's value an output: what an observer of many runs keeps in place of the whole value.
// Its nodes are part of the graph, so that they are planned and computed as any others, right after the node.
type Tap struct {
	Node string      // its name
	By   []Reduction // one after the other
}

// A Reduction maps a node's value to a smaller one.
type Reduction struct {
	name  string
	apply func(x *Node) *Node
}

// Reductions over positions: [N, H, W, C] or [N, T, C] to [N, C].
var (
	Mean = Reduction{"mean", MeanPool}
	Max  = Reduction{"max", MaxPool}
)

// Grid is the mean over the cells of a grid of side×side: images [N, H, W, C] to [N, side, side, C].
func Grid(side int) Reduction {
	return Reduction{fmt.Sprint("grid", side), func(x *Node) *Node { return GridPool(x, side) }}
}

// First leaves the first k channels.
func First(k int) Reduction {
	return Reduction{fmt.Sprint("first", k), func(x *Node) *Node { return FirstChannels(x, k) }}
}

// Projection multiplies the channels by the rows of m [k, C], which must not change afterwards. Its name says which numbers
// m has.
func Projection(m []float32, k int) Reduction {
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, m) // a hash takes everything
	return Reduction{fmt.Sprintf("project%d-%x", k, h.Sum(nil)[:8]), func(x *Node) *Node { return Project(x, m, k) }}
}

// Output is the name of the output that the tap becomes, such as "mid_block:mean". Taps of one name are the same.
func (t Tap) Output() string {
	name := t.Node
	for _, r := range t.By {
		name += ":" + r.name
	}
	return name
}

// Node returns the node of that name, which may be an alias or an output's.
func (g *Graph) Node(path string) (*Node, error) {
	if n := g.names[path]; n != nil {
		return n, nil
	}
	for _, o := range g.outputs {
		if o.name == path {
			return o.node, nil
		}
	}
	return nil, &NameError{path, nearest(path, g.Names())}
}

// Tap adds taps to a graph that has not been compiled yet: after the node that each looks at, so that its value need not
// be kept until the end of a run. After an error the graph is not to be used.
func (g *Graph) Tap(taps ...Tap) error {
	if len(taps) > 0 && g.compiled.Load() {
		return &BuildError{"tap", "the graph has been compiled already"}
	}
	for _, t := range taps {
		x, err := g.Node(t.Node)
		if err != nil {
			return err
		}
		if len(t.By) == 0 {
			return &BuildError{t.Node, "the tap has no reduction"}
		}
		made := len(g.nodes)
		if err := Catch(func() {
			y := x
			if y.layout == channelsFirst {
				y = ToChannelsLast(y)
			}
			for _, r := range t.By {
				y = r.apply(y)
			}
			g.Output(t.Output(), y)
		}); err != nil {
			return err
		}
		added := slices.Clone(g.nodes[made:])
		g.nodes = slices.Insert(g.nodes[:made], x.id+1, added...)
		for i, n := range g.nodes {
			n.id = i
		}
	}
	return nil
}

// tapKey names a set of taps.
func tapKey(taps []Tap) string {
	names := make([]string, len(taps))
	for i, t := range taps {
		names[i] = t.Output()
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}
