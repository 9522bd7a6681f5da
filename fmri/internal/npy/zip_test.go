package npy

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"

	"percept/internal/atomicfile"
)

// zipped is an array to be written into an archive.
type zipped struct {
	name  string
	dtype string
	shape []int
	n     int
	write func(io.Writer) error
}

// of is an array in C order under a name.
func of[T Element](name string, shape []int, data []T) zipped {
	return zipped{name, DTypeOf[T](), shape, len(data), func(w io.Writer) error {
		_, err := atomicfile.WriteValues(w, binary.LittleEndian, nil, data)
		return err
	}}
}

// writeZip writes a .npz archive, stored or deflated, that appears at path when it is complete.
func writeZip(path string, deflate bool, members ...zipped) error {
	out, err := atomicfile.CreateStream(path, false)
	if err != nil {
		return err
	}
	defer out.Abort()
	z := zip.NewWriter(out)
	seen := map[string]bool{}
	for _, m := range members {
		head, n, err := encodeHeader(m.dtype, m.shape)
		switch {
		case err != nil:
			return fmt.Errorf("%s: array %s: %w", path, m.name, err)
		case n != m.n:
			return fmt.Errorf("%s: array %s: %d values, shape %v needs %d", path, m.name, m.n, m.shape, n)
		case m.name == "" || seen[m.name]:
			return fmt.Errorf("%s: array %q: a name is needed, each once", path, m.name)
		}
		seen[m.name] = true
		h := &zip.FileHeader{Name: m.name + ".npy", Method: zip.Store}
		if deflate {
			h.Method = zip.Deflate
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(head)
		}
		if err == nil {
			err = m.write(w)
		}
		if err != nil {
			return fmt.Errorf("%s: array %s: %w", path, m.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return out.Close()
}
