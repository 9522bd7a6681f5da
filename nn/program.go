package nn

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// A Program is a graph ready to run for its shapes. It is compiled once and run many times without
// allocating. One goroutine may use it at a time; several programs, also of one graph or of graphs
// with common layers, may run at the same time.
type Program struct {
	graph   *Graph
	nodes   []*Node
	outputs []output

	source  [][]float32 // of inputs and fed nodes: their values
	set     []bool      // of inputs: there is a value
	own     [][]float32 // of nodes whose value outlives a run, outside the arena
	probes  []nodeProbes
	asked   []bool // nodes that RunTo was asked for
	arena   []float32
	plan    *placement // nil where a probe has changed since
	memory  [][]float32
	steps   []step
	done    []bool // nodes whose values are there: a run has computed them since prepare
	all     []bool // nodes that Run needs
	some    []bool // nodes that the last RunTo needs
	work    []work // of each node, once the memory is planned
	targets []string
	traced  func(n *Node, d time.Duration) // nil where nobody asks
	running atomic.Bool

	noFusion bool
	steady   *steadiness // nil without steady inputs
}

// Options of Compile.
type Options struct {
	Keep     []string // names of nodes whose values are kept; see Program.Keep
	NoFusion bool     // compute every node by itself; the values are the same

	// Steady names inputs that often keep their values from one run to the next. What depends on them alone is
	// computed anew only after a Set to other values; probes see the same as without.
	Steady []string

	// Trace, if not nil, is called after every step of a run with the time that it took. n is the node that the step
	// computes or, where it computes several as one, the first of them.
	Trace func(n *Node, d time.Duration)
}

// A step computes one node. Its parts are made once, so that a run allocates nothing.
type step struct {
	node    *Node
	op      Op // the node's, or one that does the work of nodes before it as well
	do      action
	call    Call
	y       Value
	x       []Value // operands, for replace
	replace func(y Value, x []Value) error
	edits   []edit
	hooks   []hook
	probing bool // an edit or hook is at work: a panic is theirs
}

type action uint8

const (
	nothing action = iota // an input, a fed node, a view: the value is there already
	compute
	copyFirst // an edited view, input or fed node: the edit must not reach the memory it looks at
	replace
)

