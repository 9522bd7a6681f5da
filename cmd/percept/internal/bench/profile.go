package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"percept/nn"
)

// A Profile says where the time of one case goes.
type Profile struct {
	Name  string  `json:"name"`
	Total float64 `json:"total_s"` // sum over the nodes
	Nodes []Node  `json:"nodes"`   // in the order in which they run
}

// A Node is one step of a run.
type Node struct {
	Name   string  `json:"name"`
	Kind   string  `json:"kind"`
	Shape  []int   `json:"shape"` // in memory: channels last
	Median float64 `json:"median_s"`
	CPU    float64 `json:"cpu_s,omitempty"` // processor time of all threads
	FLOP   int64   `json:"flop,omitempty"`
}

// A Group sums up the nodes of one kind with as many rows, that is pixels or tokens.
type Group struct {
	Kind  string
	Rows  int
	Count int
	Time  float64
	CPU   float64
	FLOP  int64
}

// Layers runs a case and times each of its nodes.
func Layers(ctx context.Context, c Case, o Options) (Profile, error) {
	at := 0
	var times, cpu [][]float64
	var processor float64
	j, err := c.build(ctx, nn.Options{Trace: func(_ *nn.Node, d time.Duration) {
		if at == len(times) {
			times, cpu = append(times, nil), append(cpu, nil)
		}
		now := processorSeconds()
		times[at], cpu[at] = append(times[at], d.Seconds()), append(cpu[at], now-processor)
		at, processor = at+1, now
	}})
	if err != nil {
		return Profile{}, fmt.Errorf("%s: %w", c.Name, err)
	}
	p := Profile{Name: c.Name}
	nodes := j.program.Nodes()
	progress, end := o.progress("layers of " + c.Name)
	defer end()
	for i := range max(o.Runs, 1) + 1 {
		progress(i, o.Runs+1)
		at, processor = 0, processorSeconds()
		if err := j.program.Run(ctx); err != nil {
			return p, fmt.Errorf("%s: %w", c.Name, err)
		}
		if at != len(nodes) {
			return p, fmt.Errorf("%s: %d nodes were timed, expected %d", c.Name, at, len(nodes))
		}
	}
	for i, n := range nodes {
		t, c := median(times[i][1:]), median(cpu[i][1:]) // the first run warms up
		p.Nodes = append(p.Nodes, Node{n.Name(), kind(n), n.Shape(), t, c, 2 * n.MACs()})
		p.Total += t
	}
	return p, nil
}

// kind is the operation of a node, with what distinguishes convolutions and attentions.
func kind(n *nn.Node) string {
	k, shape := n.Kind(), n.Shape()
	if len(n.Operands()) == 0 || n.MACs() == 0 {
		return k
	}
	x := n.Operands()[0].Shape()
	switch {
	case strings.HasPrefix(k, "Conv2d") && len(x) == 4:
		taps := n.MACs() / int64(product(shape)*x[3])
		size := 1
		for int64(size*size) < taps {
			size++
		}
		k = strings.Replace(k, "Conv2d", fmt.Sprintf("Conv2d %d×%d", size, size), 1)
		if shape[1] != x[1] {
			k += fmt.Sprintf(" /%d", x[1]/shape[1])
		}
	case k == "Attention" && len(n.Operands()) > 1:
		if keys := n.Operands()[1].Shape()[1]; keys != x[1] {
			return fmt.Sprintf("Attention to %d", keys)
		}
		return "Attention to itself"
	}
	return k
}

// Groups sums the nodes up, the kind that takes longest first.
func (p Profile) Groups(bySize bool) []Group {
	type key struct {
		kind string
		rows int
	}
	sums := map[key]*Group{}
	for _, n := range p.Nodes {
		k := key{kind: n.Kind}
		if bySize {
			k.rows = product(n.Shape[:len(n.Shape)-1])
		}
		if sums[k] == nil {
			sums[k] = &Group{Kind: k.kind, Rows: k.rows}
		}
		g := sums[k]
		g.Count++
		g.Time += n.Median
		g.CPU += n.CPU
		g.FLOP += n.FLOP
	}
	var groups []Group
	for _, g := range sums {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(-cmp.Compare(a.Time, b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rows, b.Rows))
	})
	return groups
}

// Slowest returns the n nodes that take longest.
func (p Profile) Slowest(n int) []Node {
	nodes := slices.Clone(p.Nodes)
	slices.SortStableFunc(nodes, func(a, b Node) int { return -cmp.Compare(a.Median, b.Median) })
	return nodes[:min(n, len(nodes))]
}
