// Package source opens files that may be compressed with gzip, bzip2 or zstd. What a file is shows in its first bytes, not in
// its name.
//
//	f, err := source.Open("lh.streams.mgz")
//	s, err := f.Stream()                   // the bytes after decompression, from the start
//	err = s.Read(b, "the header")          // all of b, or an error that says where and what was wanted
//	err = s.Drain("the voxels")            // to the end: the checksum is checked
//
// A file that is not compressed can also be read anywhere with ReadAt.
package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"percept/internal/cause"
)

// FormatError says what in a file is not as it has to be, and where.
type FormatError struct {
	File   string
	Format string // "MGH", "GIFTI", ...
	Offset int64  // bytes from the start of the (decompressed) file
	Msg    string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s, offset %d: %s", e.File, e.Format, e.Offset, Printable(e.Msg))
}

// Printable replaces line ends and other control characters, which names in damaged files have, so that an error is one
// line.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// ReadFile is os.ReadFile with an error that begins with the path.
func ReadFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	return b, nil
}

// File is a file that was found. It is opened each time that it is read.
type File struct {
	Name        string
	Format      string // for errors
	Compression string // "gzip", "bzip2", "zstd"; "" for none
	Size        int64  // bytes on disk
	open        func() (readCloserAt, error)
}

// Compressed says whether the file can only be read from its start.
func (f *File) Compressed() bool { return f.Compression != "" }

type readCloserAt interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// Open finds a file and looks whether it is compressed. format is its name in errors.
func Open(path, format string) (*File, error) {
	f := &File{Name: path, Format: format}
	f.open = func() (readCloserAt, error) {
		osf, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
		}
		return osf, nil
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	if st.IsDir() {
		return nil, fmt.Errorf("%s: is a folder, expected a file", path)
	}
	f.Size = st.Size()
	return f, f.sniff()
}

type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// Bytes is a file that lies in memory.
func Bytes(name, format string, b []byte) (*File, error) {
	f := &File{Name: name, Format: format, Size: int64(len(b))}
	f.open = func() (readCloserAt, error) { return memory{bytes.NewReader(b)}, nil }
	return f, f.sniff()
}

func (f *File) sniff() error {
	r, err := f.open()
	if err != nil {
		return err
	}
	defer r.Close()
	b := make([]byte, longestMark)
	n, err := io.ReadFull(r, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fmt.Errorf("%s: cannot be read: %w", f.Name, cause.Of(err))
	}
	f.Compression = compression(b[:n])
	return nil
}

func (f *File) errorf(at int64, format string, args ...any) error {
	return &FormatError{File: f.Name, Format: f.Format, Offset: at, Msg: fmt.Sprintf(format, args...)}
}

// ReaderAt reads an uncompressed file anywhere.
type ReaderAt struct {
	f *File
	r readCloserAt
}

// At opens an uncompressed file to be read anywhere.
func (f *File) At() (*ReaderAt, error) {
	if f.Compressed() {
		return nil, fmt.Errorf("%s: is compressed and can only be read from its start", f.Name)
	}
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	return &ReaderAt{f, r}, nil
}

// Read fills b from an offset; what says for the error what should be there.
func (r *ReaderAt) Read(b []byte, at int64, what string) error {
	if n, err := r.r.ReadAt(b, at); n < len(b) {
		if err == io.EOF {
			return r.f.errorf(at, "the file ends after %d bytes, inside %s", r.f.Size, what)
		}
		return r.f.errorf(at, "cannot read %s: %v", what, cause.Of(err))
	}
	return nil
}

// Close closes the file.
func (r *ReaderAt) Close() error { return r.r.Close() }

// Stream is a file's decompressed bytes, front to back.
type Stream struct {
	f    *File
	r    io.Reader
	file io.Closer
	pos  int64
}

// Stream opens the file at its start.
func (f *File) Stream() (*Stream, error) {
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(r, 1<<16)
	s := &Stream{f: f, file: r, r: in}
	if f.Compressed() {
		if s.r, err = decompress(in, f.Compression, f.Size); err != nil {
			r.Close()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, f.errorf(0, "%s: the stream is cut inside its header", f.Compression)
			}
			return nil, f.errorf(0, "%v", err)
		}
	}
	return s, nil
}

// Close closes the file.
func (s *Stream) Close() error { return s.file.Close() }

// Read fills b; what says for the error what should be there.
func (s *Stream) Read(b []byte, what string) error {
	n, err := io.ReadFull(s.r, b)
	s.pos += int64(n)
	return s.fail(err, "inside "+what)
}

// Head is the next n bytes, or fewer where the file ends.
func (s *Stream) Head(n int) ([]byte, error) {
	b := make([]byte, n)
	m, err := io.ReadFull(s.r, b)
	s.pos += int64(m)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && (!s.f.Compressed() || s.ended()) {
		err = nil
	}
	return b[:m], s.fail(err, "inside its first bytes")
}

// Skip passes n bytes over.
func (s *Stream) Skip(n int64, what string) error {
	m, err := io.CopyN(io.Discard, s.r, n)
	s.pos += m
	return s.fail(err, "before "+what)
}

// Drain reads to the end.
func (s *Stream) Drain(what string) error {
	n, err := io.Copy(io.Discard, s.r)
	s.pos += n
	return s.fail(err, "after "+what)
}

func (s *Stream) fail(err error, where string) error {
	switch {
	case err == nil:
		return nil
	case s.f.Compressed() && errors.Is(err, io.ErrUnexpectedEOF) && !s.ended():
		return s.f.errorf(s.pos, "%s: the stream is cut %s", s.f.Compression, where)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return s.f.errorf(s.pos, "the file ends %s", where)
	}
	return s.f.errorf(s.pos, "%s: %v", where, cause.Of(err))
}

// ended says whether a stream came to its proper end, after a read that got less than it wanted.
func (s *Stream) ended() bool {
	_, err := s.r.Read(make([]byte, 1))
	return err == io.EOF
}

// Reader is the rest of the stream as an io.Reader that does not count.
func (s *Stream) Reader() io.Reader { return s.r }
