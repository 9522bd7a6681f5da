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
	DType   string    `json:"dtype"`
	Shape   *[]uint64 `json:"shape"`
	Offsets []uint64  `json:"data_offsets"`
}

// Parse reads the header of a whole file b and returns its tensors as views of b, and the free text pairs of its header, nil
// where it has none.
//
// Layout: 8 bytes little-endian length n, n bytes of JSON, data. The tensors must cover the data
// exactly: no holes, no overlap, nothing behind the last. Every length is checked against the file
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
	if len(header) == 0 || header[0] != '{' {
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
	dec.DisallowUnknownFields()
	if _, err := dec.Token(); err != nil {
		return nil, nil, headerError(err)
	}
	entries := map[string]headerEntry{}
	var meta map[string]string
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, nil, headerError(err)
		}
		name := key.(string) // a key of an object is a string, or Token has failed
		if name == "__metadata__" {
			if meta != nil {
				return nil, nil, errors.New("__metadata__ occurs twice")
			}
			meta = map[string]string{}
			if err := dec.Decode(&meta); err != nil {
				return nil, nil, fmt.Errorf("__metadata__: %w", headerError(err))
			}
			continue
		}
		if _, dup := entries[name]; dup {
			return nil, nil, fmt.Errorf("tensor %q occurs twice in the header", name)
		}
		var e headerEntry
		if err := dec.Decode(&e); err != nil {
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
	dtype := DType(e.DType)
	size := uint64(dtype.Size())
	if size == 0 {
		return Tensor{}, span{}, fmt.Errorf("unknown dtype %q", e.DType)
	}
	if e.Shape == nil {
		return Tensor{}, span{}, errors.New("no shape")
	}
	if len(e.Offsets) != 2 {
		return Tensor{}, span{}, fmt.Errorf("%d data_offsets, expected 2", len(e.Offsets))
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	if begin > end || end > uint64(len(data)) {
		return Tensor{}, span{}, fmt.Errorf("data_offsets [%d, %d] outside of %d bytes of data: the file is cut short or damaged",
			begin, end, len(data))
	}
	shape := make([]int, len(*e.Shape))
	for i, d := range *e.Shape {
		if d > uint64(maxInt) {
			return Tensor{}, span{}, fmt.Errorf("dimension %d is too large", d)
		}
		shape[i] = int(d)
	}
	n, err := Elements(shape)
	if err != nil {
		return Tensor{}, span{}, err
	}
	if uint64(n) > uint64(maxInt)/size || uint64(n)*size != end-begin {
		return Tensor{}, span{}, fmt.Errorf("%s %v needs %d elements of %d bytes, data_offsets give %d bytes",
			dtype, shape, n, size, end-begin)
	}
	return Tensor{DType: dtype, Shape: shape, Data: data[begin:end:end]}, span{begin: begin, end: end}, nil
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
