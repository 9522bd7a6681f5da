package progress

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// When work says where no bar moves how far it is.
const (
	firstLine  = 5 * time.Second
	everyLines = 30 * time.Second
)

// A Task is work that takes a while.
type Task struct {
	log         *Log
	title       string
	start       time.Time
	timer       *time.Timer // of the next line
	ended       bool
	done, total int

	from   int       // what was done when progress was first told of, by this or an earlier run
	fromAt time.Time // when that was

	moving *progressbar.ProgressBar // on a terminal
}

// Start begins a task, which has to be ended.
func (l *Log) Start(title string) *Task {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &Task{log: l, title: title, start: time.Now()}
	if !l.bars() {
		t.timer = time.AfterFunc(firstLine, t.tick)
	}
	return t
}

// bars says whether work has a moving bar.
func (l *Log) bars() bool { return l.terminal && !l.options.JSON }

// Progress says how much of the work is done. Calls are cheap.
func (t *Task) Progress(done, total int) {
	l := t.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.ended || total < 1 {
		return
	}
	if t.total != total {
		t.from, t.fromAt = done, time.Now()
	}
	t.done, t.total = done, total
	if !l.bars() || l.options.Quiet || l.closed {
		return
	}
	if t.moving == nil {
		t.moving = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(l.out),
			progressbar.OptionSetDescription(fmt.Sprintf("%-34s", t.title)),
			progressbar.OptionSetWidth(28),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish())
	}
	l.bar = t
	_ = t.moving.Set(done)
}

// tick says how far the work is, whether or not it has come any farther: a log that is silent looks like a program that hangs.
func (t *Task) tick() {
	l := t.log
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.ended {
		return
	}
	text := fmt.Sprintf("%-34s %s so far", t.title, Duration(time.Since(t.start)))
	fields := map[string]any{"task": t.title, "done": t.done, "total": t.total, "seconds_left": nil}
	if t.total > 0 {
		text = fmt.Sprintf("%-34s %3d %%, %d of %d", t.title, int(100*float64(t.done)/float64(t.total)), t.done, t.total)
		if left, ok := t.left(); ok {
			text += ", " + Duration(left) + " left"
			fields["seconds_left"] = int(left.Round(time.Second) / time.Second)
		}
	} else {
		fields["total"] = nil
	}
	if l.options.JSON {
		text = t.title
	}
	l.write("progress", "", text, fields)
	t.timer.Reset(everyLines)
}

// left is how long the rest will take at the speed so far, of which what an earlier run has done is no part.
func (t *Task) left() (time.Duration, bool) {
	if t.done <= t.from {
		return 0, false
	}
	each := float64(time.Since(t.fromAt)) / float64(t.done-t.from)
	return time.Duration(each * float64(t.total-t.done)), true
}

// Finish ends the task and returns err; with one there is no line, since the error says the rest.
func (t *Task) Finish(upToDate bool, err error) error {
	if err == nil {
		t.End(upToDate)
	} else {
		t.Drop()
	}
	return err
}

// End ends the task with a line that says how long it took, or that there was nothing to do.
func (t *Task) End(upToDate bool) {
	t.Drop()
	seconds := time.Since(t.start).Seconds()
	what := fmt.Sprintf("%.1f s", seconds)
	if upToDate {
		what = "up to date"
	}
	l := t.log
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf("%-34s %s", t.title, what)
	if l.options.JSON {
		text = t.title + ": " + what
	}
	l.write("info", "", text, map[string]any{"task": t.title, "seconds": seconds, "up_to_date": upToDate})
}

// Drop ends the task without a line.
func (t *Task) Drop() {
	l := t.log
	l.mu.Lock()
	defer l.mu.Unlock()
	t.ended = true
	if t.timer != nil {
		t.timer.Stop()
	}
	if t.moving != nil {
		_ = t.moving.Clear()
	}
	if l.bar == t {
		l.bar = nil
	}
}

// Duration writes a time as people say it: 40 s, 12 min, 3 h 5 min.
func Duration(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int(d.Seconds()+0.5))
	case d < 90*time.Minute:
		return fmt.Sprintf("%d min", int(d.Minutes()+0.5))
	}
	minutes := int(d.Minutes() + 0.5)
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}
