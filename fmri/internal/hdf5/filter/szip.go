package filter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// unszip undoes szip, which is CCSDS 121.0-B: differences of neighbours in a Golomb-Rice code whose parameter is chosen for each
// block of pixels. Pixels of 32 and 64 bits are coded as planes of bytes.
//
// Source: CCSDS 121.0-B-3, "Lossless Data Compression", 2020.
func unszip(f Filter, b []byte, most int) ([]byte, error) {
	const msb, neighbours = 16, 32 // of the options
	options, perBlock, bits, perLine := f.Params[0], int(f.Params[1]), int(f.Params[2]), int(f.Params[3])
	if len(b) < 4 {
		return nil, errCut
	}
	size := uint64(binary.LittleEndian.Uint32(b))
	if size > uint64(most) {
		return nil, tooMuch(most)
	}
	planes := 1
	if bits == 32 || bits == 64 {
		planes, bits = bits/8, 8
	}
	if perBlock < 2 || perBlock > 64 || perBlock%2 != 0 || bits < 1 || bits > 24 || perLine < 1 || perLine > 1<<20 {
		return nil, fmt.Errorf("%d bits in blocks of %d pixels, lines of %d", bits, perBlock, perLine)
	}
	pixel := 1 // bytes
	switch {
	case bits > 16:
		pixel = 4
	case bits > 8:
		pixel = 2
	}
	s := &szip{bits: bitReader{b: b[4:]}, perBlock: perBlock, depth: bits, predicted: options&neighbours != 0}
	s.optionBits = map[int]int{1: 3, 2: 4, 4: 5}[pixel]
	blocks := (perLine-1)/perBlock + 1 // of a line, each of which begins anew
	line := make([]uint32, blocks*perBlock)
	out := make([]byte, 0, size)
	for uint64(len(out)) < size {
		if err := s.line(line); err != nil {
			return nil, err
		}
		for _, v := range line[:perLine] {
			var p [4]byte
			put(p[:], pixel, options&msb != 0, uint64(v))
			out = append(out, p[:min(pixel, int(size)-len(out))]...)
		}
	}
	if planes > 1 {
		out = unshuffleBytes(out, planes)
	}
	return out, nil
}

type szip struct {
	bits       bitReader
	perBlock   int
	depth      int // bits of a pixel
	optionBits int
	predicted  bool // differences of neighbours are coded
}

var errZeroBlocks = errors.New("more blocks of zeros than a line has")

// line reads a line of whole blocks. Its last pixels may be padding, which the writer may have left out where the data end.
func (s *szip) line(line []uint32) error {
	for at := 0; at < len(line); {
		block := line[at : at+s.perBlock]
		clear(block)
		option := int(s.bits.take(s.optionBits))
		last := 1<<s.optionBits - 1
		reference := s.predicted && at == 0
		switch {
		case option == last: // as they are
			for i := range block {
				block[i] = uint32(s.bits.take(s.depth))
			}
			at += s.perBlock
		case option == 0:
			second := s.bits.take(1) == 1
			rest := block
			if reference {
				block[0], rest = uint32(s.bits.take(s.depth)), block[1:]
			}
			if second {
				if err := s.pairs(block, len(block)-len(rest)); err != nil {
					return err
				}
				at += s.perBlock
				break
			}
			n, err := s.zeroBlocks(at/s.perBlock, len(line)/s.perBlock)
			if err != nil {
				return err
			}
			clear(line[at+len(block)-len(rest) : at+n*s.perBlock])
			at += n * s.perBlock
		default: // split samples: how often 2^k fits in, in unary, then the k bits that are left
			k := option - 1
			if reference {
				block[0], block = uint32(s.bits.take(s.depth)), block[1:]
			}
			for i := range block {
				block[i] = uint32(s.bits.zeros()) << k
			}
			for i := range block {
				block[i] |= uint32(s.bits.take(k))
			}
			at += s.perBlock
		}
		if s.bits.cut {
			return errCut
		}
	}
	if s.predicted {
		s.undoDifferences(line)
	}
	return nil
}

// zeroBlocks is the number of blocks of zeros that begin at block at of a line.
func (s *szip) zeroBlocks(at, blocks int) (int, error) {
	const rest = 5 // up to the end of the line or of a segment
	const segment = 64
	n := s.bits.zeros() + 1
	switch {
	case n == rest:
		n = min(blocks-at, segment-at%segment)
	case n > rest:
		n--
	}
	if n > blocks-at {
		return 0, errZeroBlocks
	}
	return n, nil
}

// pairs reads a block whose numbers come in pairs, from number i on: a pair (a, b) is coded as (a+b)(a+b+1)/2 + b.
func (s *szip) pairs(block []uint32, i int) error {
	const largest = 90
	for i < len(block) {
		m := s.bits.zeros()
		if m > largest {
			return fmt.Errorf("a pair of the number %d", m)
		}
		sum := 0
		for (sum+1)*(sum+2)/2 <= m {
			sum++
		}
		second := m - sum*(sum+1)/2
		if i%2 == 0 {
			block[i] = uint32(sum - second)
			i++
		}
		block[i] = uint32(second)
		i++
	}
	return nil
}

// undoDifferences turns the mapped differences of a line, whose first pixel is itself, into pixels.
func (s *szip) undoDifferences(line []uint32) {
	top := uint32(1)<<s.depth - 1
	x := line[0]
	for i, d := range line[1:] {
		reach := min(x, top-x) // so far differences go both ways, by turns
		switch {
		case d <= 2*reach && d%2 == 0:
			x += d / 2
		case d <= 2*reach:
			x -= d/2 + 1
		case x <= top/2:
			x = d
		default:
			x = top - d
		}
		line[i+1] = x
	}
}
