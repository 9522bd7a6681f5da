package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"percept/cmd/percept/internal/bench"
)

// newBenchAlgebra times the linear algebra of ridge regression.
func newBenchAlgebra(f *benchFlags) *cobra.Command {
	var a bench.Algebra
	var serve bool
	cmd := &cobra.Command{
		Use:   "algebra",
		Short: "Time the linear algebra of ridge regression",
		Long: `Time what ridge regression is made of, in float32 and float64, at the size of a subject of NSD: 8859
trials, 5000 features, 6400 targets, a fifth of the trials left out. The share of the peak is that of
float32, of which float64 can reach a half.`,
		Example: "  percept bench algebra --only '*-float32' --threads 1\n  percept bench algebra --size 0.4",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(a.Size > 0) || a.Size > 4 {
				return usageError{fmt.Errorf("--size %g: expected a number from 0 to 4", a.Size)}
			}
			if serve {
				return a.Serve(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
			}
			return f.algebra(cmd, a)
		},
	}
	cmd.Flags().Float64Var(&a.Size, "size", 1, "size of the matrices, as a part of NSD's")
	cmd.Flags().BoolVar(&serve, "serve", false, "answer commands on standard input instead")
	if err := cmd.Flags().MarkHidden("serve"); err != nil {
		panic(err)
	}
	return cmd
}

func (f *benchFlags) algebra(cmd *cobra.Command, a bench.Algebra) error {
	r := bench.NewReport()
	o := f.options(cmd)
	for _, name := range a.Names() {
		if !matches(f.only, name) {
			continue
		}
		if f.list {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), name); err != nil {
				return err
			}
			continue
		}
		op, err := a.Operation(name)
		if err != nil {
			return err
		}
		result, err := op.Time(cmd.Context(), o)
		if err != nil {
			return err
		}
		r.Results = append(r.Results, result)
	}
	if f.list {
		return nil
	}
	if len(r.Results) == 0 {
		return usageError{fmt.Errorf("--only %s: fits none of %s", f.only, strings.Join(a.Names(), ", "))}
	}
	r.Remeasure()
	if f.json != "" {
		if err := r.WriteFile(f.json); err != nil {
			return fmt.Errorf("--json %s: %w", f.json, err)
		}
	}
	return r.Print(cmd.OutOrStdout())
}

// matches says whether a name fits one of the comma-separated patterns, or there are none.
func matches(patterns, name string) bool {
	for p := range strings.SplitSeq(patterns, ",") {
		if ok, err := path.Match(p, name); patterns == "" || err == nil && ok {
			return true
		}
	}
	return false
}
