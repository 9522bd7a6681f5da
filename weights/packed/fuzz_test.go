package packed

import (
	"crypto/sha256"
	"encoding/json"
	"testing"

	"percept/internal/offheap"
)

// A file that parses has entries that lie in it, whatever it says.
func FuzzPackFile(f *testing.F) {
	add := func(h header, index []byte, rest int) {
		f.Add(h.encode(), index, rest)
	}
	x := &index{Name: "unet", Entries: []entry{{Key: "a", Size: 100}, {Key: "b", Size: 1 << 20}, {Key: "c"}}}
	size, err := x.place()
	if err != nil {
		f.Fatal(err)
	}
	b, err := json.Marshal(x)
	if err != nil {
		f.Fatal(err)
	}
	add(header{indexSize: int64(len(b)), fileSize: size, boot: "x"}, b, int(size)-pageSize-len(b))
	add(header{indexSize: 2, fileSize: pageSize + 2}, []byte("{}"), 0)
	add(header{indexSize: 1 << 62, fileSize: 1 << 62}, []byte(`{"entries":[{"at":-64,"size":9223372036854775807}]}`), 64)
	add(header{indexSize: -1, fileSize: -1, durable: true}, []byte(`{"entries":[{"at":8192,"size":-1},{"at":1e30}]}`), 8192)
	f.Fuzz(func(t *testing.T, page, index []byte, rest int) {
		if rest < 0 || rest > 1<<30 {
			return
		}
		size := int64(pageSize + len(index) + rest)
		if h, err := parseHeader(page, size); err == nil && (h.indexSize > size-pageSize || h.fileSize != size) {
			t.Fatalf("index of %d bytes in a file of %d", h.indexSize, size)
		}
		// Whoever can write a right sum gets as far as the index.
		h := header{indexSize: int64(len(index)), fileSize: size, indexSum: sha256.Sum256(index)}
		h, err := parseHeader(h.encode(), size)
		if err != nil {
			return
		}
		x, err := h.parseIndex(index)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, e := range x.Entries {
			if e.At < pageSize+int64(len(index)) || e.Size < 0 || e.At+e.Size > size || e.At%offheap.Align != 0 || seen[e.Key] {
				t.Fatalf("entry %+v in a file of %d", e, size)
			}
			seen[e.Key] = true
		}
	})
}
