package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"percept/cmd/percept/internal/bench"
	"percept/internal/atomicfile"
)

// newBenchRidge times a ridge regression with cross-validation.
func newBenchRidge(f *benchFlags) *cobra.Command {
	var r bench.Ridge
	var limit int64
	cmd := &cobra.Command{
		Use:   "ridge",
		Short: "Time a ridge regression with cross-validation",
		Long: `Fit a ridge regression whose penalties are chosen by cross-validation, once, and print the time and the
most memory of the process. The default size is that of a subject of the Natural Scenes Dataset: 8859 images,
5000 voxels, 6400 numbers of a latent image. bench/peers/ridge.py compares it with himalaya.`,
		Example: "  percept bench ridge --samples 2215 --features 1250 --targets 1600",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := folderOf("--json", f.json); err != nil {
				return err
			}
			if limit < 0 || limit > 1<<30 {
				return usageError{fmt.Errorf("--max-memory %d: expected 0 (no limit) or some MiB", limit)}
			}
			r.MaxMemory = limit << 20
			progress, end := f.options(cmd).Progress("ridge")
			defer end()
			result, err := r.Run(cmd.Context(), progress)
			if err != nil {
				return err
			}
			if f.json != "" {
				b, err := json.Marshal(result)
				if err != nil {
					return err
				}
				if err := atomicfile.Write(f.json, append(b, '\n')); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%.2f s, processor %.2f s, most memory %.2f GiB, mean score %.6g\n",
				result.Seconds, result.Processor, float64(result.MaxRSS)/(1<<30), result.Score)
			return err
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&r.Samples, "samples", 8859, "rows of X and Y")
	flags.IntVar(&r.Features, "features", 5000, "columns of X")
	flags.IntVar(&r.Targets, "targets", 6400, "columns of Y")
	flags.IntVar(&r.Folds, "folds", 5, "folds of the cross-validation")
	flags.IntVar(&r.Penalties, "penalties", 10, "penalties to choose from")
	flags.Int64Var(&limit, "max-memory", 0, "memory that the fit may take beyond the data, in MiB (0: no limit)")
	flags.StringVar(&r.Data, "data", "", "folder with x.f32 and y.f32 to fit instead of random data")
	return cmd
}
