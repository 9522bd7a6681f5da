package safetensors

import (
	"encoding/binary"
	"strings"
	"testing"
)

// withHeader is a file of a header and n bytes of zeros.
func withHeader(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

// What safetensors 0.8 says of a header: bytes of its types, and what else it takes. Types of no list are not the library's:
// a file of a later one opens, by the form of their names.
func TestHeaders(t *testing.T) {
	entry := func(dtype, shape, offsets string) string {
		return `{"a":{"dtype":"` + dtype + `","shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	const plain = `{"dtype":"F32","shape":[12],"data_offsets":[0,48]}`
	for _, c := range []struct {
		header string
		bytes  int
		err    string // empty where the file opens
	}{
		{entry("F4", "[96]", "[0,48]"), 48, ""},
		{entry("F6_E2M3", "[64]", "[0,48]"), 48, ""},
		{entry("F6_E3M2", "[4,16]", "[0,48]"), 48, ""},
		{entry("C64", "[6]", "[0,48]"), 48, ""},
		{entry("F8_E8M0", "[48]", "[0,48]"), 48, ""},
		{entry("F4", "[3]", "[0,2]"), 2, "ends within a byte"},
		{entry("F6_E2M3", "[2]", "[0,2]"), 2, "ends within a byte"},
		{entry("F4", "[96]", "[0,47]"), 47, "96 elements of 4 bits, data_offsets give 47 bytes"},
		{entry("C64", "[7]", "[0,48]"), 48, "7 elements of 8 bytes"},
		{entry("F4", "[9223372036854775807]", "[0,48]"), 48, "needs"},
		{entry("I4", "[96]", "[0,48]"), 48, ""}, // of a later release
		{entry("F8_E3M4", "[48]", "[0,48]"), 48, ""},
		{entry("C128", "[3]", "[0,48]"), 48, ""},
		{entry("I4", "[96]", "[0,49]"), 48, "outside"},
		{entry("I4", "[96]", "[0,47]"), 48, "tensors end at byte 47"},
		{entry("Q7", "[96]", "[0,48]"), 48, `unknown dtype "Q7", expected`},
		{entry("", "[96]", "[0,48]"), 48, `unknown dtype ""`},
		{entry("f32", "[12]", "[0,48]"), 48, `unknown dtype "f32"`},
		{`{"__metadata__":null,"a":` + plain + `}`, 48, ""},
		{`{"__metadata__":{},"a":` + plain + `}`, 48, ""},
		{`{"__metadata__":{"x":"1","x":"2"},"a":` + plain + `}`, 48, ""},
		{`{"__metadata__":{"x":1},"a":` + plain + `}`, 48, "__metadata__"},
		{`{"__metadata__":[],"a":` + plain + `}`, 48, "__metadata__"},
		{`{"__metadata__":null,"__metadata__":null,"a":` + plain + `}`, 48, "__metadata__ occurs twice"},
		{`{"a":{"note":{"b":[1]},"dtype":"F32","shape":[12],"data_offsets":[0,48]}}`, 48, ""},
		{` {"a":` + plain + "} \n\t", 48, ""},
		{`{"a":` + plain + `}x`, 48, "text behind"},
		{`{"a":{"dtype":"I32","dtype":"F32","shape":[12],"data_offsets":[0,48]}}`, 48, "dtype occurs twice"},
		{`{"a":{"shape":[12],"data_offsets":[0,48]}}`, 48, "no dtype"},
		{`{"a":{"dtype":"F32","data_offsets":[0,48]}}`, 48, "no shape"},
		{`{"a":{"dtype":"F32","shape":[12],"data_offsets":[0,48,48]}}`, 48, "data_offsets"},
		{`{"a":{"dtype":"F32","shape":[12.0],"data_offsets":[0,48]}}`, 48, "header"},
		{`{"a":[]}`, 0, "expected an object"},
	} {
		tensors, _, err := Parse(withHeader(c.header, c.bytes))
		switch {
		case c.err == "" && (err != nil || len(tensors) != 1):
			t.Errorf("%s: %v", c.header, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: %v, want one line that says %q", c.header, err, c.err)
		}
	}
	// Names of keys count with their case: the library passes over another.
	tensors, _, err := Parse(withHeader(`{"a":{"dtype":"F32","DTYPE":"I32","shape":[12],"Shape":[6],"data_offsets":[0,48]}}`, 48))
	if err != nil || tensors["a"].DType != F32 || len(tensors["a"].Shape) != 1 || tensors["a"].Shape[0] != 12 {
		t.Errorf("keys in upper case: %v, %v", tensors["a"], err)
	}
}
