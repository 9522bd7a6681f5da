// Package memlimit says how much memory the process may take, so that what would not fit is refused in words: Go ends a program
// that cannot get memory with a dump of all its goroutines, and Linux kills one that takes more than its control group may.
package memlimit

import (
	"fmt"
	"os"
	"runtime/debug"
)

// A Limit is one that the system has set.
type Limit struct {
	Bytes int64
	Taken int64  // of it by this process
	From  string // "ulimit -v", "the memory cgroup", …
	// address says that address space counts, which the Go heap takes in pieces of 64 MiB and does not give back.
	address bool
}

const (
	mib = 1 << 20
	// heapPiece is what the Go heap grows by, heapSlack what growing it takes at most beside that.
	heapPiece, heapSlack = 64 * mib, 72 * mib
	// slack is for what is small: stacks, garbage, what the system counts as the process's own.
	slack = 16 * mib
)

// Left is how much can be taken before the limit is met.
func (l Limit) Left() int64 {
	if l.address {
		return max(0, l.Bytes-l.Taken-heapSlack)
	}
	return max(0, l.Bytes-l.Taken-slack)
}

// onHeap is what the limit is charged for so many bytes of the Go heap.
func (l Limit) onHeap(bytes int64) int64 {
	if l.address {
		return (bytes + heapPiece - 1) / heapPiece * heapPiece
	}
	return bytes
}

// Limits lists the limits that are in force, in no order; none where the system does not say.
func Limits() []Limit { return limits() }

// Tightest is the limit that leaves least; false where there is none.
func Tightest() (tightest Limit, ok bool) {
	for _, l := range Limits() {
		if !ok || l.Left() < tightest.Left() {
			tightest, ok = l, true
		}
	}
	return tightest, ok
}

// An Error says that something needs more memory than there may be.
type Error struct {
	Need  int64 // bytes
	Limit Limit
}

func (e *Error) Error() string {
	return fmt.Sprintf("needs about %s of memory more, and %s of %s (%s) are left", Size(e.Need), Size(e.Limit.Left()),
		Size(e.Limit.Bytes), e.Limit.From)
}

// Need returns an *Error if so many bytes more of the Go heap would not fit. What is small need not ask.
func Need(bytes int64) error {
	if bytes < heapPiece/16 {
		return nil
	}
	return need(bytes, Limit.onHeap)
}

// NeedMapped is the same of memory that is mapped from the system.
func NeedMapped(bytes int64) error { return need(bytes, func(_ Limit, n int64) int64 { return n }) }

func need(bytes int64, charged func(Limit, int64) int64) error {
	for _, l := range Limits() {
		if charged(l, bytes) > l.Left() {
			return &Error{bytes, l}
		}
	}
	return nil
}

// Size writes bytes as people do: "1.4 GiB", "350 MiB".
func Size(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GiB", bytes>>30)
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
	}
	return fmt.Sprintf("%d MiB", (bytes+mib-1)/mib)
}

// Begin has the garbage collector keep the heap below the limit in force, and returns an error if less than so many bytes are left to
// begin with. GOMEMLIMIT, where somebody has set it, stays.
func Begin(least int64) error {
	l, ok := Tightest()
	if !ok {
		return nil
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(max(least, (l.Bytes-l.Taken)/10*9))
	}
	if left := l.Bytes - l.Taken; left < least {
		return fmt.Errorf("%s is %s, of which beginning takes %s, expected %s or more", l.From, Size(l.Bytes), Size(l.Taken),
			Size(l.Taken+least))
	}
	return nil
}

// Bound is a bound of memory, in bytes, that somebody has set, 0 for none, or less where a limit leaves less, and a line about that.
func Bound(bytes int64) (bound int64, note string) {
	l, ok := Tightest()
	if !ok || bytes > 0 && bytes <= l.Left() {
		return bytes, ""
	}
	bound = max(1, l.Left())
	if bytes == 0 {
		return bound, "" // nothing that was said is changed
	}
	return bound, fmt.Sprintf("%s of memory were allowed, %s of %s (%s) are left: taking no more", Size(bytes), Size(bound), Size(l.Bytes),
		l.From)
}
