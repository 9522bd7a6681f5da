package atomicfile

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Array writes the values of one array, of which the number is known, behind whatever Create has written of a header.
type Array[T any] struct {
	Footer []byte    // written behind the values
	Also   io.Writer // gets the bytes of the values as well; nil: nothing does

	out     *Stream
	order   binary.ByteOrder
	holds   string // what the file has announced, for errors
	written int
	total   int
	bytes   []byte
}

// CreateArray starts a file with a header, for total values. holds says in words what the header announces, such as
// "shape [2 3] holds".
func CreateArray[T any](path string, compress bool, header []byte, order binary.ByteOrder, total int, holds string) (*Array[T], error) {
	out, err := CreateStream(path, compress)
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(header); err != nil {
		out.Abort()
		return nil, err
	}
	return &Array[T]{out: out, order: order, holds: holds, total: total}, nil
}

// Append adds values in file order, any number at a time.
func (a *Array[T]) Append(data []T) (err error) {
	if len(data) > a.total-a.written {
		return fmt.Errorf("%s: more values than %s", a.out.Path(), a.holds)
	}
	a.written += len(data)
	var out io.Writer = a.out
	if a.Also != nil {
		out = io.MultiWriter(a.out, a.Also)
	}
	a.bytes, err = WriteValues(out, a.order, a.bytes, data)
	return err
}

// WriteValues writes values, some at a time through buf, which it returns to be used again.
func WriteValues[T any](out io.Writer, order binary.ByteOrder, buf []byte, data []T) ([]byte, error) {
	for len(data) > 0 {
		n := min(len(data), 1<<13)
		b, err := binary.Append(buf[:0], order, data[:n])
		if err != nil {
			return buf, err
		}
		buf = b
		if _, err := out.Write(b); err != nil {
			return buf, err
		}
		data = data[n:]
	}
	return buf, nil
}

// Abort gives the file up and removes what was written. After Close it does nothing.
func (a *Array[T]) Abort() { a.out.Abort() }

// Close gives the file its name. It fails, leaving nothing, if values are missing.
func (a *Array[T]) Close() error {
	defer a.out.Abort()
	if a.written != a.total {
		return fmt.Errorf("%s: %d of %d values were written", a.out.Path(), a.written, a.total)
	}
	if _, err := a.out.Write(a.Footer); err != nil {
		return err
	}
	return a.out.Close()
}
