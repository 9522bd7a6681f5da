package sim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// writeNPY writes an array in NumPy's format 1.0, C order, little-endian.
func writeNPY[T float32 | int32](path string, data []T, shape ...int) error {
	kind := "<f4"
	if _, ok := any(data).([]int32); ok {
		kind = "<i4"
	}
	var dims strings.Builder
	for _, n := range shape {
		fmt.Fprintf(&dims, "%d,", n)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, dims.String())
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	binary.Write(&b, binary.LittleEndian, uint16(len(header)))
	b.WriteString(header)
	binary.Write(&b, binary.LittleEndian, data)
	return writeFile(path, b.Bytes())
}
