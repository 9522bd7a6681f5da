package picture

import (
	"errors"
	"fmt"
	"slices"
)

// scan reads SOS and the coded data after it.
func (j *jpegImage) scan(b []byte) error {
	if j.comps == nil {
		return errors.New("a scan before the frame")
	}
	if j.scans++; j.scans > maxScans {
		return fmt.Errorf("more than %d scans", maxScans)
	}
	if len(b) < 1 || len(b) != 4+2*int(b[0]) || b[0] < 1 || b[0] > 4 {
		return fmt.Errorf("scan header of %d bytes, expected 4 and 2 for each of 1 to 4 components", len(b))
	}
	n := int(b[0])
	s := scanner{
		progressive: j.progressive,
		first:       int(b[1+2*n]), last: int(b[2+2*n]), high: int(b[3+2*n] >> 4), low: int(b[3+2*n] & 15),
	}
	if !j.progressive { // libjpeg does not look at these
		s.first, s.last, s.high, s.low = 0, 63, 0, 0
	}
	blocks := 0
	for i := range n {
		c, err := j.component(b[1+2*i], s.comps)
		if err != nil {
			return err
		}
		dc, ac := b[2+2*i]>>4, b[2+2*i]&15
		if dc > 3 || ac > 3 {
			return fmt.Errorf("tables %d and %d of Huffman codes, expected 0 to 3", dc, ac)
		}
		c.dc, c.ac = j.dc[dc], j.ac[ac]
		if s.first == 0 && s.high == 0 && c.dc == nil || s.last > 0 && c.ac == nil {
			return fmt.Errorf("component %d: its Huffman table is missing", c.id)
		}
		if c.quant == nil { // a component keeps the table of its first scan
			if c.quant = j.quant[c.quantID]; c.quant == nil {
				return fmt.Errorf("component %d: quantisation table %d is missing", c.id, c.quantID)
			}
		}
		s.comps = append(s.comps, c)
		blocks += c.h * c.v
		for k := s.first; k <= min(s.last, 63); k++ {
			c.missing[k] = s.low
		}
	}
	switch {
	case n > 1 && blocks > 10:
		return fmt.Errorf("%d blocks are interleaved, expected at most 10", blocks)
	case s.first > s.last || s.last > 63 || s.first == 0 && s.last > 0 && j.progressive || s.first > 0 && n > 1,
		s.low > 13 || s.high != 0 && s.low != s.high-1:
		return fmt.Errorf("scan of coefficients %d to %d, bits %d to %d, of %d components", s.first, s.last, s.high, s.low, n)
	}
	s.bits.data = j.data
	err := s.read(j)
	j.data = j.data[min(s.bits.at, len(j.data)):]
	return err
}

// component finds the one of an id that is not in the scan yet.
func (j *jpegImage) component(id byte, taken []*jpegComponent) (*jpegComponent, error) {
	i := slices.IndexFunc(j.comps, func(c *jpegComponent) bool { return c.id == id })
	switch {
	case i < 0:
		return nil, fmt.Errorf("a scan of component %d, which the frame lacks", id)
	case slices.Contains(taken, j.comps[i]):
		return nil, fmt.Errorf("component %d is twice in a scan", id)
	}
	return j.comps[i], nil
}

// scanner reads one scan.
type scanner struct {
	bits        bits
	comps       []*jpegComponent
	progressive bool
	first, last int // coefficients
	high, low   int // bits: before and after this scan
	eobRun      int32
	block       [64]int16 // of a sequential file
}

