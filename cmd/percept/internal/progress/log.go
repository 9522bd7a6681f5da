// Package progress is what a command says on standard error: how far its work is, notes, warnings and errors.
//
// On a terminal work has a moving bar. Elsewhere, in a file of a batch system, it has a line after 5 seconds and then every
// 30. Text is for people; as JSON each line is an object with time, level and message.
package progress

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Options are how a Log says things. The zero value says all, in text.
type Options struct {
	Quiet bool // errors alone
	JSON  bool // an object a line
}

// A Log says things on one stream, from any goroutine.
type Log struct {
	out      io.Writer
	terminal bool

	mu      sync.Mutex
	options Options
	closed  bool
	bar     *Task // the one whose bar is on the screen
}

// New returns a log that writes to out.
func New(out io.Writer) *Log {
	l := &Log{out: out}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			l.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return l
}

// Set says how things are said from now on.
func (l *Log) Set(o Options) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.options = o
}

// Close ends the log: what is said later is lost. The program's last words stay the last ones.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	l.closed = true
}

// Say says a line as it is.
func (l *Log) Say(line string) { l.line("info", "", line, nil) }

// Note says something about the input that is good to know.
func (l *Log) Note(line string) { l.line("note", "note: ", line, nil) }

// Warn says what may make results worse than they could be.
func (l *Log) Warn(line string) { l.line("warning", "warning: ", line, nil) }

// Error says why a command has failed, and how it is used, where that was wrong; empty otherwise.
func (l *Log) Error(line, usage string) {
	if usage == "" {
		l.line("error", "percept: ", line, nil)
		return
	}
	l.mu.Lock()
	asJSON := l.options.JSON
	l.mu.Unlock()
	if asJSON {
		l.line("error", "", line, map[string]any{"usage": usage})
	} else {
		l.line("error", "percept: ", line+"\nUsage: "+usage, nil)
	}
}

// Write says each line of p, so that a log is the io.Writer of those who write notes.
func (l *Log) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		l.Say(strings.TrimSuffix(line, "\n"))
	}
	return len(p), nil
}

// line writes one line, or object with more fields.
func (l *Log) line(level, prefix, message string, more map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(level, prefix, message, more)
}

// write is line for a caller that holds the lock.
func (l *Log) write(level, prefix, message string, more map[string]any) {
	if l.closed || l.options.Quiet && level != "error" {
		return
	}
	l.clear()
	// A stream of messages that is gone is no reason to end the work: what it would say has nowhere to go.
	if !l.options.JSON {
		_, _ = io.WriteString(l.out, prefix+message+"\n")
		return
	}
	object := map[string]any{"time": time.Now().Format("2006-01-02T15:04:05.000Z07:00"), "level": level,
		"message": strings.TrimPrefix(message, "percept: ")}
	for name, v := range more {
		object[name] = v
	}
	if b, err := json.Marshal(object); err == nil {
		_, _ = l.out.Write(append(b, '\n'))
	}
}

// clear takes the bar off the screen; its next progress brings it back.
func (l *Log) clear() {
	if l.bar != nil {
		_ = l.bar.moving.Clear()
		l.bar = nil
	}
}
