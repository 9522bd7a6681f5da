package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"percept/internal/atomicfile"
)

// grace is how long work may take to end itself after a signal. A read that blocks or a large network takes longer, and a
// person who presses Ctrl-C is not asked to wait for it: files appear by rename, so that none is half written.
const grace = 60 * time.Millisecond

// obey runs a command line and ends the process: with its exit status, or after SIGINT or SIGTERM by that signal, so that a
// shell's loop stops as well.
func obey(args []string) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := newCall(os.Stdout, os.Stderr)
	ended := make(chan int, 1)
	go func() { ended <- c.run(ctx, args) }()
	select {
	case code := <-ended:
		os.Exit(code)
	case s := <-signals:
		cancel()
		select {
		case <-ended: // which has said why
		case <-signals:
			c.abandon()
		case <-time.After(grace):
			c.abandon()
		}
		die(s)
	}
}

// abandon gives up work that does not end: what is being written is removed, what is said from now on is not heard.
func (c *call) abandon() {
	removed := make(chan struct{})
	go func() {
		atomicfile.Abandon()
		close(removed)
	}()
	select {
	case <-removed:
	case <-time.After(grace / 4): // a file system that hangs
	}
	c.log.Error(interruption(c.cmd.Load()), "")
	c.log.Close()
}

// interruption says what is true of a command that was interrupted; nil is one that has not begun.
func interruption(cmd *cobra.Command) string {
	const interrupted = "interrupted"
	if cmd == nil {
		return interrupted
	}
	given := func(flag string) bool { f := cmd.Flags().Lookup(flag); return f != nil && f.Changed }
	resumes, writes := false, ""
	switch cmd.CommandPath() {
	case "percept demo", "percept features", "percept nsd prepare", "percept decode", "percept weights pack":
		resumes = true
	case "percept run":
		resumes = !given("dry-run") && !given("example")
	case "percept generate":
		resumes = given("folder")
		if writes = "nothing"; given("preview-every") || given("save-latents") {
			writes = cmd.Flags().Lookup("out").Value.String()
		}
	case "percept fit", "percept evaluate", "percept weights convert", "percept weights export", "percept weights synth":
		writes = "nothing"
	}
	switch {
	case resumes:
		return interrupted + "; run the same command again to go on"
	case writes == "nothing":
		return interrupted + "; nothing was written"
	case writes != "":
		return interrupted + "; " + writes + " was not written"
	}
	return interrupted
}
