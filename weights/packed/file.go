package packed

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"time"

	"percept/internal/cause"
	"percept/internal/offheap"
)

// A pack file holds packed weights as they lie in memory:
//
//	page 0   magic, version, flags, size of the index, size of the file, sha256 of the index, boot id, sha256 of the page
//	page 1 … index: JSON of index
//	         entries, each at a multiple of 64 bytes, large ones at the beginning of a page
//
// A file appears under its name complete, before the disk has all of it. Until it has, which a flag says in the end, it is
// believed only by processes of the same boot.
const (
	magic    = "PRCPPACK"
	version  = 1
	pageSize = 4096
	maxIndex = 64 << 20
)

// index says what a pack file holds.
type index struct {
	Name    string    `json:"name"` // of the packed tensors, for people
	Key     string    `json:"key"`  // all that the entries depend on
	Created time.Time `json:"created"`
	Entries []entry   `json:"entries"`
}

// entry is one piece of packed weights.
type entry struct {
	Key  string `json:"key"`
	At   int64  `json:"at"`
	Size int64  `json:"size"`
	// CRC-32 (Castagnoli) of all bytes, and of the first 64 of every 4096: a block that the disk has lost shows there too,
	// and all can be looked at in a tenth of a second.
	Sum    uint32 `json:"sum"`
	Sample uint32 `json:"sample"`
}

// header is page 0.
type header struct {
	durable   bool
	indexSize int64
	fileSize  int64
	indexSum  [sha256.Size]byte
	boot      string
}

var le = binary.LittleEndian

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func roundUp(n, to int64) int64 { return (n + to - 1) / to * to }

// place gives every entry of an index its place behind the index and returns the file's size.
func (x *index) place() (fileSize int64, err error) {
	// The index is as long as its numbers have digits: room for the longest.
	for i := range x.Entries {
		x.Entries[i].At, x.Entries[i].Sum, x.Entries[i].Sample = 1<<53, 1<<32-1, 1<<32-1
	}
	b, err := json.Marshal(x)
	if err != nil {
		return 0, err
	}
	at := roundUp(pageSize+int64(len(b)), pageSize)
	for i := range x.Entries {
		e := &x.Entries[i]
		if e.Size >= 16*pageSize {
			at = roundUp(at, pageSize)
		}
		e.At, e.Sum, e.Sample = at, 0, 0
		at = roundUp(at+e.Size, offheap.Align)
	}
	return roundUp(at, pageSize), nil
}

func (h *header) encode() []byte {
	b := make([]byte, pageSize)
	copy(b, magic)
	le.PutUint32(b[8:], version)
	if h.durable {
		b[12] = 1
	}
	le.PutUint64(b[16:], uint64(h.indexSize))
	le.PutUint64(b[24:], uint64(h.fileSize))
	copy(b[32:64], h.indexSum[:])
	copy(b[64:128], h.boot)
	sum := sha256.Sum256(b[:pageSize-sha256.Size])
	copy(b[pageSize-sha256.Size:], sum[:])
	return b
}

// parseHeader reads page 0 of a file of size bytes.
func parseHeader(b []byte, size int64) (header, error) {
	switch {
	case len(b) < pageSize:
		return header{}, fmt.Errorf("%d bytes, a pack file has at least %d", len(b), pageSize)
	case string(b[:8]) != magic:
		return header{}, errors.New("not a pack file")
	case le.Uint32(b[8:]) != version:
		return header{}, fmt.Errorf("version %d of the format, expected %d", le.Uint32(b[8:]), version)
	}
	sum := sha256.Sum256(b[:pageSize-sha256.Size])
	if !bytes.Equal(sum[:], b[pageSize-sha256.Size:pageSize]) {
		return header{}, errors.New("damaged header")
	}
	h := header{
		durable:   b[12] == 1,
		indexSize: int64(le.Uint64(b[16:])),
		fileSize:  int64(le.Uint64(b[24:])),
		indexSum:  [sha256.Size]byte(b[32:64]),
		boot:      strings.TrimRight(string(b[64:128]), "\x00"),
	}
	if h.fileSize != size {
		return header{}, fmt.Errorf("%d bytes, expected %d", size, h.fileSize)
	}
	if h.indexSize < 2 || h.indexSize > maxIndex || h.indexSize > size-pageSize {
		return header{}, fmt.Errorf("index of %d bytes in a file of %d", h.indexSize, size)
	}
	return h, nil
}

