package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"percept/tensor"
)

// A Tuning is what was measured for one rule of a table of forms.
type Tuning struct {
	Rule   tensor.FormRule // with the form that was chosen
	Millis [3]float64      // of each form in the order of their values: the fastest of the runs, in milliseconds
	MiB    [3]float64      // of weights, in each form
}

// Tune times every form of the convolutions in a table's rules for the kernel set in use and chooses, for each, the one
// with the least time plus price times memory; price is in milliseconds a MiB. A form is worth its memory only where it
// saves that much: the weights of SD v1.4's U-Net would take 9 GiB in the fastest forms.
//
// The forms of one convolution take turns, so that a neighbour on the machine slows all of them, and the fastest run of
// each counts.
func Tune(ctx context.Context, t *tensor.FormTable, price float64, o Options) ([]Tuning, error) {
	var rules []tensor.FormRule
	for _, r := range t.Rules() {
		if r.Set == tensor.KernelSet() {
			rules = append(rules, r)
		}
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("the table of forms %s has no rules for the kernel set %s", t.Name(), tensor.KernelSet())
	}
	progress, end := o.progress("forms")
	defer end()
	var tunings []Tuning
	for i, r := range rules {
		progress(i, len(rules))
		tuning := Tuning{Rule: r}
		if err := tuning.measure(ctx, max(o.Runs, 1)); err != nil {
			return nil, err
		}
		best := 0.0
		for form := tensor.Implicit; form <= tensor.Winograd4; form++ {
			cost := tuning.Millis[form] + price*tuning.MiB[form]
			if form.Fits(r.Out, r.In, 3, 3) && (form == tensor.Implicit || cost < best) {
				tuning.Rule.Form, best = form, cost
			}
		}
		tunings = append(tunings, tuning)
	}
	progress(len(rules), len(rules))
	return tunings, nil
}

// measure times the forms of one convolution.
func (t *Tuning) measure(ctx context.Context, runs int) error {
	r := t.Rule
	random := rand.New(rand.NewPCG(1, 2))
	values := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = random.Float32() - 0.5
		}
		return x
	}
	w, x, y := values(r.Out*r.In*9), values(r.Side*r.Side*r.In), make([]float32, r.Side*r.Side*r.Out)
	g := tensor.ConvGeometry{N: 1, H: r.Side, W: r.Side, Stride: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1}
	var convs [3]*tensor.Conv2d
	var scratch [3][]float32
	for form := range tensor.Winograd4 + 1 {
		if !form.Fits(r.Out, r.In, 3, 3) {
			continue
		}
		c := tensor.NewConv2dForm(form, w, nil, r.Out, r.In, 3, 3)
		convs[form], scratch[form] = c, make([]float32, c.Scratch(g))
		t.MiB[form] = float64(c.WeightBytes()) / (1 << 20)
	}
	for run := range runs + 1 {
		for form, c := range convs {
			if c == nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			start := time.Now()
			repeat := 0
			for ; repeat == 0 || time.Since(start) < shortest; repeat++ {
				c.Forward(y, x, scratch[form], g)
			}
			ms := time.Since(start).Seconds() * 1e3 / float64(repeat)
			if run == 1 || run > 1 && ms < t.Millis[form] {
				t.Millis[form] = ms
			}
		}
	}
	return nil
}

// WriteForms writes a table with the measured rules, and behind them those of t for other kernel sets.
func WriteForms(w io.Writer, t *tensor.FormTable, tunings []Tuning, price float64) error {
	if _, err := fmt.Fprintf(w, "# kernel set, channels in, channels out, side of the pictures, form\n"+
		"# milliseconds and MiB of implicit, winograd2, winograd4; a MiB has to save %g ms\n", price); err != nil {
		return err
	}
	var measured []string
	for _, t := range tunings {
		measured = append(measured, t.Rule.Set)
		if _, err := fmt.Fprintf(w, "%-36v # %.3g %.3g %.3g ms; %.3g %.3g %.3g MiB\n", t.Rule,
			t.Millis[0], t.Millis[1], t.Millis[2], t.MiB[0], t.MiB[1], t.MiB[2]); err != nil {
			return err
		}
	}
	for _, r := range t.Rules() {
		if slices.Contains(measured, r.Set) {
			continue
		}
		if _, err := fmt.Fprintln(w, r); err != nil {
			return err
		}
	}
	return nil
}