// read decodes the units of a scan: interleaved ones of several components, or the blocks of one.
func (s *scanner) read(j *jpegImage) error {
	across, down := j.mcuW, j.mcuH
	single := len(s.comps) == 1
	if single {
		across, down = s.comps[0].bw, s.comps[0].bh
	}
	s.reset()
	due, number := j.interval, 0
	for y := range down {
		for x := range across {
			if j.interval > 0 {
				if due == 0 {
					if s.bits.overrun() {
						return errCutShort
					}
					if err := s.bits.restart(number); err != nil {
						return err
					}
					number = (number + 1) & 7
					due = j.interval
					s.reset()
				}
				due--
			}
			if single {
				s.decode(s.comps[0], x, y)
				continue
			}
			for _, c := range s.comps {
				for v := range c.v {
					for h := range c.h {
						s.decode(c, x*c.h+h, y*c.v+v)
					}
				}
			}
		}
		if s.bits.broken {
			return errors.New("a code that is in no Huffman table")
		}
		if s.bits.overrun() {
			return errCutShort
		}
	}
	return nil
}

func (s *scanner) reset() {
	s.eobRun = 0
	for _, c := range s.comps {
		c.pred = 0
	}
}

// decode reads one block.
func (s *scanner) decode(c *jpegComponent, bx, by int) {
	if !s.progressive {
		s.block = [64]int16{}
		s.sequential(c, &s.block)
		idct(&s.block, c.quant, c.plane[8*(by*c.stride+bx):], c.stride)
		return
	}
	block := (*[64]int16)(c.coef[64*(by*(c.stride/8)+bx):])
	switch {
	case s.first == 0 && s.high == 0:
		c.pred += s.bits.extend(s.bits.decode(c.dc))
		block[0] = int16(c.pred << s.low)
	case s.first == 0:
		block[0] |= int16(s.bits.take(1) << s.low)
	case s.high == 0:
		s.firstAC(c, block)
	default:
		s.refineAC(c, block)
	}
}

// sequential reads all coefficients of a block (F.2.2).
func (s *scanner) sequential(c *jpegComponent, block *[64]int16) {
	c.pred += s.bits.extend(s.bits.decode(c.dc))
	block[0] = int16(c.pred)
	for k := 1; k < 64; k++ {
		rs := s.bits.decode(c.ac)
		run, size := rs>>4, rs&15
		if size == 0 {
			if run != 15 {
				return
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			s.bits.broken = true
			return
		}
		block[zigzag[k]] = int16(s.bits.extend(size))
	}
}

// firstAC reads the upper bits of some coefficients (G.1.2.2).
func (s *scanner) firstAC(c *jpegComponent, block *[64]int16) {
	if s.eobRun > 0 {
		s.eobRun--
		return
	}
	for k := s.first; k <= s.last; k++ {
		rs := s.bits.decode(c.ac)
		run, size := rs>>4, rs&15
		if size == 0 {
			if run != 15 {
				s.eobRun = 1<<run + s.bits.take(run) - 1
				return
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			s.bits.broken = true
			return
		}
		block[zigzag[k]] = int16(s.bits.extend(size) << s.low)
	}
}

// refineAC reads one more bit of some coefficients (G.1.2.3).
func (s *scanner) refineAC(c *jpegComponent, block *[64]int16) {
	plus, minus := int16(1)<<s.low, int16(-1)<<s.low
	refine := func(v *int16) {
		if s.bits.take(1) != 0 && *v&plus == 0 {
			if *v >= 0 {
				*v += plus
			} else {
				*v += minus
			}
		}
	}
	k := s.first
	for s.eobRun == 0 && k <= s.last {
		rs := s.bits.decode(c.ac)
		run, size, fresh := rs>>4, rs&15, int16(0)
		switch {
		case size > 1:
			s.bits.broken = true
			return
		case size == 1:
			if fresh = minus; s.bits.take(1) != 0 {
				fresh = plus
			}
		case run != 15:
			s.eobRun = 1<<run + s.bits.take(run)
		}
		if s.eobRun > 0 {
			break
		}
		for ; k <= s.last; k++ { // past run zeros, and whatever is not zero
			if v := &block[zigzag[k]]; *v != 0 {
				refine(v)
			} else if run == 0 {
				*v = fresh
				break
			} else {
				run--
			}
		}
		k++
	}
	if s.eobRun > 0 {
		for ; k <= s.last; k++ {
			if v := &block[zigzag[k]]; *v != 0 {
				refine(v)
			}
		}
		s.eobRun--
	}
}
