// Package mapped reads files by mapping them into memory: only what is looked at is read, and the system may take the pages
// back at any time.
package mapped

import (
	"fmt"
	"io/fs"
	"os"

	"percept/internal/cause"
)

// Open maps a file. expected says in an error what should have been at path, such as "expected a safetensors file"; the path
// itself is for the caller to name. Release ends the use of the bytes, which are not to be written to.
func Open(path, expected string) (b []byte, info fs.FileInfo, release func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, nil, cause.Of(err)
	}
	defer f.Close()
	info, err = f.Stat()
	switch {
	case err != nil:
		return nil, nil, nil, cause.Of(err)
	case !info.Mode().IsRegular():
		return nil, nil, nil, fmt.Errorf("not a regular file, %s", expected)
	case info.Size() == 0:
		return nil, nil, nil, fmt.Errorf("the file is empty, %s", expected)
	}
	b, release, err = Map(f, info.Size())
	return b, info, release, err
}

// Map maps the first size > 0 bytes of a file, which may be closed then.
func Map(f *os.File, size int64) (b []byte, release func() error, err error) {
	if size != int64(int(size)) {
		return nil, nil, fmt.Errorf("%d bytes are more than this machine can map", size)
	}
	b, release, err = mapFile(f, int(size))
	return b, release, cause.Of(err)
}
