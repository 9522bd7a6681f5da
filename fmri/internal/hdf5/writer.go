package hdf5

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"percept/internal/atomicfile"
)

const (
	superblockSize = 96
	undefined      = math.MaxUint64 // the format's "no address"

	groupLeafK  = 4  // symbol table nodes hold up to 2K names
	groupNodeK  = 16 // group B-tree nodes hold up to 2K symbol table nodes
	chunkNodeK  = 32 // chunk B-tree nodes hold up to 2K chunks; superblock 0 fixes this number
	maxDatasets = 2 * groupLeafK * 2 * groupNodeK
)

// Writer writes one HDF5 file of datasets in the root group.
type Writer struct {
	file     *atomicfile.File
	buf      *bufio.Writer
	pos      uint64
	err      error
	current  openDataset // the dataset being filled, nil between datasets
	finished []namedHeader
}

type namedHeader struct {
	name string
	addr uint64
}

// openDataset is what the writer asks of a dataset of any element type when the next one begins.
type openDataset interface {
	finish() error
}

// Create starts a file that appears at path when Close succeeds.
func Create(path string) (*Writer, error) {
	f, err := atomicfile.CreateAll(path)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: f, buf: bufio.NewWriterSize(f, 1<<20)}
	w.write(make([]byte, superblockSize)) // filled in by Close
	return w, w.err
}

// write appends b; the first error sticks.
func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.buf.Write(b)
	w.pos += uint64(n)
	if err != nil {
		w.err = fmt.Errorf("%s: %w", w.file.Path(), err)
	}
}

// place appends a metadata block at the next multiple of 8 and returns its address.
func (w *Writer) place(b []byte) uint64 {
	if pad := -w.pos & 7; pad > 0 {
		w.write(make([]byte, pad))
	}
	addr := w.pos
	w.write(b)
	return addr
}

// Abort gives the file up and removes what was written. After Close it does nothing.
func (w *Writer) Abort() { w.file.Abort() }

// Close writes the indexes and the root group and gives the file its name. It fails, leaving nothing, if the last
// dataset is not complete.
func (w *Writer) Close() error {
	defer w.file.Abort()
	if err := w.finishCurrent(); err != nil {
		return err
	}
	root, tree, heap := w.writeRootGroup()
	if w.err != nil {
		return w.err
	}
	if err := w.buf.Flush(); err != nil {
		return fmt.Errorf("%s: %w", w.file.Path(), err)
	}
	if _, err := w.file.WriteAt(superblock(root, tree, heap, w.pos), 0); err != nil {
		return fmt.Errorf("%s: %w", w.file.Path(), err)
	}
	return w.file.Commit()
}

func (w *Writer) finishCurrent() error {
	if w.current != nil {
		if err := w.current.finish(); err != nil {
			return err
		}
		w.current = nil
	}
	return w.err
}

// DatasetWriter takes the elements of one dataset in order.
type DatasetWriter[T Number] struct {
	w       *Writer
	name    string
	shape   []int
	chunk   []int // nil: contiguous
	start   uint64
	written int // elements
	total   int // elements that make the dataset complete, padding of edge chunks included
	unit    int // elements that one Append must be a multiple of
	bytes   []byte
	index   uint64 // address of the chunk B-tree
}

// NewDataset begins a dataset in the root group. chunk nil makes it contiguous. It fails if the dataset before it
// is not complete, or if the name is taken.
func NewDataset[T Number](w *Writer, name string, shape, chunk []int) (*DatasetWriter[T], error) {
	if err := w.finishCurrent(); err != nil {
		return nil, err
	}
	where := w.file.Path() + ": dataset " + name
	if name == "" || strings.ContainsAny(name, "/\x00") {
		return nil, fmt.Errorf("%s: dataset name %q: expected a name without '/'", w.file.Path(), name)
	}
	for _, f := range w.finished {
		if f.name == name {
			return nil, fmt.Errorf("%s: written twice", where)
		}
	}
	if len(w.finished) == maxDatasets {
		return nil, fmt.Errorf("%s: a file holds at most %d datasets", where, maxDatasets)
	}
	total, ok := product(shape)
	if !ok || len(shape) > 32 {
		return nil, fmt.Errorf("%s: shape %v cannot be written", where, shape)
	}
	d := &DatasetWriter[T]{w: w, name: name, shape: slices.Clone(shape), total: total, unit: 1}
	if chunk != nil {
		if len(chunk) != len(shape) || len(shape) == 0 {
			return nil, fmt.Errorf("%s: chunk shape %v for shape %v", where, chunk, shape)
		}
		unit, ok := product(chunk)
		if !ok || unit == 0 || uint64(unit)*uint64(typeOf[T]().Size) > math.MaxUint32 {
			return nil, fmt.Errorf("%s: chunk shape %v cannot be written", where, chunk)
		}
		d.chunk, d.unit = slices.Clone(chunk), unit
		grid, ok := product(chunkGrid(shape, chunk))
		if !ok || grid > math.MaxInt/unit {
			return nil, fmt.Errorf("%s: shape %v in chunks %v cannot be written", where, shape, chunk)
		}
		d.total = grid * unit
	}
	w.place(nil)
	d.start = w.pos
	w.current = d
	return d, w.err
}