// parseIndex reads the index that stands behind page 0. Every entry of the result lies inside the file and behind
// the index, and no key occurs twice.
func (h *header) parseIndex(b []byte) (*index, error) {
	if int64(len(b)) != h.indexSize || sha256.Sum256(b) != h.indexSum {
		return nil, errors.New("damaged index")
	}
	x := &index{}
	if err := json.Unmarshal(b, x); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	seen := make(map[string]bool, len(x.Entries))
	for _, e := range x.Entries {
		if e.At%offheap.Align != 0 || e.At < pageSize+h.indexSize || e.Size < 0 || e.Size > h.fileSize-e.At || seen[e.Key] {
			return nil, fmt.Errorf("index: entry %q at %d, %d bytes long, in a file of %d", e.Key, e.At, e.Size, h.fileSize)
		}
		seen[e.Key] = true
	}
	return x, nil
}

// readFile reads what stands before the entries of a pack file.
func readFile(f *os.File) (header, *index, error) {
	st, err := f.Stat()
	if err != nil {
		return header{}, nil, cause.Of(err)
	}
	b := make([]byte, pageSize)
	if _, err := f.ReadAt(b, 0); err != nil {
		return header{}, nil, fmt.Errorf("%d bytes, a pack file has at least %d", st.Size(), pageSize)
	}
	h, err := parseHeader(b, st.Size())
	if err != nil {
		return h, nil, err
	}
	b = make([]byte, h.indexSize)
	if _, err := f.ReadAt(b, pageSize); err != nil {
		return h, nil, cause.Of(err)
	}
	x, err := h.parseIndex(b)
	return h, x, err
}

// usable says whether the disk can be trusted to hold the whole file.
func (h *header) usable() bool { return h.durable || h.boot != "" && h.boot == bootID() }

// writeFile writes a pack file: entry i of x has the bytes data[i]. It appears under its name complete or not at all.
// progress is told of the second half of the work.
func writeFile(path string, x *index, data [][]byte, progress func(done, total int64)) (err error) {
	for i := range x.Entries {
		x.Entries[i].Size = int64(len(data[i]))
	}
	size, err := x.place()
	if err != nil {
		return err
	}
	f, err := createTemporary(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	renamed := false
	defer func() {
		if err != nil && !renamed {
			os.Remove(f.Name())
		}
	}()
	if err := reserve(f, size); err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	for i, b := range data {
		e := &x.Entries[i]
		e.Sum, e.Sample = crc32.Checksum(b, castagnoli), sampleSum(b)
		for at := e.At; len(b) > 0; {
			n := min(len(b), 16<<20)
			if _, err := f.WriteAt(b[:n], at); err != nil {
				return err
			}
			b, at = b[n:], at+int64(n)
			progress(size+at, 2*size)
		}
	}
	b, err := json.Marshal(x)
	if err != nil {
		return err
	}
	h := &header{indexSize: int64(len(b)), fileSize: size, indexSum: sha256.Sum256(b), boot: bootID()}
	if h.boot == "" { // no way to tell later whether the system went down in between
		if err := f.Sync(); err != nil {
			return err
		}
		h.durable = true
	}
	if _, err := f.WriteAt(b, pageSize); err != nil {
		return err
	}
	if _, err := f.WriteAt(h.encode(), 0); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	renamed = true
	if err := f.Sync(); err != nil {
		return err
	}
	if !h.durable {
		h.durable = true
		if _, err := f.WriteAt(h.encode(), 0); err != nil {
			return err
		}
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// check compares the sums of all entries: the samples, or with full all bytes.
func (x *index) check(file []byte, full bool) error {
	for _, e := range x.Entries {
		b := file[e.At : e.At+e.Size]
		damaged := sampleSum(b) != e.Sample
		if full {
			damaged = crc32.Checksum(b, castagnoli) != e.Sum
		}
		if damaged {
			return fmt.Errorf("damaged entry %q", e.Key)
		}
	}
	return nil
}

// sampleSum is the checksum of the first line of every page of b.
func sampleSum(b []byte) uint32 {
	s := uint32(0)
	for ; len(b) > 0; b = b[min(len(b), pageSize):] {
		s = crc32.Update(s, castagnoli, b[:min(len(b), 64)])
	}
	return s
}
