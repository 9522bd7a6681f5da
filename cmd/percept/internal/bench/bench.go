// Package bench times the models at the size of Stable Diffusion v1.4 and the operations they are made of, with
// generated weights, so that no checkpoint is needed.
package bench

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"percept/nn"
	"percept/tensor"
)

// A Case is one thing that is timed.
type Case struct {
	Name  string
	Model bool // a whole network; otherwise one operation

	// build makes the program; the inputs are set. A network's weights are made, or taken from the case before.
	build func(ctx context.Context, o nn.Options) (*job, error)
}

// A job is a case that is ready to run.
type job struct {
	program *nn.Program
	target  string // the node or output that is wanted
	whole   bool   // run the program, not only what target needs
	bytes   int64  // that have to be read or written at least, of operations bound by memory; otherwise 0
}

func (j *job) run(ctx context.Context) error {
	if j.whole {
		return j.program.Run(ctx)
	}
	return j.program.RunTo(ctx, j.target)
}

// output is the result of the last run.
func (j *job) output() (data []float32, shape []int, err error) {
	if j.whole {
		return j.program.Output(j.target), j.program.OutputShape(j.target), nil
	}
	v, err := j.program.Value(j.target)
	if err != nil {
		return nil, nil, err
	}
	return v.Data(), v.Shape, nil
}

// flops counts two operations for every multiplication with an addition in the products that a run computes by their
// definition.
func (j *job) flops() int64 {
	var sum int64
	for _, n := range j.program.Nodes() {
		sum += 2 * n.MACs()
	}
	return sum
}

// Options say what is timed and how.
type Options struct {
	Runs int // timed runs of each case, after one that is not

	// Progress, if not nil, is told what is being done: it returns a function for how much of it is done, and one for
	// its end.
	Progress func(what string) (progress func(done, total int), end func())
}

// Choose returns the cases whose names match one of the comma-separated patterns of path.Match; all for "".
func Choose(cases []Case, patterns string) ([]Case, error) {
	if patterns == "" {
		return cases, nil
	}
	var chosen []Case
	var names []string
	list := strings.Split(patterns, ",")
	used := make([]bool, len(list))
	for _, c := range cases {
		names = append(names, c.Name)
		matched := false
		for i, p := range list {
			ok, err := path.Match(p, c.Name)
			if err != nil {
				return nil, fmt.Errorf("pattern %q: expected letters, *, ?, [ranges]", p)
			}
			used[i] = used[i] || ok
			matched = matched || ok
		}
		if matched {
			chosen = append(chosen, c)
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, fmt.Errorf("pattern %q fits none of %s", list[i], strings.Join(names, ", "))
	}
	return chosen, nil
}

// A Result is what was measured of one case. Times are of one run, in seconds.
type Result struct {
	Name   string    `json:"name"`
	Model  bool      `json:"model"`
	Median float64   `json:"median_s"`
	Min    float64   `json:"min_s"`
	Times  []float64 `json:"times_s"`
	CPU    float64   `json:"cpu_s,omitempty"` // processor time of the median run, of all threads
	FLOP   int64     `json:"flop,omitempty"`  // of the products, by their definition
	Bytes  int64     `json:"bytes,omitempty"` // that have to be read and written
}

// shortest is how long a run of a small operation is repeated to be timed, and how long it warms up.
const shortest = 2 * time.Millisecond

// Time measures one case.
func Time(ctx context.Context, c Case, o Options) (Result, error) {
	r := Result{Name: c.Name, Model: c.Model}
	j, err := c.build(ctx, nn.Options{})
	if err != nil {
		return r, fmt.Errorf("%s: %w", c.Name, err)
	}
	r.Bytes = j.bytes
	repeat := 0
	for start := time.Now(); repeat == 0 || time.Since(start) < shortest; repeat++ {
		if err := j.run(ctx); err != nil {
			return r, fmt.Errorf("%s: %w", c.Name, err)
		}
	}
	r.FLOP = j.flops()
	return r, r.measure(ctx, o, repeat, j.run)
}

// measure fills the times in, each the mean of repeat calls of run.
func (r *Result) measure(ctx context.Context, o Options, repeat int, run func(context.Context) error) error {
	progress, end := o.progress(r.Name)
	defer end()
	var cpu []float64
	for i := range max(o.Runs, 1) {
		progress(i, o.Runs)
		start, processor := time.Now(), processorSeconds()
		for range repeat {
			if err := cmp.Or(run(ctx), ctx.Err()); err != nil {
				return fmt.Errorf("%s: %w", r.Name, err)
			}
		}
		r.Times = append(r.Times, time.Since(start).Seconds()/float64(repeat))
		cpu = append(cpu, (processorSeconds()-processor)/float64(repeat))
	}
	r.Median, r.Min, r.CPU = median(r.Times), slices.Min(r.Times), median(cpu)
	return nil
}

func (o Options) progress(what string) (progress func(done, total int), end func()) {
	if o.Progress == nil {
		return func(int, int) {}, func() {}
	}
	return o.Progress(what)
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// A Report is what was measured in one call, and on what.
type Report struct {
	Kernels string    `json:"kernels"`
	Threads int       `json:"threads"`
	Peak    float64   `json:"peak_flops"` // operations a second that multiply-adds reach without memory
	MaxRSS  int64     `json:"max_rss_bytes,omitempty"`
	Results []Result  `json:"results,omitempty"`
	Layers  []Profile `json:"layers,omitempty"`
}

// NewReport measures the machine.
func NewReport() *Report {
	r := &Report{Kernels: tensor.KernelSet(), Threads: tensor.Threads()}
	r.Remeasure()
	return r
}

// Remeasure keeps the best peak, since others may have used the machine when it was measured.
func (r *Report) Remeasure() {
	r.Peak = max(r.Peak, tensor.PeakFMA(r.Threads))
	r.MaxRSS = maxRSS()
}
