package safetensors

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/internal/half"
)

// Named is a tensor to be written: Data holds the elements little-endian in C order.
type Named struct {
	Name  string
	DType DType
	Shape []int
	Data  []byte
}

// NamedF32 makes a float32 tensor.
func NamedF32(name string, x []float32, shape ...int) Named {
	return Named{name, F32, shape, Append(nil, F32, x)}
}

// NamedF16 makes a float16 tensor, rounding to nearest even.
func NamedF16(name string, x []float32, shape ...int) Named {
	return Named{name, F16, shape, Append(nil, F16, x)}
}

// NamedBF16 makes a bfloat16 tensor, rounding to nearest even.
func NamedBF16(name string, x []float32, shape ...int) Named {
	return Named{name, BF16, shape, Append(nil, BF16, x)}
}

// NamedF64 makes a float64 tensor.
func NamedF64(name string, x []float64, shape ...int) Named {
	b, _ := binary.Append(nil, le, x) // fails for types without a size alone
	return Named{name, F64, shape, b}
}

// NamedI32 makes an int32 tensor.
func NamedI32(name string, x []int32, shape ...int) Named {
	b, _ := binary.Append(nil, le, x)
	return Named{name, I32, shape, b}
}

// A Streamed tensor writes its elements, little-endian in C order, when its turn comes.
type Streamed struct {
	Name  string
	DType DType
	Shape []int
	Write func(w io.Writer) error
}

// Streamed is n for a file of which other tensors are not in memory.
func (n Named) Streamed() Streamed {
	return Streamed{n.Name, n.DType, n.Shape, func(w io.Writer) error {
		_, err := w.Write(n.Data)
		return err
	}}
}

// Write writes a file that appears complete or not at all: it is written under a temporary
// name in the same folder, synced and renamed. meta may be nil. Tensors are laid out as the reference
// library does, wider types first, then by name, so that the same tensors give the same bytes.
func Write(path string, tensors []Named, meta map[string]string) error {
	streamed := make([]Streamed, len(tensors))
	for i, t := range tensors {
		streamed[i] = t.Streamed()
	}
	return Stream(path, streamed, meta)
}

// Stream is Write for tensors that are not in memory: each is asked for its bytes once, in the
// order in which they lie in the file.
func Stream(path string, tensors []Streamed, meta map[string]string) error {
	header, order, err := encodeHeader(tensors, meta)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	return writeFile(path, header, order, nil)
}

// writeFile writes header and tensors through a sealer, if there is one.
func writeFile(path string, header []byte, order []Streamed, s *sealer) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	defer f.Abort()
	if err := writeAll(f, header, order, s); err != nil {
		return fmt.Errorf("weights: %s: %w", path, cause.Of(err))
	}
	if err := f.Commit(); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	return nil
}

func writeAll(f io.Writer, header []byte, order []Streamed, s *sealer) error {
	bw := bufio.NewWriterSize(f, 1<<16)
	w := io.Writer(bw)
	if s != nil {
		s.w, w = bw, s
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	for _, t := range order {
		n, err := t.Size()
		if err != nil {
			return err
		}
		c := &counted{w: w}
		if err := t.Write(c); err != nil {
			return err
		}
		if c.n != n {
			return fmt.Errorf("tensor %q: %s %v needs %d bytes, got %d bytes", t.Name, t.DType, t.Shape, n, c.n)
		}
	}
	return bw.Flush()
}

// counted counts what is written.
type counted struct {
	w io.Writer
	n int
}

// Write is part of io.Writer.
func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += n
	return n, err
}

// encodeHeader returns length and JSON, padded with spaces to a multiple of 8, and the order of the data.
func encodeHeader(tensors []Streamed, meta map[string]string) ([]byte, []Streamed, error) {
	order := slices.Clone(tensors)
	slices.SortFunc(order, func(a, b Streamed) int {
		if (a.Name == sealName) != (b.Name == sealName) { // the seal is behind what it is of
			return map[bool]int{true: 1, false: -1}[a.Name == sealName]
		}
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), cmp.Compare(a.Name, b.Name))
	})
	h := make([]byte, 8, 64+96*len(tensors))
	h = append(h, '{')
	if meta != nil {
		m, err := json.Marshal(meta) // sorts the keys
		if err != nil {
			return nil, nil, err
		}
		h = append(append(append(h, `"__metadata__":`...), m...), ',')
	}
	seen := make(map[string]bool, len(order))
	at := 0
	for _, t := range order {
		if t.Name == "" || t.Name == "__metadata__" || seen[t.Name] {
			return nil, nil, fmt.Errorf("tensor name %q is empty, reserved or used twice", t.Name)
		}
		seen[t.Name] = true
		n, err := t.Size()
		if err != nil {
			return nil, nil, err
		}
		entry, err := json.Marshal(struct {
			DType   DType  `json:"dtype"`
			Shape   []int  `json:"shape"`
			Offsets [2]int `json:"data_offsets"`
		}{t.DType, append([]int{}, t.Shape...), [2]int{at, at + n}})
		if err != nil {
			return nil, nil, err
		}
		name, err := json.Marshal(t.Name)
		if err != nil {
			return nil, nil, err
		}
		h = append(append(append(append(h, name...), ':'), entry...), ',')
		at += n
	}
	if h[len(h)-1] == ',' {
		h = h[:len(h)-1]
	}
	h = append(h, '}')
	for len(h)%8 != 0 {
		h = append(h, ' ')
	}
	if len(h)-8 > maxHeader {
		return nil, nil, fmt.Errorf("header of %d bytes, the format allows %d", len(h)-8, maxHeader)
	}
	le.PutUint64(h, uint64(len(h)-8))
	return h, order, nil
}

// Size returns the bytes that type and shape take.
func (t *Streamed) Size() (int, error) {
	n, err := Elements(t.Shape)
	if err != nil {
		return 0, fmt.Errorf("tensor %q: %w", t.Name, err)
	}
	size := t.DType.Size()
	if size == 0 {
		return 0, fmt.Errorf("tensor %q: unknown dtype %q", t.Name, t.DType)
	}
	if n > maxInt/size {
		return 0, fmt.Errorf("tensor %q: %s %v is larger than any file", t.Name, t.DType, t.Shape)
	}
	return n * size, nil
}

// Append appends numbers as little-endian bytes of a type: F16, BF16 or F32.
func Append(b []byte, d DType, x []float32) []byte {
	b = slices.Grow(b, d.Size()*len(x))
	switch d {
	case F16:
		for _, v := range x {
			b = le.AppendUint16(b, half.ToF16(v))
		}
	case BF16:
		for _, v := range x {
			b = le.AppendUint16(b, half.ToBF16(v))
		}
	default:
		b, _ = binary.Append(b, le, x)
	}
	return b
}
