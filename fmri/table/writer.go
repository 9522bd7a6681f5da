package table

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"percept/fmri"
	"percept/internal/cause"
	"percept/internal/filelock"
	"percept/internal/half"
	"percept/weights/safetensors"
)

// A Writer fills a file chunk by chunk, in any order.
type Writer struct {
	path   string
	spec   Spec
	layout layout
	file   *os.File // of the unfinished file; nil if the file was there already
	lo     int      // of the shard's first row among all images
	done   []bool
	sums   []byte // of the file that was there already
}

// Create begins the file of a spec at path, or goes on with what a process that was killed has left of it: chunks whose sum
// fits are not asked for again. Values lie in path with ".part" behind until Finish. If the file is there already, complete and
// of the same spec, nothing is pending; one of another spec is an error.
func Create(path string, s Spec) (*Writer, error) {
	l, err := s.layout()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w := &Writer{path: path, spec: s, layout: l, done: make([]bool, l.chunks())}
	w.lo, _ = s.Shard.rows(len(s.Images))
	if _, err := os.Stat(path); err == nil {
		return w, w.accept()
	}
	part := path + ".part"
	if w.file, err = os.OpenFile(part, os.O_RDWR|os.O_CREATE, 0o666); err != nil {
		return nil, fmt.Errorf("%s: %w", part, cause.Of(err))
	}
	if errors.Is(filelock.Lock(w.file), filelock.ErrHeld) {
		w.file.Close()
		return nil, fmt.Errorf("%s: another process is writing it, expected to be alone", part)
	}
	info, err := w.file.Stat()
	if err == nil {
		if _, none := os.Stat(path); none == nil { // another process has just finished it, and w.file may be it
			if info.Size() == 0 {
				os.Remove(part)
			}
			w.file.Close()
			return Create(path, s)
		}
		err = w.resume(info.Size())
	}
	if err != nil {
		w.file.Close()
		return nil, fmt.Errorf("%s: %w", part, cause.Of(err))
	}
	return w, nil
}

// accept takes the file that is there for what was asked for, if it is.
func (w *Writer) accept() error {
	f, err := OpenFile(w.path)
	if err != nil {
		return fmt.Errorf("%w; remove it or choose another folder", err)
	}
	defer f.Close()
	file, err := os.Open(w.path)
	if err != nil {
		return fmt.Errorf("%s: %w", w.path, cause.Of(err))
	}
	defer file.Close()
	if f.format == firstFormat {
		w.spec.format = firstFormat
		if w.layout, err = w.spec.layout(); err != nil {
			return err
		}
	}
	if !w.layout.begun(file) {
		keys := append(differing(f.Meta, w.layout.meta), "order of images, type, shape, names or voxels")
		return fmt.Errorf("%s: was made with another %s; expected the same or no file: remove it or choose another folder", w.path, keys[0])
	}
	if err := f.Verify(); err != nil {
		return fmt.Errorf("%w; remove it to make it again", err)
	}
	for c := range w.done {
		w.done[c] = true
	}
	w.sums = bytes.Clone(f.sums)
	return nil
}

// begun says whether a file has all of the layout but the values and their sums.
func (l layout) begun(f *os.File) bool {
	for at, part := range map[int64][]byte{0: slices.Concat(l.head, l.images), l.end - int64(len(l.tail)): l.tail} {
		have := make([]byte, len(part))
		if _, err := f.ReadAt(have, at); err != nil || !bytes.Equal(have, part) {
			return false
		}
	}
	return true
}

// resume finds out which chunks of the unfinished file are good, or begins it.
func (w *Writer) resume(size int64) error {
	l := w.layout
	if size == l.end && l.begun(w.file) {
		return w.checkChunks()
	}
	if err := w.file.Truncate(0); err != nil {
		return err
	}
	if err := w.file.Truncate(l.end); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(l.tail, l.end-int64(len(l.tail))); err != nil {
		return err
	}
	_, err := w.file.WriteAt(slices.Concat(l.head, l.images), 0) // last: a file with a header has everything but values
	return err
}

func (w *Writer) checkChunks() error {
	var room []byte
	sum := make([]byte, sha256.Size)
	for c := range w.done {
		if _, err := w.file.ReadAt(sum, w.layout.sumsAt+int64(c)*sha256.Size); err != nil {
			return err
		}
		if bytes.Equal(sum, make([]byte, sha256.Size)) {
			continue
		}
		at, n := w.layout.chunk(c)
		if room == nil {
			room = make([]byte, ChunkRows*w.layout.rowBytes)
		}
		if _, err := w.file.ReadAt(room[:n], at); err != nil {
			return err
		}
		have := sha256.Sum256(room[:n])
		w.done[c] = bytes.Equal(have[:], sum)
	}
	return nil
}

// Chunks is the number of chunks.
func (w *Writer) Chunks() int { return len(w.done) }

// Done says whether a chunk is written.
func (w *Writer) Done(chunk int) bool { return w.done[chunk] }

// Rows is the range of a chunk's rows among all images of the spec, of which the shard is a part.
func (w *Writer) Rows(chunk int) (lo, hi int) {
	return w.lo + chunk*ChunkRows, w.lo + min((chunk+1)*ChunkRows, w.layout.rows)
}

