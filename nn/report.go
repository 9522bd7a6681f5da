package nn

import "fmt"

// A Report says what a Program is and how much memory it takes. Memory is in bytes; weights are
// not counted.
type Report struct {
	Nodes   int // of the graph, inputs included
	Steps   int // nodes that Run computes, looks at or is given, fused ones aside
	InPlace int // that overwrite an operand
	Views   int // that are another operand's memory
	Steady  int // that are computed again only when an input has changed
	Fused   int // that are computed in the step of a later one, without lying in memory

	Arena   int // for intermediate values and workspaces, shared by liveness
	Peak    int // what is alive at the worst moment: the smallest possible arena
	Sum     int // what all intermediate values would take side by side
	Private int // for inputs, outputs, kept and fed nodes
}

// Report plans the memory if it is not yet planned, and describes it.
func (p *Program) Report() Report {
	p.lay()
	r := Report{Nodes: len(p.nodes), InPlace: p.plan.inPlace, Views: p.plan.views,
		Arena: 4 * p.plan.arena, Peak: 4 * p.plan.peak, Sum: 4 * p.plan.sum}
	for i := range p.nodes {
		n := &p.nodes[i]
		switch {
		case n.work.absorbed:
			r.Fused++
		case p.all[i]:
			r.Steps++
			if p.steady != nil && p.steady.nodes[i].skips {
				r.Steady++
			}
		}
		if n.source != nil {
			r.Private += 4 * size(n.shape)
		}
		if p.plan.private[i] {
			r.Private += 4 * size(n.shape)
		}
	}
	return r
}

func (r Report) String() string {
	const mib = 1 << 20
	return fmt.Sprintf("%d nodes, %d steps (%d in place, %d views), %d steady, %d fused; arena %.1f MiB of %.1f MiB activations (least possible %.1f), private %.1f MiB",
		r.Nodes, r.Steps, r.InPlace, r.Views, r.Steady, r.Fused, float64(r.Arena)/mib, float64(r.Sum)/mib, float64(r.Peak)/mib, float64(r.Private)/mib)
}
