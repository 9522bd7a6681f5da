package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"percept/internal/cause"
)

// maxHeader is the limit of the reference library for the JSON header, in bytes.
const maxHeader = 100_000_000

// headerEntry is the JSON of one tensor. Unsigned types make the decoder refuse signs and fractions.
type headerEntry struct {
	dtype   *string
	shape   *[]uint64
	offsets *[]uint64
}

// read reads an entry key by key: names count with their case, and one that occurs twice is an error. Other keys are passed
// over, as by the reference library.
func (e *headerEntry) read(dec *json.Decoder) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return cmp.Or(err, errors.New("expected an object with dtype, shape and data_offsets"))
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var to any
		again := false
		switch key {
		case "dtype":
			to, again = &e.dtype, e.dtype != nil
		case "shape":
			to, again = &e.shape, e.shape != nil
		case "data_offsets":
			to, again = &e.offsets, e.offsets != nil
		default:
			to = new(json.RawMessage)
		}
		if again {
			return fmt.Errorf("%s occurs twice", key)
		}
		if err := dec.Decode(to); err != nil {
			return err
		}
	}
	_, err := dec.Token() // the closing brace
	return err
}

// Parse reads the header of a whole file b and returns its tensors as views of b, and the free text pairs of its header, nil
// where it has none.
//
// Layout: 8 bytes little-endian length n, n bytes of JSON, data. The tensors must cover the data
// exactly: no holes, no overlap, nothing behind the last. A tensor of a type that this package does not name is there, and
// has no values that can be read. Every length is checked against the file
// before anything is allocated for it. Source: https://github.com/huggingface/safetensors#format.
func Parse(b []byte) (tensors map[string]Tensor, metadata map[string]string, err error) {
	if len(b) < 8 {
		return nil, nil, fmt.Errorf("%d bytes, a safetensors file has at least 8", len(b))
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(b)-8) {
		return nil, nil, fmt.Errorf("header of %d bytes announced, the file has %d after the length", n, len(b)-8)
	}
	if n > maxHeader {
		return nil, nil, fmt.Errorf("header of %d bytes, the format allows %d", n, maxHeader)
	}
	header, data := b[8:8+n], b[8+n:]
	if !bytes.HasPrefix(bytes.TrimLeft(header, " \t\r\n"), []byte("{")) {
		return nil, nil, errors.New("no JSON object behind the header length: not a safetensors file")
	}
	if !utf8.Valid(header) {
		return nil, nil, errors.New("header is not UTF-8")
	}
	entries, meta, err := decodeHeader(header)
	if err != nil {
		return nil, nil, err
	}
	tensors = make(map[string]Tensor, len(entries))
	spans := make([]span, 0, len(entries))
	for _, name := range slices.Sorted(maps.Keys(entries)) { // in order, for the same message every time
		e := entries[name]
		info, s, err := e.resolve(data)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		s.name = name
		tensors[name] = info
		spans = append(spans, s)
	}
	if err := checkCover(spans, len(data)); err != nil {
		return nil, nil, err
	}
	return tensors, meta, nil
}

// decodeHeader walks the object key by key, since a map would hide a name that occurs twice.
func decodeHeader(header []byte) (map[string]headerEntry, map[string]string, error) {
	dec := json.NewDecoder(bytes.NewReader(header))
	if _, err := dec.Token(); err != nil {
		return nil, nil, headerError(err)
	}
	entries := map[string]headerEntry{}
	var meta map[string]string
	described := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, nil, headerError(err)
		}
		name := key.(string) // a key of an object is a string, or Token has failed
		if name == "__metadata__" {
			if described {
				return nil, nil, errors.New("__metadata__ occurs twice")
			}
			described, meta = true, map[string]string{}
			if err := dec.Decode(&meta); err != nil {
				return nil, nil, fmt.Errorf("__metadata__: %w", headerError(err))
			}
			continue
		}
		if _, dup := entries[name]; dup {
			return nil, nil, fmt.Errorf("tensor %q occurs twice in the header", name)
		}
		var e headerEntry
		if err := e.read(dec); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, headerError(err))
		}
		entries[name] = e
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, nil, headerError(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, nil, errors.New("header has text behind its JSON object")
	}
	return entries, meta, nil
}

// headerError keeps a JSON error on one line and says where it happened.
func headerError(err error) error { return fmt.Errorf("header: %w", cause.OfJSON(err)) }

// span is the place of a tensor in the data block.
type span struct {
	name       string
	begin, end uint64
}

// resolve turns the JSON of a tensor into a view of data.
func (e *headerEntry) resolve(data []byte) (Tensor, span, error) {
	switch {
	case e.dtype == nil:
		return Tensor{}, span{}, errors.New("no dtype")
	case e.shape == nil:
		return Tensor{}, span{}, errors.New("no shape")
	case e.offsets == nil || len(*e.offsets) != 2:
		return Tensor{}, span{}, errors.New("no data_offsets of two numbers")
	}
	dtype := DType(*e.dtype)
	if !dtype.known() {
		return Tensor{}, span{}, fmt.Errorf("unknown dtype %.40q, expected one such as F32", *e.dtype)
	}
	begin, end := (*e.offsets)[0], (*e.offsets)[1]
	if begin > end || end > uint64(len(data)) {
		return Tensor{}, span{}, fmt.Errorf("data_offsets [%d, %d] outside of %d bytes of data: the file is cut short or damaged",
			begin, end, len(data))
	}
	shape := make([]int, len(*e.shape))
	for i, d := range *e.shape {
		if d > uint64(maxInt) {
			return Tensor{}, span{}, fmt.Errorf("dimension %d is too large", d)
		}
		shape[i] = int(d)
	}
	n, err := Elements(shape)
	if err != nil {
		return Tensor{}, span{}, err
	}
	if err := checkSize(dtype, shape, uint64(n), end-begin); err != nil {
		return Tensor{}, span{}, err
	}
	return Tensor{DType: dtype, Shape: shape, Data: data[begin:end:end]}, span{begin: begin, end: end}, nil
}

// checkSize compares the bytes of n elements with those that a tensor has. Of a type that is in no list nothing is known.
func checkSize(dtype DType, shape []int, n, have uint64) error {
	bits := uint64(dtype.bits())
	switch {
	case bits == 0:
		return nil
	case n > uint64(maxInt)/bits:
	case n*bits%8 != 0:
		return fmt.Errorf("%s %v ends within a byte: %d elements of %d bits", dtype, shape, n, bits)
	case n*bits/8 == have:
		return nil
	}
	if bits%8 != 0 {
		return fmt.Errorf("%s %v needs %d elements of %d bits, data_offsets give %d bytes", dtype, shape, n, bits, have)
	}
	return fmt.Errorf("%s %v needs %d elements of %d bytes, data_offsets give %d bytes", dtype, shape, n, bits/8, have)
}

// checkCover makes sure that the tensors lie end to end over all n bytes of data.
func checkCover(spans []span, n int) error {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.name, b.name))
	})
	at := uint64(0)
	for _, s := range spans {
		if s.begin < at {
			return fmt.Errorf("tensor %q begins at byte %d inside another that ends at %d", s.name, s.begin, at)
		}
		if s.begin > at {
			return fmt.Errorf("%d unused bytes before tensor %q", s.begin-at, s.name)
		}
		at = s.end
	}
	if at != uint64(n) {
		return fmt.Errorf("tensors end at byte %d, the file has %d bytes of data", at, n)
	}
	return nil
}
