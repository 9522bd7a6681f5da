package source

import "slices"

// Values is an array of elements of one size at a place in a file.
type Values struct {
	File   *File
	Offset int64
	Size   int    // bytes of an element
	Count  int    // elements
	What   string // for errors: "the voxels: dimensions [4 3 5] of int16 need 120 bytes"
}

const (
	blockBytes = 1 << 16
	maxGap     = 32 << 10 // bytes that are cheaper read and dropped than sought over
	maxSpan    = 1 << 18
)

// Fits says whether an uncompressed file is long enough for all elements; a compressed one tells only when it is read.
func (v *Values) Fits() bool {
	return v.File.Compressed() || v.Offset+int64(v.Count)*int64(v.Size) <= v.File.Size
}

// room is how many elements to make room for at once: as many as there are where the file is known to hold them.
func (v *Values) room() int {
	if v.File.Compressed() || !v.Fits() {
		return 0
	}
	return v.Count
}

// Read reads all elements; value makes one of the bytes that begin with its own. The result grows with what the file really
// holds: a compressed file's dimensions may lie.
func Read[T any](v *Values, value func(b []byte) (T, error)) ([]T, error) {
	out := make([]T, 0, v.room())
	err := v.blocks(func(b []byte, n int) error {
		for i := range n {
			x, err := value(b[i*v.Size:])
			if err != nil {
				return err
			}
			out = append(out, x)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// blocks hands out all elements as stored, some at a time. A compressed file is read to its end, so that damage shows.
func (v *Values) blocks(take func(b []byte, n int) error) error {
	var next func(b []byte) error
	end := func() error { return nil }
	if v.File.Compressed() {
		s, err := v.File.Stream()
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Skip(v.Offset, v.What); err != nil {
			return err
		}
		next = func(b []byte) error { return s.Read(b, v.What) }
		end = func() error { return s.Drain(v.What) }
	} else {
		at, err := v.File.At()
		if err != nil {
			return err
		}
		defer at.Close()
		pos := v.Offset
		next = func(b []byte) error {
			err := at.Read(b, pos, v.What)
			pos += int64(len(b))
			return err
		}
	}
	per := blockBytes / v.Size
	buf := make([]byte, min(v.Count, per)*v.Size)
	for rest := v.Count; rest > 0; rest -= per {
		k := min(rest, per)
		if err := next(buf[:k*v.Size]); err != nil {
			return err
		}
		if err := take(buf[:k*v.Size], k); err != nil {
			return err
		}
	}
	return end()
}

// Pick reads some elements of every row of width elements, those at the places of index in any order. put gets each with
// its place in a matrix [rows, len(index)]. Of a file that is not compressed only the parts that hold one are read,
// neighbours together; a compressed one is read once.
func (v *Values) Pick(width int, index []int, put func(place int, b []byte) error) error {
	if len(index) == 0 || v.Count == 0 {
		return nil
	}
	order := make([]int, len(index))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return index[a] - index[b] })
	rows := v.Count / width
	if v.File.Compressed() {
		begin, row, next := 0, 0, 0 // of the block; the row and the index that come next
		return v.blocks(func(b []byte, n int) error {
			for row < rows {
				at := row*width + index[order[next]] - begin
				if at >= n {
					break
				}
				if err := put(row*len(index)+order[next], b[at*v.Size:]); err != nil {
					return err
				}
				if next++; next == len(order) {
					next, row = 0, row+1
				}
			}
			begin += n
			return nil
		})
	}
	at, err := v.File.At()
	if err != nil {
		return err
	}
	defer at.Close()
	buf := make([]byte, 0, maxSpan+v.Size)
	for row := range rows {
		for rest := order; len(rest) > 0; {
			// A span is elements that are near enough to be read together.
			first, k := index[rest[0]], 1
			for k < len(rest) && (index[rest[k]]-index[rest[k-1]])*v.Size <= maxGap && (index[rest[k]]-first)*v.Size < maxSpan {
				k++
			}
			span := buf[:(index[rest[k-1]]+1-first)*v.Size]
			if err := at.Read(span, v.Offset+int64(row*width+first)*int64(v.Size), v.What); err != nil {
				return err
			}
			for _, o := range rest[:k] {
				if err := put(row*len(index)+o, span[(index[o]-first)*v.Size:]); err != nil {
					return err
				}
			}
			rest = rest[k:]
		}
	}
	return nil
}
