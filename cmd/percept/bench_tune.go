package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"percept/cmd/percept/internal/bench"
	"percept/internal/atomicfile"
	"percept/tensor"
)

// defaultPrice, in milliseconds a MiB of weights, lets the U-Net of SD v1.4 stay below 6 GiB.
const defaultPrice = 0.07

// newBenchTune makes the table of forms for this machine.
func newBenchTune(f *benchFlags) *cobra.Command {
	var out string
	var price float64
	cmd := &cobra.Command{
		Use:   "tune",
		Short: "Measure which form of convolution is best for which shape",
		Long: `Time every form of 3×3 convolution (implicit product, Winograd F(2×2), Winograd F(4×4)) for the shapes
of the table of forms in use, and write a table with the best. Networks choose by the table alone: with the
same table and kernel set results are the same, bit for bit, on every machine; with another table they are
not. The environment variable PERCEPT_FORMS names the table that commands use in place of the built-in one.

Add a line with any form to a table to have its shape measured.`,
		Example: `  percept bench tune --out forms.txt
  PERCEPT_FORMS=forms.txt percept demo --out demo
  PERCEPT_KERNELS=avx2 percept bench tune --out avx2.txt --runs 9`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.runs < 1 {
				return usageError{fmt.Errorf("--runs %d: expected 1 or more", f.runs)}
			}
			if !(price >= 0) {
				return usageError{fmt.Errorf("--price %g: expected 0 or more", price)}
			}
			if err := folderOf("--out", out); err != nil {
				return err
			}
			table := tensor.Forms()
			tunings, err := bench.Tune(cmd.Context(), table, price, f.options(cmd))
			if err != nil {
				return err
			}
			if out == "" {
				return bench.WriteForms(cmd.OutOrStdout(), table, tunings, price)
			}
			var text bytes.Buffer
			if err := bench.WriteForms(&text, table, tunings, price); err != nil {
				return err
			}
			if err := atomicfile.Write(out, text.Bytes()); err != nil {
				return fmt.Errorf("--out %s: %w", out, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write the table to, in place of the standard output")
	cmd.Flags().Float64Var(&price, "price", defaultPrice, "milliseconds that a form has to save for each MiB of weights")
	return cmd
}
