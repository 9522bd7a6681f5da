package packed

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/internal/mapped"
	"percept/internal/offheap"
)

// A Source gives the tensors that a Pack packs. weights.Store and synth.Weights are Sources, and have what makes packing
// cheaper: see lender, counter and forgetter.
type Source interface {
	// Float32 returns a tensor in memory that belongs to the caller.
	Float32(name string, shape ...int) ([]float32, error)
	// Have returns the error that Float32 would, without reading the tensor.
	Have(name string, shape ...int) error
	// Identity is the same for the same tensors, and another for others. Where it is empty nothing is kept.
	Identity() string
}

// lender is a Source that can do without memory of its own for each tensor.
type lender interface {
	Lend(name string, shape []int, room func(n int) []float32) ([]float32, error)
}

// counter is a Source that knows how many tensors it has.
type counter interface{ Len() int }

// forgetter is a Source that can give back the memory of a tensor that was read.
type forgetter interface{ Forget(name string) }

// Options say how weights are packed, and where they are kept. The zero value keeps them in Dir.
type Options struct {
	Name    string // of the tensors, such as "unet": the first part of the file's name
	Variant string // what packed weights depend on besides the tensors and the other options, such as the kernel set
	DType   string // element type of packed matrices: float32, which is what empty means, float16 or bfloat16
	Low     bool   // memory counts more than speed; see Pack.Low
	NoCache bool   // keep nothing
	Dir     string // folder of pack files; empty is that of the function Dir
	// Min is the size in bytes from which packed weights are kept; 0 is 64 MiB. Smaller ones are packed as fast as read.
	Min int64
	// Progress, unless nil, is told how much of the work of packing, then of writing is done; the latter by another
	// goroutine.
	Progress func(done, total int64)
	// Log, unless nil, is told what becomes of the cache, one line at a time, possibly from another goroutine.
	Log func(line string)
}

// A Pack gives a model its weights packed: those of a pack file, or those that the model packs, which it then writes to
// one. It implements nn.Keeper. Packed weights lie outside the Go heap, and stay as long as a layer holds on to them.
// A Pack is used by one goroutine.
type Pack struct {
	src  Source
	o    Options
	key  string
	path string // of the pack file; empty where nothing is kept

	mem     *offheap.Memory
	found   map[string][]byte // entries of the file, and those that were packed
	entries []entry           // of the model, in the order in which it asked for them
	data    [][]byte
	asked   map[string]bool
	fresh   bool // an entry had to be packed
	had     int64

	lent    []string // tensors read since the last Done
	buffers []buffer
	written chan struct{}
	err     error // of writing, once written is closed
}

// buffer is memory for one lent tensor.
type buffer struct {
	mem  *offheap.Memory
	data []float32
}

// New opens the pack file for the tensors of src, if there is one.
func New(src Source, o Options) *Pack {
	if o.Min == 0 {
		o.Min = 64 << 20
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	if o.DType == "" {
		o.DType = "float32"
	}
	p := &Pack{src: src, o: o, mem: offheap.New(), found: map[string][]byte{}, asked: map[string]bool{}}
	if dir := o.dir(); dir != "" {
		if id := src.Identity(); id != "" {
			p.key = fmt.Sprintf("format %d, %s, %s, %s, %s, low memory %t, tensors %s",
				version, o.Name, runtime.GOARCH, o.Variant, o.DType, o.Low, id)
			sum := sha256.Sum256([]byte(p.key))
			p.path = filepath.Join(dir, fmt.Sprintf("%s-%x%s", o.Name, sum[:8], suffix))
			p.open()
		}
	}
	return p
}

func (o *Options) dir() string {
	if o.NoCache || !littleEndian {
		return ""
	}
	if o.Dir != "" {
		return o.Dir
	}
	return Dir()
}

// open maps the pack file. One that is not there, or no good, is made anew when the model has been built.
func (p *Pack) open() {
	f, err := os.Open(p.path)
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		defer f.Close()
		err = p.mapFile(f)
	}
	if err != nil {
		p.o.Log(fmt.Sprintf("%s: not used: %v", p.path, cause.Of(err)))
		return
	}
	now := time.Now()
	_ = os.Chtimes(p.path, now, now) // last used; a folder that cannot be written keeps the old time
	p.o.Log(fmt.Sprintf("%s: used", p.path))
}

