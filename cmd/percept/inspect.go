package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/cmd/percept/internal/look"
)

func newInspect() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a file or folder is, what is in it, and what reads it",
		Long: `Say what a file or folder is: its kind, its arrays or tensors with shape, axes and type as stored, which
axis is the rows where it is a table, what of Percept reads it and what will not. Headers are read, not
values; a part that cannot be read is listed with the reason.

Known are NIfTI-1 and -2, CIFTI-2, MGH, GIFTI, FreeSurfer's files, HDF5, MATLAB, npy and npz; features,
responses, models and folders that percept makes; safetensors and torch files and model folders; pictures;
experiments; NSD trees. What a file is its bytes tell, not its name.`,
		Example: `  percept inspect betas.nii.gz
  percept inspect data.mat --json
  percept inspect models/z.safetensors
  percept inspect stable-diffusion-v1-4`,
		Args: oneArg("a file or folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := look.At(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(r)
			}
			return printLook(cmd.OutOrStdout(), r, all)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write everything as JSON")
	cmd.Flags().BoolVar(&all, "all", false, "list all arrays, also of a file with very many")
	return cmd
}

// mostListed is how many arrays are listed unless all are asked for.
const mostListed = 40

func printLook(w io.Writer, r *look.Report, all bool) error {
	kind := r.Kind
	if r.Compression != "" {
		kind += ", " + r.Compression
	}
	if r.Bytes > 0 {
		kind += fmt.Sprintf(", %d bytes", r.Bytes)
	}
	fmt.Fprintf(w, "%s: %s\n", r.Path, kind)
	for _, line := range r.Details {
		fmt.Fprintf(w, "  %s\n", line)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for i, a := range r.Arrays {
		if i == mostListed && !all && len(r.Arrays) > mostListed+1 {
			fmt.Fprintf(t, "  … and %d more; --all lists them\n", len(r.Arrays)-i)
			break
		}
		shape := "[" + strings.Trim(strings.ReplaceAll(fmt.Sprint(a.Shape), " ", ", "), "[]") + "]"
		if len(a.Axes) > 0 {
			shape += " " + strings.Join(a.Axes, ", ")
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", a.Name, shape, a.Type, a.Note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Rows != "" {
		fmt.Fprintf(w, "rows: %s\n", r.Rows)
	}
	for _, line := range r.Reads {
		fmt.Fprintf(w, "read by: %s\n", line)
	}
	for _, line := range r.WillNot {
		fmt.Fprintf(w, "not read by: %s\n", line)
	}
	return nil
}
