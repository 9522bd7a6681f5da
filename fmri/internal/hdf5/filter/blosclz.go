package filter

import "math"

// unBloscLZ undoes BloscLZ, a relative of FastLZ: literal runs, and copies of what came before.
func unBloscLZ(b []byte, most int) ([]byte, error) {
	const near = 8191 // the largest distance of the short form
	if len(b) == 0 {
		return nil, errCut
	}
	out := make([]byte, 0, most)
	control := int(b[0]) & 31
	b = b[1:]
	for {
		if control < 32 {
			n := control + 1
			if len(b) < n {
				return nil, errCut
			}
			if len(out)+n > most {
				return nil, tooMuch(most)
			}
			out, b = append(out, b[:n]...), b[n:]
		} else {
			n, back := control>>5-1, control&31<<8
			for more := n == 6; more; b = b[1:] {
				if len(b) == 0 {
					return nil, errCut
				}
				if n += int(b[0]); n > math.MaxInt32 {
					return nil, tooMuch(most)
				}
				more = b[0] == 255
			}
			if len(b) == 0 {
				return nil, errCut
			}
			low := int(b[0])
			b = b[1:]
			if low == 255 && back == 31<<8 {
				if len(b) < 2 {
					return nil, errCut
				}
				back, low = near+1, int(b[0])<<8+int(b[1])-1
				b = b[2:]
			}
			var err error
			if out, err = copyBack(out, back+low+1, n+3, most); err != nil {
				return nil, err
			}
		}
		if len(b) == 0 {
			return out, nil
		}
		control = int(b[0])
		b = b[1:]
	}
}
