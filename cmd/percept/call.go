package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"percept/cmd/percept/internal/progress"
	"percept/weights/packed"
)

// Exit statuses: 0 success, 1 failure, 2 wrong usage.
const (
	exitFailure = 1
	exitUsage   = 2
)

// usageError marks an error that is the caller's: a wrong flag, argument or command.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// A call is one command line.
type call struct {
	log            *progress.Log
	stdout, stderr io.Writer
	cmd            atomic.Pointer[cobra.Command] // the command, once its flags are read
}

func newCall(stdout, stderr io.Writer) *call {
	return &call{log: progress.New(stderr), stdout: stdout, stderr: stderr}
}

type callKey struct{}

// logOf is where a command says what is no result.
func logOf(cmd *cobra.Command) *progress.Log { return cmd.Context().Value(callKey{}).(*call).log }

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return newCall(stdout, stderr).run(ctx, args)
}

func (c *call) run(ctx context.Context, args []string) (code int) {
	c.log.Set(logOptions(args))
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	defer func() {
		// A panic here is our bug; the user still gets one line instead of a trace.
		if r := recover(); r != nil {
			c.log.Error(fmt.Sprintf("internal error: %v (please report it with the command line)", r), "")
			if os.Getenv("PERCEPT_TRACE") != "" {
				fmt.Fprintf(c.stderr, "%s\n", debug.Stack())
			}
			code = exitFailure
		}
	}()
	cmd, err := root.ExecuteContextC(context.WithValue(ctx, callKey{}, c))
	if err == nil {
		if err = packed.Wait(ctx); err == nil || ctx.Err() != nil { // or the next start would have to pack again
			return 0
		}
	}
	var usage usageError
	var several interface{ Lines() []string } // what is wrong with an experiment, all at once
	switch {
	case errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command"):
		// All flags would push what is wrong off the screen.
		c.log.Error(oneLine(err), fmt.Sprintf("%s; %s --help has more", cmd.UseLine(), cmd.CommandPath()))
		return exitUsage
	case ctx.Err() != nil && strings.Contains(err.Error(), context.Canceled.Error()):
		c.log.Error(interruption(cmd), "")
	case errors.As(err, &several):
		for _, line := range several.Lines() {
			c.log.Error(line, "")
		}
	default:
		c.log.Error(oneLine(err), "")
	}
	return exitFailure
}

// oneLine keeps an error on a single line, whatever was wrapped in it.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
