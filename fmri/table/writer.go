package table

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"

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
}

// Create begins the file of a spec at path, or goes on with what a process that was killed has left of it: chunks whose sum
// fits are not asked for again. Values lie in path with ".part" behind until Finish. If the file is there already, complete and
// of the same spec, nothing is pending; one of another spec is an error.
func Create(path string, s Spec) (*Writer, error) {
	l, err := s.layout()
	if err != nil {
		return nil, err
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
	if err := w.resume(); err != nil {
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
	head, err := readHead(w.path, len(w.layout.head)+len(w.layout.images))
	if err != nil {
		return err
	}
	if !bytes.Equal(head, append(bytes.Clone(w.layout.head), w.layout.images...)) {
		want, err := parseHead(w.path, w.layout)
		if err != nil {
			return err
		}
		keys := differing(f.meta, want)
		if len(keys) == 0 {
			keys = []string{"the order of images, type or shape"}
		}
		return fmt.Errorf("%s: was made with another %s; expected the same or no file: remove it or choose another folder", w.path, keys[0])
	}
	if err := f.Verify(); err != nil {
		return fmt.Errorf("%w; remove it to make it again", err)
	}
	for c := range w.done {
		w.done[c] = true
	}
	return nil
}

// resume finds out which chunks of the unfinished file are good, or begins it.
func (w *Writer) resume() error {
	l := w.layout
	start := append(bytes.Clone(l.head), l.images...)
	have := make([]byte, len(start))
	info, err := w.file.Stat()
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(io.NewSectionReader(w.file, 0, int64(len(start))), have); err == nil && bytes.Equal(have, start) && info.Size() == l.end {
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
	_, err = w.file.WriteAt(start, 0) // last: a file with a header has everything but values
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
// names the image.
func (w *Writer) Put(chunk int, values []float32) error {
	at, n := w.layout.chunk(chunk)
	if w.file == nil || len(values)*w.spec.DType.Size() != n {
		return fmt.Errorf("table: %d values for chunk %d of %s, which has %d bytes", len(values), chunk, w.path, n)
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
			lo, _ := w.Rows(chunk)
			per := len(values) / (n / w.layout.rowBytes)
			return fmt.Errorf("table: %s of image %d: value %d is %g, expected at most %g", w.spec.Name, w.spec.Images[lo+i/per], i%per, v, limit)
		}
	}
	if _, err := w.file.WriteAt(b, at); err != nil {
		return fmt.Errorf("%s: %w", w.file.Name(), cause.Of(err))
	}
	sum := sha256.Sum256(b)
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
			return fmt.Errorf("table: rows %d to %d of %s were not written", lo, hi, w.path)
		}
	}
	f := w.file
	w.file = nil
	err := errors.Join(f.Sync(), os.Rename(f.Name(), w.path), f.Close())
	if err != nil {
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

// Write writes a table to a file of its own at path, as float32, with meta beside what t.Meta says. Rows whose images are not
// known are numbered from 0. It reports whether the file was there already; another one there is an error.
func Write(ctx context.Context, path string, t *Table, meta map[string]string) (upToDate bool, err error) {
	s := Spec{Name: t.Name, Shape: t.Cols.Shape, DType: safetensors.F32, Images: t.Rows.Images, Names: t.Rows.Names, Meta: map[string]string{},
		Counts: t.Rows.Counts, Sessions: t.Rows.Sessions, Voxels: t.Cols.Voxels}
	for k, v := range t.Meta {
		if !ofTheFile[k] {
			s.Meta[k] = v
		}
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
	upToDate = true
	room := make([]float32, ChunkRows*t.Width())
	for c := range w.Chunks() {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		lo, hi := w.Rows(c)
		if w.Done(c) {
			continue
		}
		upToDate = false
		for i := lo; i < hi; i++ {
			if err := r.Row(room[(i-lo)*t.Width():][:t.Width()], i); err != nil {
				return false, err
			}
		}
		if err := w.Put(c, room[:(hi-lo)*t.Width()]); err != nil {
			return false, err
		}
	}
	return upToDate, w.Finish()
}

// ofTheFile are keys of metadata that a file has of its own.
var ofTheFile = map[string]bool{"request": true, "shard": true, "space": true}