func (p *Pack) mapFile(f *os.File) error {
	h, x, err := readFile(f)
	switch {
	case err != nil:
		os.Remove(p.path) // damaged: it is made anew
		return err
	case x.Key != p.key:
		return errors.New("of other weights")
	case !h.usable():
		return errors.New("not completely written when the system stopped")
	}
	b, release, err := mapped.Map(f, h.fileSize)
	if err != nil {
		return err
	}
	mapped.ReadAhead(b)
	if err := x.check(b, false); err != nil {
		os.Remove(p.path) // it is made anew
		return errors.Join(err, release())
	}
	p.mem.Hold(release)
	p.verify(x, b)
	for _, e := range x.Entries {
		p.found[e.Key] = b[e.At : e.At+e.Size : e.At+e.Size]
	}
	return nil
}

// Float32 returns a tensor as the Source does.
func (p *Pack) Float32(name string, shape ...int) ([]float32, error) {
	return p.src.Float32(name, shape...)
}

// Have returns the error that Float32 would, without reading the tensor.
func (p *Pack) Have(name string, shape ...int) error {
	p.had++
	if c, ok := p.src.(counter); ok && !p.o.NoCache {
		// What is read is written later, in about the same time.
		p.o.Progress(min(p.had, int64(c.Len())), 2*int64(c.Len()))
	}
	return p.src.Have(name, shape...)
}

// DType is the element type of packed matrices.
func (p *Pack) DType() string { return p.o.DType }

// Low says that memory counts more than speed.
func (p *Pack) Low() bool { return p.o.Low }

// Lend is Float32 in memory that must not be written to and is valid until the next Done.
func (p *Pack) Lend(name string, shape ...int) ([]float32, error) {
	p.lent = append(p.lent, name)
	if l, ok := p.src.(lender); ok {
		return l.Lend(name, shape, p.scratch)
	}
	return p.src.Float32(name, shape...)
}

// scratch returns n floats that are free until the next Done.
func (p *Pack) scratch(n int) []float32 {
	i := len(p.lent) - 1
	for len(p.buffers) <= i {
		p.buffers = append(p.buffers, buffer{})
	}
	b := &p.buffers[i]
	if len(b.data) < n {
		b.free()
		b.mem = offheap.New()
		b.data = floatsOf(b.mem.Large(roundFloats(n)))
	}
	return b.data[:n]
}

func (b *buffer) free() {
	if b.mem != nil {
		b.mem.Free()
	}
	*b = buffer{}
}

// Room returns memory for the packed weights that key names; see nn.Keeper.
func (p *Pack) Room(key string, size int) (b []byte, filled bool, owner any) {
	b, filled = p.found[key]
	if filled = filled && len(b) == size; !filled {
		b = p.mem.Alloc(size)
		p.fresh = true
	}
	if !p.asked[key] {
		p.asked[key] = true
		p.entries = append(p.entries, entry{Key: key})
		p.data = append(p.data, b)
	}
	return b, filled, p.mem
}

// Done says that the memory for key is packed, and ends the loan of all tensors.
func (p *Pack) Done(key string) {
	if i := slices.IndexFunc(p.entries, func(e entry) bool { return e.Key == key }); i >= 0 {
		p.found[key] = p.data[i]
	}
	if f, ok := p.src.(forgetter); ok {
		for _, name := range p.lent {
			f.Forget(name)
		}
	}
	p.lent = p.lent[:0]
}

// Cached says that everything so far came from a pack file.
func (p *Pack) Cached() bool { return len(p.entries) > 0 && !p.fresh }

// Path returns the name of the pack file, there or to be; empty where nothing is kept.
func (p *Pack) Path() string { return p.path }

// Size returns how many bytes the packed weights have.
func (p *Pack) Size() int64 {
	n := int64(0)
	for _, b := range p.data {
		n += int64(len(b))
	}
	return n
}

