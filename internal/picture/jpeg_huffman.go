package picture

import "fmt"

// huffman is a table of codes: those of at most fastBits bits by their first bits, longer ones by length.
type huffman struct {
	fast   [1 << fastBits]uint16 // length<<8 | symbol; 0 for none so short
	limit  [18]int32             // first code of 16 bits that is longer than l
	offset [17]int32             // place of the first symbol of length l, less its code
	symbol []byte
}

const fastBits = 9

func newHuffman(counts, symbols []byte) (*huffman, error) {
	t := &huffman{symbol: append([]byte(nil), symbols...)}
	code, k := int32(0), int32(0)
	for l := 1; l <= 16; l++ {
		n := int32(counts[l-1])
		t.offset[l] = k - code
		if code+n > 1<<l {
			return nil, fmt.Errorf("a Huffman table has more codes of %d bits than there are", l)
		}
		for range n {
			if l <= fastBits {
				from := code << (fastBits - l)
				for i := range int32(1) << (fastBits - l) {
					t.fast[from+i] = uint16(l)<<8 | uint16(symbols[k])
				}
			}
			code++
			k++
		}
		t.limit[l] = code << (16 - l)
		code <<= 1
	}
	t.limit[17] = 1 << 16
	return t, nil
}

// bits reads the entropy-coded part of a scan up to a marker.
type bits struct {
	data   []byte
	at     int
	acc    uint64
	n      int // bits in acc
	padded int // of them, zeros that stand for what is missing
	broken bool
}

func (b *bits) fill() {
	for b.n <= 56 {
		b.acc <<= 8
		b.n += 8
		switch {
		case b.at < len(b.data) && b.data[b.at] != 0xff:
			b.acc |= uint64(b.data[b.at])
			b.at++
		case b.at+1 < len(b.data) && b.data[b.at+1] == 0:
			b.acc |= 0xff
			b.at += 2
		default:
			b.padded += 8
		}
	}
}

// overrun tells of bits taken beyond the end, or of a code that is in no table.
func (b *bits) overrun() bool { return b.broken || b.padded > b.n }

// take returns the next k ≤ 16 bits.
func (b *bits) take(k int) int32 {
	if b.n < k {
		b.fill()
	}
	b.n -= k
	return int32(b.acc>>b.n) & (1<<k - 1)
}

// decode returns the next symbol.
func (b *bits) decode(t *huffman) int {
	if b.n < 16 {
		b.fill()
	}
	if f := t.fast[b.acc>>(b.n-fastBits)&(1<<fastBits-1)]; f != 0 {
		b.n -= int(f >> 8)
		return int(f & 255)
	}
	code := int32(b.acc>>(b.n-16)) & 0xffff
	for l := fastBits + 1; l <= 16; l++ {
		if code < t.limit[l] {
			b.n -= l
			return int(t.symbol[t.offset[l]+code>>(16-l)])
		}
	}
	b.broken = true
	return 0
}

// extend reads a value of s bits, of which the lower half are negative (figure F.12).
func (b *bits) extend(s int) int32 {
	if s == 0 {
		return 0
	}
	v := b.take(s)
	if v < 1<<(s-1) {
		v += -1<<s + 1
	}
	return v
}

// restart passes a restart marker.
func (b *bits) restart(number int) error {
	for b.at < len(b.data) && b.data[b.at] == 0xff && b.at+1 < len(b.data) && b.data[b.at+1] == 0xff {
		b.at++ // fill bytes
	}
	if b.at+1 >= len(b.data) {
		return errCutShort
	}
	if b.data[b.at] != 0xff || b.data[b.at+1] != mRST0+byte(number) {
		return fmt.Errorf("%#02x%02x where restart marker %d was due", b.data[b.at], b.data[b.at+1], number)
	}
	*b = bits{data: b.data, at: b.at + 2}
	return nil
}
