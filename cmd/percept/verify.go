package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"percept/internal/verify"
)

func newVerify() *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check every number against a folder of reference data",
		Long: `Run every case of a folder of reference values (computed with torch, diffusers, scikit-learn and
others) and print case, largest error, tolerance and result. Any folder of the same layout will
do, whatever its seeds and sizes. A failed or unknown case ends with exit status 1.`,
		Example: `  percept verify golden
  percept verify golden --only tiny`,
		Args: oneArg("the folder of reference data"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !asJSON(cmd) {
				_, err := verify.Run(cmd.Context(), args[0], only, cmd.OutOrStdout())
				return err
			}
			b := logOf(cmd).Start("verify " + args[0])
			defer b.Drop()
			sum, err := verify.Run(cmd.Context(), args[0], only, io.Discard)
			if len(sum.Cases) > 0 && cmd.Context().Err() == nil {
				err = errors.Join(printJSON(cmd, sum), err)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "run the cases whose names begin with this")
	addJSON(cmd)
	return cmd
}