var (
	background sync.WaitGroup // that write and verify
	verifying  sync.WaitGroup // that verify alone

	damage struct {
		sync.Mutex
		err error // of the first file that was used and is not what it was
	}
)

// verify compares all of a file that is in use with its sums, in the background: at the start only a sample of it was, since
// a model is ready sooner than its weights are read. A damaged file is removed, and Wait returns an error.
func (p *Pack) verify(x *index, file []byte) {
	path, mem := p.path, p.mem
	background.Add(1)
	verifying.Go(func() {
		defer background.Done()
		err := x.check(file, true)
		runtime.KeepAlive(mem)
		if err == nil {
			return
		}
		gone := "it has been removed"
		if e := os.Remove(path); e != nil && !errors.Is(e, os.ErrNotExist) {
			gone = "it cannot be removed: " + cause.Of(e).Error()
		}
		err = fmt.Errorf("%s: %w in cached weights that were in use, so what was made with them may be wrong; %s, run the command again",
			path, err, gone)
		p.o.Log(err.Error())
		damage.Lock()
		defer damage.Unlock()
		damage.err = cmp.Or(damage.err, err)
	})
}

// Sound waits until the pack files in use are verified, for who is about to leave something that was made with them: it is
// an error that one was damaged.
func Sound(ctx context.Context) error { return wait(ctx, &verifying) }

// Wait waits until the pack files that Keep began are written, or could not be, and those in use are verified, or ctx ends:
// what a process leaves unwritten the next has to pack again. It is an error that a file in use was damaged.
func Wait(ctx context.Context) error { return wait(ctx, &background) }

func wait(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	damage.Lock()
	defer damage.Unlock()
	return damage.err
}

// Keep ends packing: all layers are made and the weights were as they should be. What was packed anew is written to the
// pack file by another goroutine; see Wait. Release does without.
func (p *Pack) Keep() {
	p.Release()
	if p.path == "" || !p.fresh || p.Size() < p.o.Min {
		return
	}
	p.written = make(chan struct{})
	background.Go(func() {
		defer close(p.written)
		start := time.Now()
		if p.err = p.write(); p.err != nil {
			p.o.Log(fmt.Sprintf("%s: not written: %v", p.path, p.err))
			return
		}
		p.o.Log(fmt.Sprintf("%s: written in %.1f s", p.path, time.Since(start).Seconds()))
	})
}

// Wait waits until the pack file is written and returns what went wrong.
func (p *Pack) Wait() error {
	if p.written == nil {
		return nil
	}
	<-p.written
	return p.err
}

func (p *Pack) write() error {
	dir := filepath.Dir(p.path)
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		sweep(dir)
		if free, ok := atomicfile.FreeSpace(dir); ok && free-spareSpace < p.Size() {
			return fmt.Errorf("weights: %s: %d MiB free, expected %d and %d to spare", dir, free>>20, p.Size()>>20, spareSpace>>20)
		}
		x := &index{Name: p.o.label(), Key: p.key, Created: time.Now().UTC().Truncate(time.Second), Entries: p.entries}
		err = writeFile(p.path, x, p.data, p.o.Progress)
	}
	if err != nil {
		return fmt.Errorf("weights: %s: cannot be written: %w", p.path, cause.Of(err))
	}
	sweep(dir)
	return nil
}

// label says for people what is in a pack file.
func (o *Options) label() string {
	s := o.Name + ", " + o.DType + ", " + o.Variant
	if o.Low {
		s += ", low memory"
	}
	return s
}

// Release ends packing and keeps nothing: the model was not built, or its weights are not to be trusted.
func (p *Pack) Release() {
	for i := range p.buffers {
		p.buffers[i].free()
	}
	p.buffers, p.lent = nil, nil
}

// floatsOf returns the memory of b, which begins at a multiple of 4, as floats.
func floatsOf(b []byte) []float32 {
	if len(b) < 4 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&b[0])), len(b)/4)
}

// roundFloats returns the bytes of n floats, in whole chunks so that buffers are seldom replaced.
func roundFloats(n int) int { return max(1, (4*n+1<<20-1)>>20) << 20 }

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1
