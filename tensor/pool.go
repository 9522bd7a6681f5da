package tensor

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// A job is work cut into tiles. Tiles of one job touch disjoint outputs and may run in any order, at once.
type job interface {
	tile(i int)
}

// Work, in floating-point operations or memory words, below which a job stays on the caller's goroutine: waking
// another one costs a few microseconds.
const serialWork = 200_000

// Iterations (about a nanosecond each) for which a goroutine looks for work or for the end of it before it sleeps.
// Operations follow one another, and the single-threaded parts between them pass, faster than a sleeping goroutine
// can be woken, above all on a virtual machine.
const spins = 300_000

// pool is a fixed crew of goroutines that share the tiles of one job at a time.
//
// The ticket holds, in one word, the job's number (24 bits), its count of tiles (20) and the next tile to be taken
// (20). A tile is taken by compare-and-swap, so a worker that wakes late finds the tiles gone and harms nobody;
// what the job points at stays valid until every tile that was taken has been finished.
type pool struct {
	busy     sync.Mutex // held by the caller that owns the pool
	ticket   atomic.Uint64
	job      job
	finished atomic.Int64
	caller   sleeper
	crew     []*worker // all that were ever hired
	failure  atomic.Pointer[failure]
}

type failure struct{ value any }

type worker struct{ sleeper }

const (
	tileBits = 20
	maxTiles = 1<<tileBits - 1
)

var workers pool

// run executes tiles 0 … n-1 of j and returns when all are done. work is the job's size in floating-point
// operations. A pool that is in use, by another goroutine or by the caller itself, leaves the job to the caller.
func run(j job, n int, work int) {
	t := Threads()
	if t == 1 || n <= 1 || n > maxTiles || work < serialWork || !workers.busy.TryLock() {
		for i := range n {
			j.tile(i)
		}
		return
	}
	defer workers.busy.Unlock()
	workers.share(j, n, min(t, n)-1)
}

// share runs j on the caller and on helpers workers.
func (p *pool) share(j job, n, helpers int) {
	p.job = j
	p.finished.Store(0)
	p.failure.Store(nil)
	p.caller.state.Store(asleepNot)
	number := (p.ticket.Load()>>(2*tileBits) + 1) << (2 * tileBits)
	p.ticket.Store(number | uint64(n)<<tileBits)
	for _, w := range p.hire(helpers)[:helpers] {
		w.wake()
	}
	p.help()
	p.caller.wait(spinning()) // the last to finish calls, be it the caller itself
	p.job = nil
	if f := p.failure.Load(); f != nil {
		panic(f.value)
	}
}

// hire returns n workers or more.
func (p *pool) hire(n int) []*worker {
	if crew := p.crew; len(crew) >= n {
		return crew
	}
	if p.caller.ready == nil {
		p.caller.ready = make(chan struct{}, 1)
	}
	for len(p.crew) < n {
		w := &worker{}
		w.ready = make(chan struct{}, 1)
		p.crew = append(p.crew, w)
		go p.serve(w)
	}
	return p.crew
}

func (p *pool) serve(w *worker) {
	for {
		w.wait(spinning())
		w.state.Store(asleepNot)
		p.help()
	}
}

// help takes tiles until none is left.
func (p *pool) help() {
	for {
		t := p.ticket.Load()
		n, next := t>>tileBits&maxTiles, t&maxTiles
		if next >= n {
			return
		}
		if !p.ticket.CompareAndSwap(t, t+1) {
			continue
		}
		p.try(int(next))
		if p.finished.Add(1) == int64(n) {
			p.caller.wake()
		}
	}
}

// try runs one tile and keeps a panic for the caller.
func (p *pool) try(i int) {
	defer func() {
		if r := recover(); r != nil {
			p.failure.Store(&failure{r})
		}
	}()
	p.job.tile(i)
}

// sleeper lets one goroutine wait for a call from another: first awake, then asleep.
type sleeper struct {
	state atomic.Uint32
	ready chan struct{}
}

const (
	asleepNot = iota
	called
	asleep
)

func (s *sleeper) wait(spins int) {
	for range spins {
		if s.state.Load() == called {
			return
		}
	}
	if s.state.CompareAndSwap(asleepNot, asleep) {
		<-s.ready
	}
}

func (s *sleeper) wake() {
	if s.state.Swap(called) == asleep {
		s.ready <- struct{}{}
	}
}

// spinning returns how long to spin: not at all where threads outnumber processors.
func spinning() int {
	if Threads() > runtime.GOMAXPROCS(0) {
		return 0
	}
	return spins
}

var (
	threads    atomic.Int64
	errThreads error
)

func init() {
	n := runtime.GOMAXPROCS(0)
	if s := os.Getenv("PERCEPT_THREADS"); s != "" {
		if v, err := strconv.Atoi(s); err == nil && v > 0 && v <= MaxThreads {
			n = v
		} else {
			errThreads = fmt.Errorf("PERCEPT_THREADS=%s, expected a whole number from 1 to %d", s, MaxThreads)
		}
	}
	threads.Store(int64(n))
}

// Threads returns how many goroutines share one operation: GOMAXPROCS at start, unless the environment variable
// PERCEPT_THREADS or SetThreads says otherwise.
func Threads() int { return int(threads.Load()) }

// MaxThreads bounds Threads: more share no operation better, and each has memory of its own.
const MaxThreads = 1024

// SetThreads sets Threads to n, from 1 to MaxThreads, and returns a function that puts the former number back.
func SetThreads(n int) (restore func()) {
	if n < 1 || n > MaxThreads {
		panic(fmt.Sprintf("tensor: SetThreads(%d): expected 1 to %d", n, MaxThreads))
	}
	old := threads.Swap(int64(n))
	return func() { threads.Store(old) }
}
