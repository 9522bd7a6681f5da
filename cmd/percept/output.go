package main

import (
	"encoding/json"

	"github.com/spf13/cobra"
)

// addJSON adds --json to a command that prints a table.
func addJSON(cmd *cobra.Command) {
	cmd.Flags().Bool("json", false, "print the result as one JSON document in place of text")
}

// asJSON says whether --json is given.
func asJSON(cmd *cobra.Command) bool {
	given, err := cmd.Flags().GetBool("json")
	return err == nil && given
}

// printJSON prints a result as one document.
func printJSON(cmd *cobra.Command, v any) error {
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
