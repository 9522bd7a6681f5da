package weights

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// origin is what is known of a Store's file besides its name.
type origin struct {
	size     int64
	modified time.Time
	header   []byte // what describes the tensors, mapped
}

// sampled is how many bytes of a tensor are part of a Store's identity.
const sampled = 512

// Identity tells the tensors of this Store from others wherever their file lies: it is a sum over the file's size, time
// of modification and header, and over some bytes from the middle of each tensor, unless the header has the sums of all. It
// is empty where the file is not known. To read all bytes would take as long as packing them.
func (s *Store) Identity() string {
	if s.origin == nil {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%d %d\n", s.origin.size, s.origin.modified.UnixNano())
	h.Write(s.origin.header)
	tensors := make([]tensorInfo, 0, len(s.tensors))
	for _, t := range s.tensors {
		tensors = append(tensors, t)
	}
	slices.SortFunc(tensors, func(a, b tensorInfo) int { return cmp.Compare(a.source, b.source) })
	for _, t := range tensors {
		if s.format.name != safetensorsFormat { // bytes do not tell which of two tensors on one storage is meant
			fmt.Fprintf(h, "%s\n", t.source)
		}
		if s.format.summed {
			continue
		}
		if data, err := t.raw(); err == nil { // or the tensor cannot be read, and nothing is made of it
			mid := max(0, len(data)-sampled) / 2
			h.Write(data[mid:min(len(data), mid+sampled)])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
