package torchfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Sizes and signatures of the records of a zip archive. Those with 64 are of archives beyond 4 GB.
// Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.
const (
	localSize, entrySize, endSize, end64Size, locatorSize = 30, 46, 22, 56, 20

	localSignature   = "PK\x03\x04"
	entrySignature   = "PK\x01\x02"
	endSignature     = "PK\x05\x06"
	end64Signature   = "PK\x06\x06"
	locatorSignature = "PK\x06\x07"
)

var le = binary.LittleEndian

// Member is a file of the archive.
type Member struct {
	Name   string
	Size   int
	CRC    uint32 // of the contents; 0 where torch was told to do without, torch.serialization.set_crc32_options(False)
	method uint16 // 0 is stored as it is
	at     int    // of its local header
}

// Data returns the contents of a member, a view of the archive b. Where they begin only the header in front of them
// says: to read those of all members when a file is opened would read from a thousand places.
func (m *Member) Data(b []byte) ([]byte, error) {
	h := b[m.at:]
	if len(h) < localSize || string(h[:4]) != localSignature {
		return nil, fmt.Errorf("no header before member %.100q: damaged", m.Name)
	}
	n, extra := int(le.Uint16(h[26:])), int(le.Uint16(h[28:]))
	h = h[localSize:]
	if len(h) < n+extra || len(h)-n-extra < m.Size || string(h[:n]) != m.Name {
		return nil, fmt.Errorf("the header before member %.100q is of another: damaged", m.Name)
	}
	h = h[n+extra:]
	return h[:m.Size:m.Size], nil
}

// Check compares the contents of a member of b with their sum.
func (m *Member) Check(b []byte) error {
	data, err := m.Data(b)
	if err != nil {
		return err
	}
	if got := crc32.ChecksumIEEE(data); m.CRC != 0 && got != m.CRC {
		return fmt.Errorf("%.100q is damaged: its CRC-32 is %08x, the archive says %08x", m.Name, got, m.CRC)
	}
	return nil
}

var errDirectory = errors.New("a zip archive without a directory at its end: cut short or damaged")

// directory finds the list of members, which stands behind them, and how many there are.
func directory(b []byte) (list []byte, entries uint64, err error) {
	tail := b[max(0, len(b)-endSize-0xFFFF):]
	end := bytes.LastIndex(tail, []byte(endSignature))
	if end < 0 || len(tail)-end < endSize {
		return nil, 0, errDirectory
	}
	e := tail[end:]
	at := len(b) - len(e)
	entries = uint64(le.Uint16(e[10:]))
	size, offset := uint64(le.Uint32(e[12:])), uint64(le.Uint32(e[16:]))
	if entries == 0xFFFF || size == 0xFFFFFFFF || offset == 0xFFFFFFFF {
		l := at - locatorSize
		if l < 0 || string(b[l:l+4]) != locatorSignature {
			return nil, 0, errDirectory
		}
		end64 := le.Uint64(b[l+8:])
		if l < end64Size || end64 > uint64(l-end64Size) || string(b[end64:end64+4]) != end64Signature {
			return nil, 0, errDirectory
		}
		e, at = b[end64:end64+end64Size], int(end64)
		entries, size, offset = le.Uint64(e[32:]), le.Uint64(e[40:]), le.Uint64(e[48:])
	}
	if offset > uint64(at) || size > uint64(at)-offset || entries > size/entrySize {
		return nil, 0, errDirectory
	}
	return b[offset : offset+size : offset+size], entries, nil
}

// nextMember reads the first entry of a directory of an archive of fileSize bytes and returns what is behind it.
func nextMember(list []byte, fileSize int) (m Member, rest []byte, err error) {
	if len(list) < entrySize || string(list[:4]) != entrySignature {
		return m, nil, errDirectory
	}
	n, extra, comment := int(le.Uint16(list[28:])), int(le.Uint16(list[30:])), int(le.Uint16(list[32:]))
	if len(list)-entrySize < n+extra+comment {
		return m, nil, errDirectory
	}
	packed, size, at := uint64(le.Uint32(list[20:])), uint64(le.Uint32(list[24:])), uint64(le.Uint32(list[42:]))
	m = Member{Name: string(list[entrySize : entrySize+n]), CRC: le.Uint32(list[16:]), method: le.Uint16(list[10:])}
	fields := list[entrySize+n : entrySize+n+extra]
	rest = list[entrySize+n+extra+comment:]
	for len(fields) >= 4 {
		id, k := le.Uint16(fields), int(le.Uint16(fields[2:]))
		fields = fields[4:]
		if k > len(fields) {
			return m, nil, errDirectory
		}
		if id == 1 { // what does not fit 32 bits, in this order
			wide := fields[:k]
			for _, v := range []*uint64{&size, &packed, &at} {
				if *v == 0xFFFFFFFF {
					if len(wide) < 8 {
						return m, nil, errDirectory
					}
					*v, wide = le.Uint64(wide), wide[8:]
				}
			}
		}
		fields = fields[k:]
	}
	if le.Uint16(list[8:])&1 != 0 {
		return m, nil, fmt.Errorf("member %.100q is encrypted", m.Name)
	}
	if m.method == 0 && packed != size {
		return m, nil, fmt.Errorf("member %.100q has both %d and %d bytes", m.Name, packed, size)
	}
	if total := uint64(fileSize); at > total || packed > total-at || total-at-packed < uint64(localSize+n) {
		return m, nil, fmt.Errorf("member %.100q of %d bytes does not lie in the file: cut short or damaged", m.Name, packed)
	}
	m.Size, m.at = int(packed), int(at)
	return m, rest, nil
}
