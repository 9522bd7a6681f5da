package nn

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"percept/internal/memlimit"
)

// A Program is a graph ready to run for its shapes. It is compiled once and run many times without
// allocating. One goroutine may use it at a time; several programs, also of one graph or of graphs
// with common layers, may run at the same time.
type Program struct {
	graph   *Graph
	nodes   []state
	outputs []output
	options Options
	steady  *steadiness // nil without steady inputs

	memory memory
	arena  buffer
	plan   *placement // nil where a probe has changed since
	ready  bool       // the steps and what they work on are those of the plan
	all    []bool     // nodes that Run needs
	some   []bool     // nodes that the last RunTo needs
	named  []string   // by the last RunTo

	running atomic.Bool
}

// A state is what a Program knows of a node.
type state struct {
	*Node
	probes nodeProbes
	result bool   // it is an output
	asked  bool   // RunTo was asked for it
	set    bool   // of an input: there is a value
	source buffer // of an input or a fed node: its value
	own    buffer // memory outside the arena, where the value outlives a run

	work work   // what its step does, once the memory is planned
	data buffer // its value, once there is memory; nil where no run needs it
	step step
	done bool // the value is there: a run has computed it since prepare
}

// Options of Compile.
type Options struct {
	Taps     []Tap    // that are added to the graph, which must not have been compiled before
	Keep     []string // names of nodes whose values are kept; see Program.Keep
	NoFusion bool     // compute every node by itself; the values are the same

	// Steady names inputs that often keep their values from one run to the next. What depends on them alone is
	// computed anew only after a Set to other values; probes see the same as without.
	Steady []string

	// Trace, if not nil, is called after every step of a run with the time that it took. n is the node that the step
	// computes or, where it computes several as one, the first of them.
	Trace func(n *Node, d time.Duration)
}

// Compile prepares g, which must have an output, for running.
func Compile(g *Graph, o Options) (*Program, error) { return compile(g, o, ram{}) }

// Measure says what a Program of g would be and how much memory it would take, without taking any. g cannot be compiled
// afterwards with other taps.
func Measure(g *Graph, o Options) (Report, error) {
	p, err := compile(g, o, nowhere{})
	if err != nil {
		return Report{}, err
	}
	return p.Report(), nil
}

func compile(g *Graph, o Options, m memory) (*Program, error) {
	if len(g.outputs) == 0 {
		return nil, errors.New("nn: the graph has no output")
	}
	if err := g.Tap(o.Taps...); err != nil {
		return nil, err
	}
	g.compiled.Store(true)
	p := &Program{graph: g, nodes: make([]state, len(g.nodes)), outputs: slices.Clone(g.outputs), options: o, memory: m}
	inputs := int64(0)
	for i, node := range g.nodes {
		p.nodes[i].Node = node
		if node.op == nil {
			if int64(size(node.shape)) > maxMemory {
				return nil, fmt.Errorf("nn: input %s %v is larger than any memory", node.name, node.shape)
			}
			inputs += 4 * int64(size(node.shape))
			if err := memlimit.Need(inputs); err != nil && m == (ram{}) {
				return nil, fmt.Errorf("nn: input %s %v %w: expected a smaller one, or a higher limit", node.name, node.shape, err)
			}
			p.nodes[i].source = p.memory.make(size(node.shape))
		}
	}
	for _, o := range p.outputs {
		p.nodes[o.node.id].result = true
	}
	var err error
	if p.steady, err = newSteadiness(p, o.Steady); err != nil {
		return nil, err
	}
	for _, name := range o.Keep {
		if err := p.Keep(name); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Set copies data, in the order in which the graph declares the input, to an input of that name.
// It stays until the next Set.
func (p *Program) Set(input string, data []float32) error {
	n, err := p.find(input)
	if err != nil {
		return err
	}
	if n.op != nil {
		return fmt.Errorf("nn: %s is no input; Feed gives other nodes a value", input)
	}
	value := n.source.floats()
	if len(data) != len(value) {
		return fmt.Errorf("nn: input %s: %d numbers, expected %d of shape %v", input, len(data), len(value), n.shape)
	}
	if s := p.steady; s != nil && s.nodes[n.id].input && !(n.set && sameBits(data, value)) {
		s.nodes[n.id].stale = true
	}
	copy(value, data)
	n.set = true
	return nil
}

// Output returns the value of an output after a run, valid until the next. It is nil where there
// is no such output or no run has computed it since a probe was changed.
func (p *Program) Output(name string) []float32 {
	for _, o := range p.outputs {
		if n := &p.nodes[o.node.id]; o.name == name && p.ready && n.done {
			return n.data.floats()
		}
	}
	return nil
}

// OutputShape returns the shape of an output, nil where there is no such output.
func (p *Program) OutputShape(name string) []int {
	for _, o := range p.outputs {
		if o.name == name {
			return o.node.shape
		}
	}
	return nil
}

// Names returns the names of all nodes, also of those that no output needs, in the order of the
// graph, each followed by its aliases.
func (p *Program) Names() []string { return p.graph.Names() }

// find returns the node of that name; a name of an output will do as well.
func (p *Program) find(name string) (*state, error) {
	n, err := p.graph.Node(name)
	switch {
	case err != nil:
		return nil, err
	case n.id >= len(p.nodes): // made after the Program
		return nil, &NameError{name, nearest(name, p.Names())}
	}
	return &p.nodes[n.id], nil
}

// needed returns the wanted nodes and all that they are computed from.
func (p *Program) needed(wanted []bool) []bool {
	need := slices.Clone(wanted)
	for i := len(need) - 1; i >= 0; i-- {
		if !need[i] || p.nodes[i].probes.fed {
			continue
		}
		for _, x := range p.nodes[i].in {
			need[x.id] = true
		}
	}
	return need
}

// outlives says whether the value of a node is to be there after Run.
func (n *state) outlives() bool { return n.probes.keep || n.result }

// An action is what a step does.
type action uint8

const (
	nothing action = iota // an input, a fed node, a view: the value is there already
	compute
	copyFirst // an edited view, input or fed node: the edit must not reach the memory it looks at
	replace
)

func (n *state) action() action {
	probe := &n.probes
	switch given := n.op == nil || probe.fed; {
	case (given || probe.replace == nil && isView(n.op)) && len(probe.edits) > 0:
		return copyFirst
	case given:
		return nothing
	case probe.replace != nil:
		return replace
	case isView(n.op):
		return nothing
	}
	return compute
}
