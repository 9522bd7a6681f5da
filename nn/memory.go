package nn

import (
	"fmt"

	"percept/internal/memlimit"
)

// A memory is where the values of a Program lie.
type memory interface{ make(floats int) buffer }

// A buffer is a stretch of a memory.
type buffer interface {
	floats() []float32 // as the processor sees and changes them
	part(from, length int) buffer
}

// ram is the processor's memory.
type ram struct{}

type ramBuffer []float32

func (ram) make(floats int) buffer { return make(ramBuffer, floats) }

// nowhere is no memory, for plans that are never run.
type nowhere struct{}

func (nowhere) make(int) buffer { return ramBuffer(nil) }

func (b ramBuffer) floats() []float32 { return b }

func (b ramBuffer) part(from, length int) buffer { return b[from:][:length:length] }

// maxMemory is more floats than any machine has memory for: 4 TiB. Go ends a program that asks for more than it can
// address.
const maxMemory int64 = 1 << 40

// lay plans the memory if probes have changed.
func (p *Program) lay() {
	if p.plan != nil {
		return
	}
	p.ready, p.some = false, nil
	wanted := make([]bool, len(p.nodes))
	for i := range p.nodes {
		n := &p.nodes[i]
		n.data, n.step, n.done = nil, step{}, false
		wanted[i] = n.probes.asks() || n.result
	}
	p.all = p.needed(wanted)
	for i := range p.nodes {
		wanted[i] = wanted[i] || p.nodes[i].asked
	}
	live := p.needed(wanted)

	p.fuse(live)
	if p.steady != nil {
		p.steady.settle(p, live)
	}
	tasks := make([]task, len(p.nodes))
	for i := range p.nodes {
		n, t := &p.nodes[i], &tasks[i]
		w := &n.work
		*t = task{live: live[i] && !w.absorbed, size: size(n.shape), private: n.asked || n.outlives() ||
			p.steady != nil && p.steady.nodes[i].keeps}
		switch do := n.action(); {
		case n.op == nil || n.probes.fed:
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

// prepare makes the memory and the steps of the plan.
func (p *Program) prepare() error {
	p.lay()
	if p.ready {
		return nil
	}
	if r := p.Report(); int64(r.Arena)+int64(r.Private) > 4*maxMemory {
		return fmt.Errorf("nn: a run would take %.3g GiB of memory", float64(r.Arena+r.Private)/(1<<30))
	}
	if err := memlimit.Need(4 * int64(p.lacking())); err != nil {
		return fmt.Errorf("nn: a run %w: expected smaller inputs, or a higher limit", err)
	}
	if p.arena == nil || len(p.arena.floats()) < p.plan.arena {
		p.arena = nil // may be collected before its successor is made
		p.arena = p.memory.make(p.plan.arena)
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		n.data = p.place(n)
		n.step = p.makeStep(n)
		if !p.plan.private[i] {
			n.own = nil
		}
	}
	p.ready = true
	return nil
}

// lacking is how many floats prepare would make.
func (p *Program) lacking() (floats int) {
	if p.arena == nil || len(p.arena.floats()) < p.plan.arena {
		floats = p.plan.arena
	}
	for i := range p.nodes {
		if n := &p.nodes[i]; p.plan.private[i] && n.own == nil {
			floats += size(n.shape)
		}
	}
	return floats
}

// place returns where the value of a node lies, nil where it lies nowhere; those of the nodes before it are placed.
func (p *Program) place(n *state) buffer {
	switch root := p.plan.root[n.id]; {
	case !p.plan.held[n.id]:
		return nil
	case root != n.id:
		return p.nodes[root].data
	case n.action() == nothing:
		return n.source
	case p.plan.private[n.id]:
		if n.own == nil {
			n.own = p.memory.make(size(n.shape))
		}
		return n.own
	}
	return p.arena.part(p.plan.offset[n.id], size(n.shape))
}

// makeStep makes the step of a node that has been placed.
func (p *Program) makeStep(n *state) step {
	w := &n.work
	s := step{node: n.Node, op: w.op, do: n.action(), replace: n.probes.replace, edits: n.probes.edits, hooks: n.probes.hooks}
	if w.absorbed {
		s.do = nothing
	}
	if n.data == nil {
		return s
	}
	s.y = n.value(n.name, n.data)
	s.call = Call{Y: n.data.floats(), YShape: n.shape}
	if n.op == nil || n.probes.fed {
		s.call.X = [][]float32{n.source.floats()}
		return s
	}
	for _, x := range w.in {
		data := p.nodes[x.id].data
		s.call.X = append(s.call.X, data.floats())
		s.call.XShape = append(s.call.XShape, x.shape)
		s.x = append(s.x, x.value(x.name, data))
	}
	if s.do == compute {
		s.call.Scratch = p.arena.part(p.plan.scratch[n.id], scratchOf(w.op, s.call.XShape)).floats()
	}
	return s
}
