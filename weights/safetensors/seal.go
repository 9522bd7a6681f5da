package safetensors

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"unsafe"

	"percept/internal/parts"
)

// A sealed file carries a sum for every 64 KiB of itself, header included, in a tensor of bytes behind all others:
//
//	seal  U8 [blocks, 4]  CRC-32C of each block of the bytes before it, little-endian
//
// and says so in its metadata as well, so that no flipped bit makes a sealed file an unsealed one. A File compares each block
// with its sum before it hands out what lies in it; other programs see one tensor more.
const (
	sealName  = "seal"
	sealKey   = "sealed"
	sealValue = "crc32c of 65536 bytes"
	sealBlock = 1 << 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// StreamSealed is Stream for a file that is sealed.
func StreamSealed(path string, tensors []Streamed, meta map[string]string) error {
	sealed := map[string]string{sealKey: sealValue}
	for k, v := range meta {
		sealed[k] = v
	}
	// The header's length depends on the number of blocks, and that on the header's length.
	s := &sealer{}
	blocks := 1
	for {
		seal := Streamed{Name: sealName, DType: U8, Shape: []int{blocks, 4}, Write: s.writeSums}
		header, order, err := encodeHeader(append(tensors[:len(tensors):len(tensors)], seal), sealed)
		if err != nil {
			return fmt.Errorf("weights: %s: %w", path, err)
		}
		size := len(header)
		for _, t := range order[:len(order)-1] {
			n, err := t.Size()
			if err != nil {
				return fmt.Errorf("weights: %s: %w", path, err)
			}
			size += n
		}
		need := (size + sealBlock - 1) / sealBlock
		if need == blocks {
			return writeFile(path, header, order, s)
		}
		blocks = max(blocks, need) // longer headers alone: it ends
		if need < blocks {
			return fmt.Errorf("weights: %s: %d blocks to seal in a header for %d", path, need, blocks)
		}
	}
}

// sealer sums what passes through it, block by block.
type sealer struct {
	w    io.Writer
	sum  uint32
	n    int // bytes of the block
	sums []byte
}

// Write is part of io.Writer.
func (s *sealer) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		k := min(len(rest), sealBlock-s.n)
		s.sum = crc32.Update(s.sum, castagnoli, rest[:k])
		rest = rest[k:]
		if s.n += k; s.n == sealBlock {
			s.end()
		}
	}
	return s.w.Write(b)
}

func (s *sealer) end() {
	s.sums = binary.LittleEndian.AppendUint32(s.sums, s.sum)
	s.sum, s.n = 0, 0
}

// writeSums writes the sums of all before them.
func (s *sealer) writeSums(w io.Writer) error {
	if s.n > 0 {
		s.end()
	}
	_, err := w.Write(s.sums)
	return err
}

// seal is what a File knows of its sums.
type seal struct {
	file []byte // all of it that is sealed
	sums []byte

	mu      sync.Mutex
	checked []bool
}

// openSeal finds the seal of a file of which file is all, and checks the header with it; nil where it has none.
func (f *File) openSeal(file []byte) error {
	value, said := f.meta[sealKey]
	t, there := f.tensors[sealName]
	if !said && !there {
		return nil
	}
	at := len(file) - len(t.Data)
	blocks := (at + sealBlock - 1) / sealBlock
	if !said && (t.DType != U8 || len(t.Data) != 4*blocks) {
		return nil // somebody's tensor of that name
	}
	if value != sealValue || t.DType != U8 || len(t.Data) != 4*blocks || len(t.Data) > 0 && &t.Data[0] != &file[at] {
		return fmt.Errorf("weights: %s: its seal is not what a sealed file ends with: the file is damaged", f.path)
	}
	f.seal = &seal{file: file[:at], sums: t.Data, checked: make([]bool, blocks)}
	return f.checkSeal(0, 8+int(binary.LittleEndian.Uint64(file)))
}

// checkTensor compares the blocks that a tensor lies in with their sums.
func (f *File) checkTensor(t Tensor) error {
	if f.seal == nil || len(t.Data) == 0 {
		return nil
	}
	lo := offset(f.seal.file, t.Data)
	if lo < 0 {
		return nil // the seal itself: a flip in it shows in what it is of
	}
	return f.checkSeal(lo, lo+len(t.Data))
}

// offset says where a part of b begins, or −1 for one that is none.
func offset(b, part []byte) int {
	if len(part) > len(b) {
		return -1
	}
	at := uintptr(unsafe.Pointer(&part[0])) - uintptr(unsafe.Pointer(&b[0])) // wraps around for one before b
	if at > uintptr(len(b)-len(part)) {
		return -1
	}
	return int(at)
}

// checkSeal compares the blocks of bytes lo to hi−1 with their sums, each once.
func (f *File) checkSeal(lo, hi int) error {
	s := f.seal
	first, end := lo/sealBlock, (hi+sealBlock-1)/sealBlock
	s.mu.Lock()
	defer s.mu.Unlock()
	bad := -1
	var one sync.Mutex
	parts.Each((end-first)*sealBlock, func(from, to int) {
		for b := first + (from+sealBlock-1)/sealBlock; b < first+(to+sealBlock-1)/sealBlock; b++ {
			if s.checked[b] {
				continue
			}
			block := s.file[b*sealBlock : min((b+1)*sealBlock, len(s.file))]
			if crc32.Checksum(block, castagnoli) != binary.LittleEndian.Uint32(s.sums[4*b:]) {
				one.Lock()
				if bad < 0 || b < bad {
					bad = b
				}
				one.Unlock()
				continue
			}
			s.checked[b] = true
		}
	})
	if bad >= 0 {
		return fmt.Errorf("weights: %s: bytes %d to %d do not have their sum: the file is damaged", f.path, bad*sealBlock,
			min((bad+1)*sealBlock, len(s.file))-1)
	}
	return nil
}
