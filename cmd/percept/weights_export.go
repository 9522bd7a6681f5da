package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"percept/weights"
	"percept/weights/embedded"
)

func newWeightsExport() *cobra.Command {
	var dtype string
	var force bool
	cmd := &cobra.Command{
		Use:   "export OUT",
		Short: "Write the embedded model to a model folder",
		Long: `Write the small model that is part of the program to a folder in diffusers' layout, which diffusers loads as
well: to look at, to change, or to try a command on that wants a model folder.`,
		Example: `  percept weights export small
  percept weights export small --dtype float32
  percept generate --model small --prompt "a red house under a blue sky"`,
		Args: oneArg("a folder to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := weightType(dtype)
			if err != nil {
				return err
			}
			f, err := weights.OpenFolderFS(embedded.FS(), "embedded")
			if err != nil {
				return err
			}
			defer f.Close()
			want := map[weights.Component]map[string][]int{}
			for c, part := range f.Parts {
				if want[c], err = parameters(c, part.Config); err != nil {
					return fmt.Errorf("embedded: %s: %w", part.ConfigFile, err)
				}
			}
			show := partBars{log: logOf(cmd), title: "write "}
			written, err := weights.Export(cmd.Context(), f, args[0],
				weights.ExportOptions{DType: d, Parameters: want, Replace: force, Progress: show.progress})
			if err := show.end(err); err != nil {
				return err
			}
			return listExported(cmd, args[0], written)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dtype, "dtype", "", "`type` of the weights written: float32, float16 or bfloat16 (default: as they are, float16)")
	f.BoolVar(&force, "force", false, "replace OUT if it is a model folder")
	addJSON(cmd)
	return cmd
}
