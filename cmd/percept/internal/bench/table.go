package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"percept/internal/atomicfile"
)

// Print writes the report as tables.
func (r *Report) Print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "kernels %s, threads %d, multiply-adds alone %.1f GFLOP/s", r.Kernels, r.Threads, r.Peak/1e9)
	if r.MaxRSS > 0 {
		fmt.Fprintf(w, ", most memory %.2f GiB", float64(r.MaxRSS)/(1<<30))
	}
	fmt.Fprintln(w)
	if len(r.Results) > 0 {
		fmt.Fprintf(out, "\nmedian\tmin\tprocessor\tGFLOP\tGFLOP/s\tof peak\tGB/s\t  %s\t\n", "name")
	}
	for _, x := range r.Results {
		bandwidth := ""
		if x.Bytes > 0 {
			bandwidth = fmt.Sprintf("%.1f", float64(x.Bytes)/x.Median/1e9)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t  %s\t\n",
			seconds(x.Median), seconds(x.Min), seconds(x.CPU), r.rates(x.FLOP, x.Median), bandwidth, x.Name)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, p := range r.Layers {
		r.layers(out, p)
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// layers writes the kinds of a profile, the kinds by size, and the slowest nodes.
func (r *Report) layers(out io.Writer, p Profile) {
	const slowest = 20
	figures := func(t, cpu float64, flop int64) string {
		return fmt.Sprintf("%s\t%s\t%.1f %%\t%s", seconds(t), seconds(cpu), 100*t/p.Total, r.rates(flop, t))
	}
	fmt.Fprintf(out, "\n%s: %d nodes, %s\n", p.Name, len(p.Nodes), seconds(p.Total))
	fmt.Fprintf(out, "time\tprocessor\tshare\tGFLOP\tGFLOP/s\tof peak\tnodes\t  kind\t\n")
	for _, g := range p.Groups(false) {
		fmt.Fprintf(out, "%s\t%d\t  %s\t\n", figures(g.Time, g.CPU, g.FLOP), g.Count, g.Kind)
	}
	fmt.Fprintf(out, "\ntime\tprocessor\tshare\tGFLOP\tGFLOP/s\tof peak\tnodes\trows\t  kind\t\n")
	for _, g := range p.Groups(true) {
		fmt.Fprintf(out, "%s\t%d\t%d\t  %s\t\n", figures(g.Time, g.CPU, g.FLOP), g.Count, g.Rows, g.Kind)
	}
	fmt.Fprintf(out, "\ntime\tprocessor\tshare\tGFLOP\tGFLOP/s\tof peak\tshape\tkind\t  node\t\n")
	for _, n := range p.Slowest(slowest) {
		fmt.Fprintf(out, "%s\t%s\t%s\t  %s\t\n", figures(n.Median, n.CPU, n.FLOP),
			strings.Trim(strings.ReplaceAll(fmt.Sprint(n.Shape), " ", "×"), "[]"), n.Kind, n.Name)
	}
}

// rates are three columns: work, rate and share of the peak.
func (r *Report) rates(flop int64, t float64) string {
	if flop == 0 {
		return "\t\t"
	}
	speed := float64(flop) / t
	return fmt.Sprintf("%.4g\t%.1f\t%.0f %%", float64(flop)/1e9, speed/1e9, 100*speed/r.Peak)
}

// seconds is a time with three digits or more.
func seconds(s float64) string {
	switch {
	case s >= 1:
		return fmt.Sprintf("%.3f s", s)
	case s >= 1e-3:
		return fmt.Sprintf("%.2f ms", 1e3*s)
	}
	return fmt.Sprintf("%.1f µs", 1e6*s)
}

// WriteFile writes the report as JSON.
func (r *Report) WriteFile(path string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(b, '\n'))
}
