package nn

import (
	"fmt"
	"math"
)

// steadiness is what a Program knows of the nodes that depend on steady inputs alone (Options.Steady): their values stay
// as long as those of the inputs do. Such a node whose value other nodes need is kept in memory of its own and computed
// anew only when an input has changed; what only such nodes need is computed with them. A node that somebody looks at
// is computed in every run as ever, and so is what follows an edited one.
type steadiness struct {
	nodes []steadyNode
	order []int // constant nodes that are steps or views, in the order of the graph
}

// A steadyNode is what steadiness knows of a node.
type steadyNode struct {
	input    bool // is steady
	constant bool // has the same value as long as the steady inputs have theirs
	skips    bool // a run may leave it out
	keeps    bool // it is skipped and others need it
	stale    bool // an input: set to other values since the last run; another: not computed since its inputs were
	must     bool // it may be skipped, but not in this run
}

func newSteadiness(p *Program, names []string) (*steadiness, error) {
	if len(names) == 0 {
		return nil, nil
	}
	s := &steadiness{nodes: make([]steadyNode, len(p.nodes))}
	for _, name := range names {
		n, err := p.find(name)
		if err != nil {
			return nil, err
		}
		if n.op != nil {
			return nil, fmt.Errorf("nn: %s is no input and cannot be steady", name)
		}
		s.nodes[n.id].input = true
	}
	return s, nil
}

// constants finds the nodes that are constant as the probes stand. Without steady inputs there is none.
func (p *Program) constants() []bool {
	c := make([]bool, len(p.nodes))
	if p.steady == nil {
		return c
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		do := n.action()
		if n.op == nil {
			c[i] = p.steady.nodes[i].input && do == nothing
		} else {
			c[i] = !n.probes.fed && (do == compute || do == nothing)
			for _, x := range n.in {
				c[i] = c[i] && c[x.id]
			}
		}
		p.steady.nodes[i].constant = c[i]
	}
	return c
}

// settle decides which constant nodes are skipped and kept. The work is known by now.
func (s *steadiness) settle(p *Program, live []bool) {
	s.order = nil
	for i := range s.nodes {
		n, c := &p.nodes[i], &s.nodes[i]
		c.skips, c.stale = false, true
		if live[i] && c.constant && n.op != nil && !n.work.absorbed {
			s.order = append(s.order, i)
			c.skips = n.action() == compute && len(n.probes.hooks) == 0
		}
	}
	needed := make([]bool, len(s.nodes)) // by a step that is never skipped, perhaps through views
	for i := len(s.nodes) - 1; i >= 0; i-- {
		n, c := &p.nodes[i], &s.nodes[i]
		kept := needed[i] || n.asked || n.outlives()
		c.keeps = c.skips && kept
		switch seen := kept || len(n.probes.hooks) > 0; {
		case !live[i] || n.work.absorbed || n.probes.fed || c.skips:
		case n.action() != nothing || seen: // a view looks at its operand only where somebody looks at the view
			for _, x := range n.work.in {
				needed[x.id] = true
			}
		}
	}
}

// plan says which nodes have to be computed in a run of the needed ones though they may be skipped.
func (s *steadiness) plan(p *Program, need []bool) {
	for _, i := range s.order {
		c := &s.nodes[i]
		for _, x := range p.nodes[i].work.in {
			c.stale = c.stale || s.nodes[x.id].stale
		}
		c.must = false
	}
	for i := range s.nodes {
		c := &s.nodes[i]
		c.stale = c.stale && !c.input
	}
	for k := len(s.order) - 1; k >= 0; k-- {
		i := s.order[k]
		c := &s.nodes[i]
		if c.keeps {
			c.must = c.stale
		}
		if !need[i] || !c.must {
			continue
		}
		for _, x := range p.nodes[i].work.in {
			s.nodes[x.id].must = true // of kept ones this is decided above
		}
	}
}

// sameBits says whether two slices of one length are equal bit for bit.
func sameBits(a, b []float32) bool {
	for i, v := range a {
		if math.Float32bits(v) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}
