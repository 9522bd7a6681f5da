// Command percept reconstructs what a person saw from fMRI with a latent diffusion model, and
// says what each part of that model has to do with which part of cortex.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"percept/internal/memlimit"
	"percept/tensor"
	"percept/weights/packed"
)

// Exit statuses: 0 success, 1 failure, 2 wrong usage.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// leastMemory is what the smallest command takes beside the program and Go's own.
const leastMemory = 80 << 20

// usageError marks an error that is the caller's: a wrong flag, argument or command.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	defer func() {
		// A panic here is our bug; the user still gets one line instead of a trace.
		if r := recover(); r != nil {
			fmt.Fprintf(stderr, "percept: internal error: %v (please report it with the command line)\n", r)
			if os.Getenv("PERCEPT_TRACE") != "" {
				fmt.Fprintf(stderr, "%s\n", debug.Stack())
			}
			code = exitFailure
		}
	}()
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		if err := packed.Wait(ctx); err != nil { // or the next start would have to pack again
			fmt.Fprintf(stderr, "percept: %v\n", oneLine(err))
			return exitFailure
		}
		return 0
	}
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command") {
		// All flags would push what is wrong off the screen.
		fmt.Fprintf(stderr, "percept: %v\nUsage: %s; %s --help has more\n", oneLine(err), cmd.UseLine(), cmd.CommandPath())
		return exitUsage
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(stderr, "percept: interrupted; run the same command again to go on")
		return exitFailure
	}
	var several interface{ Lines() []string }
	if errors.As(err, &several) {
		for _, line := range several.Lines() {
			fmt.Fprintf(stderr, "percept: %s\n", line)
		}
		return exitFailure
	}
	fmt.Fprintf(stderr, "percept: %v\n", oneLine(err))
	return exitFailure
}

// oneLine keeps an error on a single line, whatever was wrapped in it.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "percept",
		Short: "Reconstruct what was seen from fMRI, and ask a diffusion model's layers about cortex",
		Long: `Percept decodes fMRI responses into the latent z and the text conditioning c of a
latent diffusion model, renders them (Takagi & Nishimoto, CVPR 2023), and scores the
pictures. Everything runs in this one binary.`,
		Example: `  percept demo --out demo       the whole pipeline on a simulated subject
  percept generate --prompt "a red house under a blue sky" --out house.png
  percept verify golden         check every number against reference data`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	root.PersistentFlags().Int("threads", 0, "worker threads (0: all cores, or PERCEPT_THREADS)")
	root.PersistentFlags().Bool("verbose", false, "say what becomes of cached weights")
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		n, err := cmd.Flags().GetInt("threads")
		if err != nil || n < 0 {
			return usageError{fmt.Errorf("--threads %d: expected 0 or more", n)}
		}
		if n > 0 {
			tensor.SetThreads(n)
		}
		if err := memlimit.Begin(leastMemory); err != nil {
			return err
		}
		return tensor.KernelError()
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newBench(), newDecode(), newDemo(), newGenerate(), newEvaluate(), newFeatures(), newFit(), newInspect(),
		newModel(), newNSD(), newRun(), newVerify(), newWeights(), newVersion())
	return root
}

// noArgs and oneArg say what was found and what was expected, and count as wrong usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown argument %q for %q, expected none", args[0], cmd.CommandPath())}
	}
	return nil
}

func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%d arguments for %q, expected one: %s", len(args), cmd.CommandPath(), what)}
		}
		return nil
	}
}
