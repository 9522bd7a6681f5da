package atomicfile

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
)

// Stream is a file written front to back through a buffer, compressed if asked for.
type Stream struct {
	file *File
	buf  *bufio.Writer
	zip  *gzip.Writer // nil where nothing is compressed
	out  io.Writer
}

// CreateStream starts a file that appears at path when Close succeeds, making its folder where it is missing.
func CreateStream(path string, compress bool) (*Stream, error) {
	f, err := CreateAll(path)
	if err != nil {
		return nil, err
	}
	s := &Stream{file: f, buf: bufio.NewWriterSize(f, 1<<18)}
	s.out = s.buf
	if compress {
		s.zip = gzip.NewWriter(s.buf)
		s.out = s.zip
	}
	return s, nil
}

// Path is the name that the file will have.
func (s *Stream) Path() string { return s.file.Path() }

// Write adds bytes; its error names the file.
func (s *Stream) Write(b []byte) (int, error) {
	n, err := s.out.Write(b)
	if err != nil {
		err = fmt.Errorf("%s: %w", s.Path(), err)
	}
	return n, err
}

// Abort gives the file up and removes what was written. After Close it does nothing.
func (s *Stream) Abort() { s.file.Abort() }

// Close gives the file its name. On an error nothing is left behind.
func (s *Stream) Close() error {
	defer s.file.Abort()
	if s.zip != nil {
		if err := s.zip.Close(); err != nil {
			return fmt.Errorf("%s: %w", s.Path(), err)
		}
	}
	if err := s.buf.Flush(); err != nil {
		return fmt.Errorf("%s: %w", s.Path(), err)
	}
	return s.file.Commit()
}
