package npy

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"percept/fmri/internal/source"
	"percept/internal/atomicfile"
	"percept/internal/cause"
)

// Names lists the arrays of a .npz archive, in the archive's order.
func Names(path string) ([]string, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	defer z.Close()
	return names(&z.Reader), nil
}

func names(z *zip.Reader) []string {
	var names []string
	for _, f := range z.File {
		names = append(names, strings.TrimSuffix(f.Name, ".npy"))
	}
	return names
}

// ReadMember reads one array of a .npz archive.
func ReadMember(path, name string) (*Array, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	defer z.Close()
	return readMember(path, &z.Reader, name)
}

func readMember(path string, z *zip.Reader, name string) (*Array, error) {
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return strings.TrimSuffix(f.Name, ".npy") == name })
	if i < 0 {
		return nil, fmt.Errorf("%s: no array %q; there is %s", path, name, source.Printable(strings.Join(names(z), ", ")))
	}
	f := z.File[i]
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
	}
	defer r.Close()
	a, err := Read(path+": "+f.Name, r)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil { // checks the member's checksum
		return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
	}
	return a, nil
}

// Member is an array to be written into an archive.
type Member struct {
	name  string
	dtype string
	shape []int
	n     int
	write func(io.Writer) error
}

// Of is an array in C order under a name.
func Of[T Element](name string, shape []int, data []T) Member {
	return Member{name, DTypeOf[T](), shape, len(data), func(w io.Writer) error {
		_, err := atomicfile.WriteValues(w, binary.LittleEndian, nil, data)
		return err
	}}
}

// WriteZip writes a .npz archive, stored or deflated, that appears at path when it is complete.
func WriteZip(path string, deflate bool, members ...Member) error {
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
