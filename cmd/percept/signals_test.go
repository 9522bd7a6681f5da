//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// signalled runs the program, sends it a signal when there is something to interrupt, and returns by which signal it ended,
// what it said, and how long after the signal.
func signalled(t *testing.T, s syscall.Signal, after time.Duration, args ...string) (by syscall.Signal, said string, took time.Duration) {
	t.Helper()
	var stderr bytes.Buffer
	c := exec.Command(os.Args[0], args...)
	c.Dir = t.TempDir()
	c.Env = append(os.Environ(), asProgram+"=1")
	c.Stderr = &stderr
	in, err := c.StdinPipe() // says nothing, and is not closed
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	start := time.Now()
	if err := c.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	took = time.Since(start)
	if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 && args[0] == "generate" {
		t.Errorf("%v: left behind %v, error %v", args, left, err)
	}
	return c.ProcessState.Sys().(syscall.WaitStatus).Signal(), stderr.String(), took
}

// A shell's loop stops where a command has died of the signal, and goes on where it has only failed.
func TestSignalsEndTheProcess(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		after  time.Duration
		args   []string
		want   string
	}{
		{"a read that blocks", syscall.SIGINT, time.Second, []string{"generate", "--prompts", "-"}, "interrupted; nothing was written\n"},
		{"an open that blocks", syscall.SIGTERM, time.Second, []string{"generate", "--prompts", fifo}, "interrupted; nothing was written\n"},
		{"a folder that is gone on with", syscall.SIGTERM, time.Second,
			[]string{"generate", "--prompts", fifo, "--folder", filepath.Join(dir, "f")}, "interrupted; run the same command again to go on\n"},
		{"a picture that takes minutes", syscall.SIGINT, 2 * time.Second, []string{"generate", "--prompt", "a", "--size", "1024x1024"},
			"interrupted; nothing was written\n"},
		{"a run", syscall.SIGINT, 2 * time.Second, []string{"demo", "--out", filepath.Join(dir, "demo")},
			"interrupted; run the same command again to go on\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			by, said, took := signalled(t, c.signal, c.after, c.args...)
			if by != c.signal || !strings.HasSuffix(said, "percept: "+c.want) || strings.Count(said, "interrupted") != 1 {
				t.Errorf("ended by %v, want %v; said %q, want %q", by, c.signal, said, c.want)
			}
			// 0.2 s on a machine with nothing else to do.
			if took > 3*time.Second {
				t.Errorf("ended %v after the signal", took)
			}
		})
	}
}

func TestInterruptionSaysWhatIsTrue(t *testing.T) {
	for line, want := range map[string]string{
		"run x.toml":                               "interrupted; run the same command again to go on",
		"run x.toml --dry-run":                     "interrupted",
		"nsd prepare":                              "interrupted; run the same command again to go on",
		"nsd check x":                              "interrupted",
		"fit":                                      "interrupted; nothing was written",
		"weights synth x":                          "interrupted; nothing was written",
		"weights export x":                         "interrupted; nothing was written",
		"generate --out a.png":                     "interrupted; nothing was written",
		"generate --out a.png --preview-every 3":   "interrupted; a.png was not written",
		"generate --folder f --preview-every 3":    "interrupted; run the same command again to go on",
		"verify golden":                            "interrupted",
		"features --data x --subject y --out here": "interrupted; run the same command again to go on",
	} {
		cmd, args, err := newRoot().Find(strings.Fields(line))
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		if got := interruption(cmd); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
