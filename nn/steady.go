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
	inputs   []bool // that are steady
	constant []bool // nodes, the inputs among them, with the same value as long as the steady inputs have theirs
	skips    []bool // constant nodes that a run may leave out
	keeps    []bool // skipped nodes that others need
	order    []int  // constant nodes that are steps or views, in the order of the graph
	stale    []bool // of inputs: set to other values since the last run; of nodes: not computed since their inputs were
	must     []bool // skipped nodes that this run has to compute all the same
}

func newSteadiness(p *Program, names []string) (*steadiness, error) {
	if len(names) == 0 {
		return nil, nil
	}
	s := &steadiness{inputs: make([]bool, len(p.nodes)), stale: make([]bool, len(p.nodes)), must: make([]bool, len(p.nodes))}
	for _, name := range names {
		i, err := p.find(name)
		if err != nil {
			return nil, err
		}
		if p.nodes[i].op != nil {
			return nil, fmt.Errorf("nn: %s is no input and cannot be steady", name)
		}
		s.inputs[i] = true
	}
	return s, nil
}

// constants finds the nodes that are constant as the probes stand. Without steady inputs there is none.
func (p *Program) constants() []bool {
	c := make([]bool, len(p.nodes))
	if p.steady == nil {
		return c
	}
	for i, n := range p.nodes {
		if n.op == nil {
			c[i] = p.steady.inputs[i] && p.action(i) == nothing
			continue
		}
		c[i] = !p.probes[i].fed && (p.action(i) == compute || p.action(i) == nothing)
		for _, x := range n.in {
			c[i] = c[i] && c[x.id]
		}
	}
	p.steady.constant = c
	return c
}

// settle decides which constant nodes are skipped and kept. The work is known by now.
func (s *steadiness) settle(p *Program, live []bool) {
	n := len(p.nodes)
	s.skips, s.keeps, s.order = make([]bool, n), make([]bool, n), nil
	for i := range n {
		if live[i] && s.constant[i] && p.nodes[i].op != nil && !p.work[i].absorbed {
			s.order = append(s.order, i)
			s.skips[i] = p.action(i) == compute && len(p.probes[i].hooks) == 0
		}
		s.stale[i] = true
	}
	needed := make([]bool, n) // by a step that is never skipped, perhaps through views
	for i := n - 1; i >= 0; i-- {
		kept := needed[i] || p.asked[i] || p.outlives(i)
		s.keeps[i] = s.skips[i] && kept
		switch seen := kept || len(p.probes[i].hooks) > 0; {
		case !live[i] || p.work[i].absorbed || p.probes[i].fed || s.skips[i]:
		case p.action(i) != nothing || seen: // a view looks at its operand only where somebody looks at the view
			for _, x := range p.work[i].in {
				needed[x.id] = true
			}
		}
	}
}

// plan says which nodes have to be computed in a run of the needed ones though they may be skipped.
func (s *steadiness) plan(p *Program, need []bool) {
	for _, i := range s.order {
		for _, x := range p.work[i].in {
			s.stale[i] = s.stale[i] || s.stale[x.id]
		}
		s.must[i] = false
	}
	for i, steady := range s.inputs {
		s.stale[i] = s.stale[i] && !steady
	}
	for k := len(s.order) - 1; k >= 0; k-- {
		i := s.order[k]
		if s.keeps[i] {
			s.must[i] = s.stale[i]
		}
		if !need[i] || !s.must[i] {
			continue
		}
		for _, x := range p.work[i].in {
			s.must[x.id] = true // of kept ones this is decided above
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
