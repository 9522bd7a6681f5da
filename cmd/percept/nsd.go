package main

import (
	"github.com/spf13/cobra"
)

func newNSD() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "nsd",
		Short: "Check a tree of the Natural Scenes Dataset, and take responses out of it",
		Long: `The tree is the folder that holds nsddata, nsddata_betas and nsddata_stimuli as the dataset
distributes them. Nothing in it is ever written to.`,
		Example: `  percept nsd check /data/nsd
  percept nsd prepare --data /data/nsd --subject subj01 --roi nsdgeneral --zscore session --out subj01`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newNSDCheck(), newNSDPrepare())
	return cmd
}
