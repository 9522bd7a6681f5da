package nn

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

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
	if p.plan == nil || p.some == nil || !slices.Equal(names, p.named) {
		wanted := make([]bool, len(p.nodes))
		for _, name := range names {
			n, err := p.find(name)
			if err != nil {
				return err
			}
			wanted[n.id] = true
			if !n.asked && !n.outlives() {
				p.plan = nil
			}
			n.asked = true
		}
		if len(names) == 0 {
			for i := range p.nodes {
				wanted[i] = p.nodes[i].probes.asks()
			}
			if !slices.Contains(wanted, true) {
				return errors.New("nn: RunTo without names, and no probe asks for a node")
			}
		}
		if err := p.prepare(); err != nil {
			return err
		}
		p.some, p.named = p.needed(wanted), slices.Clone(names)
	}
	return p.run(ctx, p.some)
}

func (p *Program) begin() error {
	if !p.running.CompareAndSwap(false, true) {
		return errors.New("nn: the program is running already; a second goroutine needs a program of its own")
	}
	return nil
}

func (p *Program) run(ctx context.Context, need []bool) (err error) {
	for i := range p.nodes {
		if n := &p.nodes[i]; need[i] && n.op == nil && !n.set && !n.probes.fed {
			return fmt.Errorf("nn: input %s %v has not been set", n.name, n.shape)
		}
	}
	s := p.steady
	if s != nil {
		s.plan(p, need)
	}
	var at *state
	defer func() {
		if r := recover(); r != nil {
			err = at.panicked(r)
		}
	}()
	for i := range p.nodes {
		if !need[i] || s != nil && s.nodes[i].skips && !s.nodes[i].must {
			continue
		}
		at = &p.nodes[i]
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("nn: stopped before %s: %w", at.name, err)
		}
		if err := p.execute(at); err != nil {
			return err
		}
		at.done = true
		if s != nil {
			s.nodes[i].stale = false
		}
	}
	return nil
}

// execute runs one step and says how long it took, if anybody asks.
func (p *Program) execute(n *state) error {
	if p.options.Trace == nil || n.step.do == nothing {
		return n.step.run()
	}
	start := time.Now()
	err := n.step.run()
	if err == nil {
		p.options.Trace(n.work.first, time.Since(start))
	}
	return err
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
func (n *state) panicked(r any) error {
	s := &n.step
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
