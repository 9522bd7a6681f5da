package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"percept/tensor"
)

// version is the release; build information is added where the toolchain recorded it.
const version = "0.1.0"

func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print version, kernel set and toolchain",
		Example: "  percept version",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON(cmd) {
				return printJSON(cmd, struct {
					Version  string `json:"version"`
					Revision string `json:"revision,omitempty"`
					Kernels  string `json:"kernels"`
					Threads  int    `json:"threads"`
					Go       string `json:"go"`
					OS       string `json:"os"`
					Arch     string `json:"arch"`
				}{version, strings.Trim(revision(), " ()"), tensor.KernelSet(), tensor.Threads(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "percept %s%s\nkernels %s, %d threads\n%s %s/%s\n",
				version, revision(), tensor.KernelSet(), tensor.Threads(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	addJSON(cmd)
	return cmd
}

// revision returns " (commit)" where the binary knows it.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