// Append adds elements: for a contiguous dataset the next ones in C order; for a chunked dataset whole chunks, in C
// order of the chunk grid (last axis fastest), each in C order of its own elements. Chunks at the far edges have
// their full size; what lies outside the dataset is ignored.
func (d *DatasetWriter[T]) Append(vals []T) error {
	switch {
	case d.w.current != d:
		return fmt.Errorf("%s: dataset %s: written to after it was closed", d.w.file.Path(), d.name)
	case len(vals)%d.unit != 0:
		return fmt.Errorf("%s: dataset %s: %d values appended, chunks hold %d", d.w.file.Path(), d.name, len(vals), d.unit)
	case len(vals) > d.total-d.written:
		return fmt.Errorf("%s: dataset %s: more values than shape %v holds", d.w.file.Path(), d.name, d.shape)
	}
	size := typeOf[T]().Size
	for len(vals) > 0 {
		n := min(len(vals), 1<<16/size)
		if cap(d.bytes) < n*size {
			d.bytes = make([]byte, 0, n*size)
		}
		b, err := binary.Append(d.bytes[:0], binary.LittleEndian, vals[:n])
		if err != nil {
			return err
		}
		d.w.write(b)
		d.written += n
		vals = vals[n:]
	}
	return d.w.err
}

func (d *DatasetWriter[T]) finish() error {
	if d.w.err != nil {
		return d.w.err
	}
	if d.written != d.total {
		return fmt.Errorf("%s: dataset %s: %d of %d values were written", d.w.file.Path(), d.name, d.written, d.total)
	}
	size := typeOf[T]().Size
	if d.chunk != nil {
		d.index = d.w.writeChunkTree(d.shape, d.chunk, size, d.start)
	}
	addr := d.w.place(objectHeader(
		message{msgDataspace, dataspaceMessage(d.shape)},
		message{msgDatatype, datatypeMessage(typeOf[T]())},
		message{msgFillValue, fillMessage(d.chunk != nil)},
		message{msgLayout, d.layoutMessage(size)},
	))
	d.w.finished = append(d.w.finished, namedHeader{d.name, addr})
	return d.w.err
}

func (d *DatasetWriter[T]) layoutMessage(size int) []byte {
	le := binary.LittleEndian
	if d.chunk == nil {
		addr := d.start
		if d.total == 0 {
			addr = undefined // nothing is stored
		}
		b := []byte{3, layoutContiguous}
		b = le.AppendUint64(b, addr)
		return le.AppendUint64(b, uint64(d.total)*uint64(size))
	}
	b := []byte{3, layoutChunked, byte(len(d.chunk) + 1)}
	b = le.AppendUint64(b, d.index)
	for _, c := range d.chunk {
		b = le.AppendUint32(b, uint32(c))
	}
	return le.AppendUint32(b, uint32(size))
}

// product multiplies dimensions; ok is false for a negative one or an overflow.
func product(dims []int) (n int, ok bool) {
	n = 1
	for _, d := range dims {
		if d < 0 || (d > 0 && n > math.MaxInt/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// chunkGrid is the number of chunks along each axis.
func chunkGrid(shape, chunk []int) []int {
	g := make([]int, len(shape))
	for i := range g {
		g[i] = (shape[i] + chunk[i] - 1) / chunk[i]
	}
	return g
}

// sortedNames orders names as the group's B-tree has to: by bytes.
func sortedNames(h []namedHeader) []namedHeader {
	h = slices.Clone(h)
	sort.Slice(h, func(i, j int) bool { return h[i].name < h[j].name })
	return h
}
