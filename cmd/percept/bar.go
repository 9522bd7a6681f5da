package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar shows the progress of one stage on standard error: a moving bar on a terminal, and only the
// finished line elsewhere.
type bar struct {
	out    io.Writer
	title  string
	start  time.Time
	moving bool
	shown  *progressbar.ProgressBar
}

func newBar(out io.Writer, title string) *bar {
	b := &bar{out: out, title: title, start: time.Now()}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			b.moving = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

func (b *bar) progress(done, total int) {
	if !b.moving || total < 1 {
		return
	}
	if b.shown == nil {
		b.shown = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(b.out),
			progressbar.OptionSetDescription(fmt.Sprintf("%-34s", b.title)),
			progressbar.OptionSetWidth(28),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish())
	}
	b.shown.Set(done)
}

// finish ends the bar and returns err; with one there is no line, since the error says the rest.
func (b *bar) finish(skipped bool, err error) error {
	if err == nil {
		b.end(skipped)
	} else if b.shown != nil {
		b.shown.Clear()
	}
	return err
}

// end removes the bar and leaves one line that says how long the stage took.
func (b *bar) end(skipped bool) {
	if b.shown != nil {
		b.shown.Clear()
	}
	if skipped {
		fmt.Fprintf(b.out, "%-34s up to date\n", b.title)
		return
	}
	fmt.Fprintf(b.out, "%-34s %.1f s\n", b.title, time.Since(b.start).Seconds())
}