// Compile prepares g, which must have an output, for running.
func Compile(g *Graph, o Options) (*Program, error) {
	if len(g.outputs) == 0 {
		return nil, errors.New("nn: the graph has no output")
	}
	n := len(g.nodes)
	p := &Program{
		graph: g, nodes: slices.Clone(g.nodes), outputs: slices.Clone(g.outputs),
		source: make([][]float32, n), set: make([]bool, n), own: make([][]float32, n),
		probes: make([]nodeProbes, n), asked: make([]bool, n), traced: o.Trace, noFusion: o.NoFusion,
	}
	for i, node := range p.nodes {
		if node.op == nil {
			if int64(size(node.shape)) > maxMemory {
				return nil, fmt.Errorf("nn: input %s %v is larger than any memory", node.name, node.shape)
			}
			p.source[i] = make([]float32, size(node.shape))
		}
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
	i, err := p.find(input)
	if err != nil {
		return err
	}
	if p.nodes[i].op != nil {
		return fmt.Errorf("nn: %s is no input; Feed gives other nodes a value", input)
	}
	if len(data) != len(p.source[i]) {
		return fmt.Errorf("nn: input %s: %d numbers, want %d of shape %v", input, len(data), len(p.source[i]), p.nodes[i].shape)
	}
	if s := p.steady; s != nil && s.inputs[i] && !(p.set[i] && sameBits(data, p.source[i])) {
		s.stale[i] = true
	}
	copy(p.source[i], data)
	p.set[i] = true
	return nil
}

// Output returns the value of an output after a run, valid until the next. It is nil where there
// is no such output or no run has computed it since a probe was changed.
func (p *Program) Output(name string) []float32 {
	for _, o := range p.outputs {
		if o.name == name && p.memory != nil && p.done[o.node.id] {
			return p.memory[o.node.id]
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

// Run computes all outputs and all nodes that Keep and OnNode ask for. It stops between nodes
// when ctx is done. A failure, also a panic inside an operation or a probe, is an error that names
// the node; the outputs are then undefined.
func (p *Program) Run(ctx context.Context) error {
	if err := p.begin(); err != nil {
		return err
	}
	defer p.running.Store(false)
	if err := p.prepare(); err != nil {
		return err
	}
	return p.run(ctx, p.all)
}

// RunTo computes the named nodes and no more than they need, and keeps their values for Value.
// Without names it computes what Keep and OnNode ask for, and not the outputs. Probes on the way
// are served.
func (p *Program) RunTo(ctx context.Context, names ...string) error {
	if err := p.begin(); err != nil {
		return err
	}
	defer p.running.Store(false)
	if p.plan == nil || p.some == nil || !slices.Equal(names, p.targets) {
		wanted := make([]bool, len(p.nodes))
		for _, name := range names {
			i, err := p.find(name)
			if err != nil {
				return err
			}
			wanted[i] = true
			if !p.asked[i] && !p.outlives(i) {
				p.plan = nil
			}
			p.asked[i] = true
		}
		if len(names) == 0 {
			for i := range p.nodes {
				wanted[i] = p.probes[i].asks()
			}
			if !slices.Contains(wanted, true) {
				return errors.New("nn: RunTo without names, and no probe asks for a node")
			}
		}
		if err := p.prepare(); err != nil {
			return err
		}
		p.some, p.targets = p.needed(wanted), slices.Clone(names)
	}
	return p.run(ctx, p.some)
}

// outlives says whether the value of a node is to be there after Run.
func (p *Program) outlives(i int) bool {
	return p.probes[i].keep || slices.ContainsFunc(p.outputs, func(o output) bool { return o.node.id == i })
}

func (p *Program) begin() error {
	if !p.running.CompareAndSwap(false, true) {
		return errors.New("nn: the program is running already; a second goroutine needs a program of its own")
	}
	return nil
}

// needed returns the wanted nodes and all that they are computed from.
func (p *Program) needed(wanted []bool) []bool {
	need := slices.Clone(wanted)
	for i := len(need) - 1; i >= 0; i-- {
		if !need[i] || p.probes[i].fed {
			continue
		}
		for _, x := range p.nodes[i].in {
			need[x.id] = true
		}
	}
	return need
}

// lay plans the memory if probes have changed.
func (p *Program) lay() {
	if p.plan != nil {
		return
	}
	p.memory, p.steps, p.some = nil, nil, nil
	wanted := make([]bool, len(p.nodes))
	for i := range p.nodes {
		wanted[i] = p.probes[i].asks()
	}
	for _, o := range p.outputs {
		wanted[o.node.id] = true
	}
	p.all = p.needed(wanted)
	for i, a := range p.asked {
		wanted[i] = wanted[i] || a
	}
	live := p.needed(wanted)

	p.work = p.fuse(live, p.constants())
	if p.steady != nil {
		p.steady.settle(p, live)
	}
	tasks := make([]task, len(p.nodes))
	for i, n := range p.nodes {
		t, w := &tasks[i], &p.work[i]
		*t = task{live: live[i] && !w.absorbed, size: size(n.shape), private: p.asked[i] || p.outlives(i) || p.steady != nil && p.steady.keeps[i]}
		switch do := p.action(i); {
		case n.op == nil || p.probes[i].fed:
			t.source = do == nothing
			continue
		case do == compute:
			shapes := make([][]int, len(w.in))
			for k, x := range w.in {
				shapes[k] = x.shape
			}
			t.scratch = scratchOf(w.op, shapes)
			t.overwrites = func(k int) bool { return mayOverwrite(w.op, k) }
		case do == nothing:
			t.view = true
		}
		for _, x := range w.in {
			t.in = append(t.in, x.id)
		}
	}
	p.plan = makePlan(tasks)
}

func (p *Program) action(i int) action {
	n, probe := p.nodes[i], &p.probes[i]
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

// maxMemory is more floats than any machine has memory for: 4 TiB. Go ends a program that asks for more than it can
// address.
const maxMemory int64 = 1 << 40

// prepare makes the memory and the steps of the plan.
func (p *Program) prepare() error {
	p.lay()
	if p.memory != nil {
		return nil
	}
	if r := p.Report(); int64(r.Arena)+int64(r.Private) > 4*maxMemory {
		return fmt.Errorf("nn: a run would take %.3g GiB of memory", float64(r.Arena+r.Private)/(1<<30))
	}
	if cap(p.arena) < p.plan.arena {
		p.arena = nil // may be collected before its successor is made
		p.arena = make([]float32, p.plan.arena)
	}
	p.memory, p.done = make([][]float32, len(p.nodes)), make([]bool, len(p.nodes))
	p.steps = make([]step, len(p.nodes))
	for i, n := range p.nodes {
		p.steps[i] = p.step(i, n)
		if !p.plan.private[i] {
			p.own[i] = nil
		}
	}
	return nil
}

// step makes the step of a node; those before it are made.
func (p *Program) step(i int, n *Node) step {
	probe := &p.probes[i]
	w := &p.work[i]
	s := step{node: n, op: w.op, do: p.action(i), replace: probe.replace, edits: probe.edits, hooks: probe.hooks}
	if w.absorbed {
		s.do = nothing
	}
	if !p.plan.held[i] {
		return s
	}
	length := size(n.shape)
	switch root := p.plan.root[i]; {
	case root != i:
		p.memory[i] = p.memory[root]
	case s.do == nothing:
		p.memory[i] = p.source[i]
	case p.plan.private[i]:
		if p.own[i] == nil {
			p.own[i] = make([]float32, length)
		}
		p.memory[i] = p.own[i]
	default:
		p.memory[i] = p.arena[p.plan.offset[i]:][:length:length]
	}
	s.y = n.value(n.name, p.memory[i])
	s.call = Call{Y: p.memory[i], YShape: n.shape}
	if n.op == nil || probe.fed {
		s.call.X = [][]float32{p.source[i]}
		return s
	}
	for _, x := range w.in {
		s.call.X = append(s.call.X, p.memory[x.id])
		s.call.XShape = append(s.call.XShape, x.shape)
		s.x = append(s.x, x.value(x.name, p.memory[x.id]))
	}
	if s.do == compute {
		k := scratchOf(w.op, s.call.XShape)
		s.call.Scratch = p.arena[p.plan.scratch[i]:][:k:k]
	}
	return s
}

func (p *Program) run(ctx context.Context, need []bool) (err error) {
	for i, n := range p.nodes {
		if need[i] && n.op == nil && !p.set[i] && !p.probes[i].fed {
			return fmt.Errorf("nn: input %s %v has not been set", n.name, n.shape)
		}
	}
	s := p.steady
	if s != nil {
		s.plan(p, need)
	}
	at := 0
	defer func() {
		if r := recover(); r != nil {
			err = p.panicked(at, r)
		}
	}()
	for i := range p.steps {
		if !need[i] || s != nil && s.skips[i] && !s.must[i] {
			continue
		}
		at = i
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("nn: stopped before %s: %w", p.nodes[i].name, err)
		}
		if err := p.execute(i); err != nil {
			return err
		}
		p.done[i] = true
		if s != nil {
			s.stale[i] = false
		}
	}
	return nil
}

func (s *step) run() error {
	switch s.do {
	case compute:
		s.op.Forward(&s.call)
	case copyFirst:
		copy(s.call.Y, s.call.X[0])
	case replace:
		if err := s.replace(s.y, s.x); err != nil {
			return fmt.Errorf("nn: replacement of %s: %w", s.node.name, err)
		}
	}
	if s.edits != nil || s.hooks != nil {
		s.probing = true
		err := s.probe()
		s.probing = false
		return err
	}
	return nil
}

// panicked makes an error of what a step panicked with.
func (p *Program) panicked(i int, r any) error {
	n, s := p.nodes[i], &p.steps[i]
	kind := "Input"
	if n.op != nil {
		kind = s.op.Kind()
	}
	switch {
	case s.probing:
		kind = "probe"
		s.probing = false
	case s.do == replace:
		kind = "replacement"
	}
	if err, ok := r.(error); ok {
		var bug runtime.Error
		if errors.As(err, &bug) {
			return fmt.Errorf("nn: %s (%s): panic: %w", n.name, kind, err)
		}
		return fmt.Errorf("nn: %s (%s): %w", n.name, kind, err)
	}
	return fmt.Errorf("nn: %s (%s): %v", n.name, kind, r)
}
