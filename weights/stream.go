package weights

import (
	"fmt"

	"percept/weights/safetensors"
)

// scanPart is how many elements scan hands out at once.
const scanPart = 1 << 18

// scan calls f with the elements of a tensor as float32, part by part in C order, together with the bytes that
// they are in the Store. f must keep neither. Memory stays small however large the tensor is.
func (s *Store) scan(name string, f func(x []float32, raw []byte) error) error {
	b, err := s.Bytes(name)
	if err != nil {
		return err
	}
	dtype := s.tensors[name].DType
	if why := s.Unreadable(name); why != "" {
		return &FormatError{s.file, fmt.Sprintf("%s: %s, %v", name, why, safetensors.ErrDType)}
	}
	size := dtype.Size()
	var room []float32
	for len(b) > 0 {
		n := min(scanPart, len(b)/size)
		part := safetensors.Tensor{DType: dtype, Data: b[:n*size]}
		x, ok := part.View()
		if !ok {
			if room == nil {
				room = make([]float32, n)
			}
			x = room[:n]
			if err := part.Widen(x); err != nil {
				return &FormatError{s.file, fmt.Sprintf("%s: %v", name, err)}
			}
		}
		if err := f(x, part.Data); err != nil {
			return err
		}
		b = b[n*size:]
	}
	return nil
}