// Put writes the values of a chunk's rows. What is no number, or is beyond float16 where that is the type, is an error that
// names the image, and so are values that differ from those of a file that was complete already.
func (w *Writer) Put(chunk int, values []float32) error {
	if chunk < 0 || chunk >= len(w.done) {
		return fmt.Errorf("%s: chunk %d, expected one of %d", w.path, chunk, len(w.done))
	}
	at, n := w.layout.chunk(chunk)
	lo, hi := w.Rows(chunk)
	if len(values)*w.spec.DType.Size() != n {
		return fmt.Errorf("%s: %d values for rows %d to %d, expected %d", w.path, len(values), lo, hi-1, n/w.spec.DType.Size())
	}
	b := make([]byte, 0, n)
	for i, v := range values {
		limit := float64(math.MaxFloat32)
		if w.spec.DType == safetensors.F16 {
			limit = maxFloat16
			b = binary.LittleEndian.AppendUint16(b, half.ToF16(v))
		} else {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if a := math.Abs(float64(v)); !(a <= limit) {
			per := len(values) / (hi - lo)
			return fmt.Errorf("%s: %s of image %d: value %d is %g, expected at most %g",
				w.path, w.spec.Name, w.spec.Images[lo+i/per], i%per, v, limit)
		}
	}
	sum := sha256.Sum256(b)
	switch {
	case w.sums != nil && !bytes.Equal(sum[:], w.sums[chunk*sha256.Size:][:sha256.Size]):
		return fmt.Errorf("%s: rows %d to %d have other values, expected the same or no file: remove it or choose another name", w.path,
			lo, hi-1)
	case w.sums != nil:
		return nil
	case w.file == nil:
		return fmt.Errorf("%s: rows %d to %d after the end, expected them before Finish and Close", w.path, lo, hi-1)
	}
	if _, err := w.file.WriteAt(b, at); err != nil {
		return fmt.Errorf("%s: %w", w.file.Name(), cause.Of(err))
	}
	if _, err := w.file.WriteAt(sum[:], w.layout.sumsAt+int64(chunk)*sha256.Size); err != nil {
		return fmt.Errorf("%s: %w", w.file.Name(), cause.Of(err))
	}
	w.done[chunk] = true
	return nil
}

const maxFloat16 = 0x1.ffdffep15 // what is larger is rounded to more than 65504, the largest number of float16

// Finish gives the complete file its name.
func (w *Writer) Finish() error {
	if w.file == nil {
		return nil
	}
	for c, done := range w.done {
		if !done {
			lo, hi := w.Rows(c)
			w.Close()
			return fmt.Errorf("%s: rows %d to %d were not written, expected all", w.path, lo, hi-1)
		}
	}
	f := w.file
	w.file = nil
	err := f.Sync()
	if err == nil {
		err = os.Rename(f.Name(), w.path)
	}
	if err = cmp.Or(err, f.Close()); err != nil {
		return fmt.Errorf("%s: %w", w.path, cause.Of(err))
	}
	if dir, err := os.Open(filepath.Dir(w.path)); err == nil {
		dir.Sync() // the name itself; not every system can
		dir.Close()
	}
	return nil
}

// Close leaves an unfinished file to go on with.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	return f.Close()
}

// fill puts the chunks that are not done; row puts row i of the file into dst. progress may be nil.
func (w *Writer) fill(ctx context.Context, row func(dst []float32, i int) error, progress func(done, total int)) error {
	width := w.spec.columns().N()
	room := make([]float32, min(ChunkRows, w.layout.rows)*width)
	for c := range w.done {
		lo, hi := w.Rows(c)
		if !w.done[c] {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := lo; i < hi; i++ {
				if err := row(room[(i-lo)*width:][:width], i); err != nil {
					return err
				}
			}
			if err := w.Put(c, room[:(hi-lo)*width]); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(hi, w.layout.rows)
		}
	}
	return w.Finish()
}

// Write writes a table to a file of its own at path, as float32, with meta beside what t.Meta says. Rows whose images are not
// known are numbered from 0. It reports whether the file was there already; another one there, or one of other values, is an
// error.
func Write(ctx context.Context, path string, t *Table, meta map[string]string) (upToDate bool, err error) {
	s := Spec{Name: t.Name, Shape: t.Cols.Shape, DType: safetensors.F32, Images: t.Rows.Images, Names: t.Rows.Names,
		Meta:   maps.Clone(t.Meta),
		Counts: t.Rows.Counts, Sessions: t.Rows.Sessions, Voxels: t.Cols.Voxels}
	if s.Meta == nil {
		s.Meta = map[string]string{}
	}
	for _, k := range []string{"request", "shard", "space"} { // which a file has of its own
		delete(s.Meta, k)
	}
	maps.Copy(s.Meta, meta)
	for i := len(s.Images); i < t.Len(); i++ {
		s.Images = append(s.Images, fmri.ImageID(i))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return false, fmt.Errorf("%s: its folder cannot be made: %w", path, cause.Of(err))
	}
	w, err := Create(path, s)
	if err != nil {
		return false, err
	}
	defer w.Close()
	r, err := t.Open()
	if err != nil {
		return false, err
	}
	defer r.Close()
	clear(w.done) // whose values they are, their sums do not say
	upToDate = w.sums != nil
	err = w.fill(ctx, r.Row, nil)
	return upToDate && err == nil, err
}
