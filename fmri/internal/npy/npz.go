package npy

import (
	"archive/zip"
	"fmt"
	"io"
	"slices"
	"strings"

	"percept/fmri/internal/source"
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

// Member is the header of an array of an archive, or why there is none.
type Member struct {
	*Header
	Name string
	Err  error
}

// Members reads the headers of the arrays of a .npz archive, in the archive's order.
func Members(path string) ([]Member, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	defer z.Close()
	var out []Member
	for i, name := range names(&z.Reader) {
		m := Member{Name: name}
		r, err := z.File[i].Open()
		if err != nil {
			m.Err = fmt.Errorf("%s: %s: %w", path, z.File[i].Name, err)
		} else {
			m.Header, _, m.Err = readHeader(path+": "+z.File[i].Name, r)
			r.Close()
		}
		out = append(out, m)
	}
	return out, nil
}
