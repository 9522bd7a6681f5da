// Command percept reconstructs what a person saw from fMRI with a latent diffusion model, and
// says what each part of that model has to do with which part of cortex.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"percept/internal/memlimit"
	"percept/tensor"
)

func main() { obey(os.Args[1:]) }

// leastMemory is what the smallest command takes beside the program and Go's own.
const leastMemory = 80 << 20

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "percept",
		Short: "Reconstruct what was seen from fMRI, and ask a diffusion model's layers about cortex",
		Long: `Percept decodes fMRI responses into the latent z and the text conditioning c of a
latent diffusion model, renders them (Takagi & Nishimoto, CVPR 2023), and scores the
pictures. Everything runs in this one binary.`,
		Example: `  percept demo --out demo       the whole pipeline on two simulated subjects
  percept generate --prompt "a red house under a blue sky" --out house.png
  percept verify golden         check every number against reference data`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	root.PersistentFlags().Int("threads", 0, "worker threads (0: all cores, or PERCEPT_THREADS)")
	root.PersistentFlags().Bool("verbose", false, "say what becomes of cached weights")
	root.PersistentFlags().Bool("quiet", false, "say nothing but errors; results are printed as ever")
	root.PersistentFlags().String("log-format", logText,
		"`format` of what is said on standard error: text, or json with an object a line (time, level, message)")
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if c, ok := cmd.Context().Value(callKey{}).(*call); ok {
			c.cmd.Store(cmd)
			if err := setLog(c, cmd); err != nil {
				return usageError{err}
			}
		}
		n, err := cmd.Flags().GetInt("threads")
		if err != nil || n < 0 || n > tensor.MaxThreads {
			return usageError{fmt.Errorf("--threads %d, expected 0 to %d", n, tensor.MaxThreads)}
		}
		if n > 0 {
			tensor.SetThreads(n)
		}
		if err := memlimit.Begin(leastMemory); err != nil {
			return err
		}
		return tensor.KernelError()
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newBench(), newDecode(), newDemo(), newGenerate(), newEvaluate(), newFeatures(), newFit(), newInspect(),
		newModel(), newNSD(), newRun(), newVerify(), newWeights(), newVersion())
	root.Version = version + revision()
	root.SetVersionTemplate("percept {{.Version}}\n")
	root.InitDefaultVersionFlag()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("completion")
	for _, c := range root.Commands() {
		switch c.Name() {
		case "completion": // takes any word for a reason to show its help
			c.Args, c.RunE = noArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		case "help":
			refuseUnknown(c)
		}
	}
	addCompletions(root)
	return root
}
