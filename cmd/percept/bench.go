package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"percept/cmd/percept/internal/bench"
)

// benchFlags are those of bench and its subcommands.
type benchFlags struct {
	runs   int
	only   string
	json   string
	sizes  string
	layers bool
	list   bool
}

func newBench() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench [command]",
		Short: "Time the models and the operations they are made of",
		Long: `Time operations (kernels) and whole networks (models) at the size of Stable Diffusion v1.4, with
generated weights. The table has

  median, min  the time of a run
  processor    its processor time on all threads: less than threads × median says that others used
               the machine, and is then the better figure
  GFLOP        arithmetic of its products by their definition, a multiply-add being two operations
  GFLOP/s      the rate that this makes; an algorithm that multiplies less may exceed the machine's
  of peak      its share of what multiply-adds reach here when they touch no memory
  GB/s         what has to be read and written, for operations that memory bounds

Without a command both are timed. The U-Net needs about 5 GiB of memory.`,
		Example: `  percept bench --runs 5 --json bench.json
  percept bench models --only 'unet-*' --unet 1x4x64x64,2x4x64x64
  percept bench models --only unet-1x4x64x64 --layers
  percept bench kernels --only 'product-*,conv*' --threads 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, true, true) },
	}
	flags := cmd.PersistentFlags()
	flags.IntVar(&f.runs, "runs", 3, "timed runs of each, after one that is not timed")
	flags.StringVar(&f.only, "only", "", "time those whose names match one of these patterns, separated by commas")
	flags.StringVar(&f.json, "json", "", "write the figures to this file as well")
	flags.StringVar(&f.sizes, "unet", bench.DefaultLatents, "sizes of the U-Net's latents: batch x channels x height x width")
	flags.BoolVar(&f.layers, "layers", false, "say where the time goes, by kind of operation and by node")
	flags.BoolVar(&f.list, "list", false, "print the names and time nothing")
	cmd.AddCommand(
		newBenchTune(&f),
		newBenchAlgebra(&f),
		newBenchRidge(&f),
		&cobra.Command{
			Use:     "kernels",
			Short:   "Time operations at the sizes of the U-Net",
			Example: "  percept bench kernels --only 'attention-*'",
			Args:    noArgs,
			RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, false, true) },
		},
		&cobra.Command{
			Use:     "models",
			Short:   "Time U-Net, VAE and text encoder",
			Example: "  percept bench models --only 'vae-*'",
			Args:    noArgs,
			RunE:    func(cmd *cobra.Command, args []string) error { return f.run(cmd, true, false) },
		},
		&cobra.Command{
			Use:    "serve",
			Short:  "Answer commands on standard input, for programs that time this one in turn with others",
			Hidden: true,
			Args:   noArgs,
			RunE: func(cmd *cobra.Command, args []string) error {
				cases, err := f.cases(cmd, bench.Options{}, true, true)
				if err != nil {
					return err
				}
				return bench.Serve(cmd.Context(), cases, cmd.InOrStdin(), cmd.OutOrStdout())
			},
		})
	return cmd
}

// cases returns what the flags choose.
func (f *benchFlags) cases(cmd *cobra.Command, o bench.Options, models, kernels bool) ([]bench.Case, error) {
	if f.runs < 1 {
		return nil, usageError{fmt.Errorf("--runs %d: expected 1 or more", f.runs)}
	}
	var cases []bench.Case
	if kernels {
		cases = bench.Kernels()
	}
	if models {
		m := bench.NewModels(o)
		m.Latents = f.sizes
		of, err := m.Cases()
		if err != nil {
			return nil, usageError{fmt.Errorf("--unet: %w", err)}
		}
		cases = append(cases, of...)
	}
	cases, err := bench.Choose(cases, f.only)
	if err != nil {
		return nil, usageError{fmt.Errorf("--only: %w", err)}
	}
	return cases, nil
}

func (f *benchFlags) options(cmd *cobra.Command) bench.Options {
	return bench.Options{Runs: f.runs, Progress: func(what string) (func(done, total int), func()) {
		b := logOf(cmd).Start(what)
		return b.Progress, func() { b.End(false) }
	}}
}

func (f *benchFlags) run(cmd *cobra.Command, models, kernels bool) error {
	o := f.options(cmd)
	cases, err := f.cases(cmd, o, models, kernels)
	if err != nil {
		return err
	}
	if f.list {
		for _, c := range cases {
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), c.Name); err != nil {
				return err
			}
		}
		return nil
	}
	if err := folderOf("--json", f.json); err != nil {
		return err
	}
	r := bench.NewReport()
	for _, c := range cases {
		if f.layers {
			p, err := bench.Layers(cmd.Context(), c, o)
			if err != nil {
				return err
			}
			r.Layers = append(r.Layers, p)
			continue
		}
		x, err := bench.Time(cmd.Context(), c, o)
		if err != nil {
			return err
		}
		r.Results = append(r.Results, x)
	}
	r.Remeasure()
	if err := r.Print(cmd.OutOrStdout()); err != nil {
		return err
	}
	if f.json != "" {
		return r.WriteFile(f.json)
	}
	return nil
}

// folderOf refuses a file, unless it is "", in a folder that is not there: better now than after minutes of measuring.
func folderOf(flag, file string) error {
	if file == "" {
		return nil
	}
	dir := filepath.Dir(file)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s %s: %s is no folder", flag, file, dir)
	}
	return nil
}
