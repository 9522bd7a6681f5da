package nn

import "fmt"

// nodeProbes is what users asked of one node.
type nodeProbes struct {
	hooks   []hook
	edits   []edit
	replace func(y Value, x []Value) error
	keep    bool
	fed     bool
}

// asks says whether the node is to be computed even where no output needs it.
func (p *nodeProbes) asks() bool { return p.keep || len(p.hooks) > 0 }

type hook struct {
	path string // the name that was asked for, perhaps an alias
	f    func(path string, v Value)
}

type edit struct {
	path string
	f    func(path string, v Value) error
}

// probe serves the edits, then the hooks of a node.
func (s *step) probe() error {
	v := s.y
	for _, e := range s.edits {
		v.Path = e.path
		if err := e.f(e.path, v); err != nil {
			return fmt.Errorf("nn: edit of %s: %w", e.path, err)
		}
	}
	for _, h := range s.hooks {
		v.Path = h.path
		h.f(h.path, v)
	}
	return nil
}

// OnNode calls f in every run with the value of each node whose name matches glob, right after the
// node is computed and in the order of the graph; a node with several matching names is shown under
// each. f must not change the value and not hold on to it. A node that no output needs is computed
// when it is asked for.
//
// In a glob * stands for any characters but dots, ** for any characters, ? for one that is no dot,
// [a-c] for one of a class. "**.attn2" is every attn2, "up_blocks.*" the up blocks alone. An error
// lists the nearest names where none matches.
func (p *Program) OnNode(glob string, f func(path string, v Value)) error {
	return p.match(glob, func(n *state, name string) { n.probes.hooks = append(n.probes.hooks, hook{name, f}) })
}

// Keep makes the value of a node outlive the run, to be had from Value, and computes it even where
// no output needs it.
func (p *Program) Keep(path string) error {
	n, err := p.find(path)
	if err == nil && !n.probes.keep {
		n.probes.keep = true
		p.plan = nil
	}
	return err
}

// Edit lets f change the value of each node whose name matches glob, right after it is computed:
// f writes to v.Raw() or calls v.Set. All later nodes see the change, and so do hooks on the node. An
// error of f ends the run.
func (p *Program) Edit(glob string, f func(path string, v Value) error) error {
	return p.match(glob, func(n *state, name string) { n.probes.edits = append(n.probes.edits, edit{name, f}) })
}

// Replace computes a node by f in place of its operation: f writes all of y, by y.Raw() or y.Set, from
// the operands x, which it must not change. An error of f ends the run. A nil f takes the
// replacement back.
func (p *Program) Replace(path string, f func(y Value, x []Value) error) error {
	n, err := p.find(path)
	if err != nil {
		return err
	}
	if n.op == nil {
		return fmt.Errorf("nn: %s is an input; Set gives it a value", path)
	}
	n.probes.replace = f
	p.plan = nil
	return nil
}

// Feed gives a node a value, in the published order, that holds for all runs until another Feed. The
// node is not computed, nor is what only it needs. nil data takes the value back. To feed an input
// is to Set it.
func (p *Program) Feed(path string, data []float32) error {
	n, err := p.find(path)
	if err != nil {
		return err
	}
	if n.op == nil {
		return p.Set(n.name, data)
	}
	source := n.source
	switch {
	case data == nil && source == nil:
		return nil
	case data == nil:
		n.probes.fed, n.source, p.plan = false, nil, nil
		return nil
	case source == nil:
		source = p.memory.make(size(n.shape))
	}
	if err := n.value(path, source).Set(data); err != nil {
		return err
	}
	if !n.probes.fed {
		n.probes.fed, n.source, p.plan = true, source, nil
	}
	return nil
}

// ClearProbes takes back all that OnNode, Keep, Edit, Replace and Feed asked for, Options.Keep
// included.
func (p *Program) ClearProbes() {
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.probes.fed {
			n.source = nil
		}
		n.probes, n.asked = nodeProbes{}, false
	}
	p.plan = nil
}

// match calls f for every name that fits the glob.
func (p *Program) match(glob string, f func(n *state, name string)) error {
	re, err := compileGlob(glob)
	if err != nil {
		return err
	}
	found := false
	for i := range p.nodes {
		n := &p.nodes[i]
		for k := -1; k < len(n.aliases); k++ {
			name := n.name
			if k >= 0 {
				name = n.aliases[k]
			}
			if re.MatchString(name) {
				f(n, name)
				found = true
			}
		}
	}
	if !found {
		return &NameError{glob, nearest(glob, p.Names())}
	}
	p.plan = nil
	return nil
}
