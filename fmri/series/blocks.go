package series

import "fmt"

// A Span is a stretch of rows, To not included.
type Span struct{ From, To int }

// Runs returns the rows of each run, in order. Rows of one run have to follow one another.
func Runs(run []int) ([]Span, error) {
	if len(run) == 0 {
		return nil, fmt.Errorf("series: no volumes")
	}
	seen := make(map[int]bool)
	var spans []Span
	for i, r := range run {
		if i > 0 && r == run[i-1] {
			spans[len(spans)-1].To++
			continue
		}
		if seen[r] {
			return nil, fmt.Errorf("series: run %d begins again at volume %d, expected its volumes to follow one another", r, i)
		}
		seen[r] = true
		spans = append(spans, Span{i, i + 1})
	}
	return spans, nil
}

// A Block is a stretch of volumes of one run that have one label.
type Block struct {
	Span
	Run, Label int
}

// Blocks returns the longest stretches of one label, in order; a block ends with its run. Volumes with a negative label
// (rest) are in none.
func Blocks(run, label []int) ([]Block, error) {
	if len(label) != len(run) {
		return nil, fmt.Errorf("series: %d labels of %d volumes", len(label), len(run))
	}
	if _, err := Runs(run); err != nil {
		return nil, err
	}
	var blocks []Block
	for i, l := range label {
		switch {
		case l < 0:
		case i > 0 && run[i] == run[i-1] && l == label[i-1]:
			blocks[len(blocks)-1].To++
		default:
			blocks = append(blocks, Block{Span{i, i + 1}, run[i], l})
		}
	}
	return blocks, nil
}

// Volumes returns the rows of a block delayed by some volumes, as the response follows the stimulus. Rows beyond the end of
// the block's run are left out.
//
//	run  of each volume
func (b Block) Volumes(run []int, delay int) []int {
	var rows []int
	for i := b.From + delay; i < b.To+delay; i++ {
		if i >= 0 && i < len(run) && run[i] == b.Run {
			rows = append(rows, i)
		}
	}
	return rows
}

// Average returns the mean of some rows of x [rows, cols] as [len(sets), cols].
func Average(x []float32, cols int, sets [][]int) ([]float32, error) {
	rows, err := shape(x, cols)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(sets)*cols)
	sum := make([]float64, cols)
	for s, set := range sets {
		if len(set) == 0 {
			return nil, fmt.Errorf("series: set %d of %d has no rows", s, len(sets))
		}
		clear(sum)
		for _, i := range set {
			if i < 0 || i >= rows {
				return nil, fmt.Errorf("series: set %d has row %d, expected 0 to %d", s, i, rows-1)
			}
			for j, v := range x[i*cols : (i+1)*cols] {
				sum[j] += float64(v)
			}
		}
		for j, v := range sum {
			out[s*cols+j] = float32(v / float64(len(set)))
		}
	}
	return out, nil
}

// shape returns the number of rows of x.
func shape(x []float32, cols int) (int, error) {
	if cols < 1 || len(x) == 0 || len(x)%cols != 0 {
		return 0, fmt.Errorf("series: %d values in rows of %d, expected whole rows", len(x), cols)
	}
	return len(x) / cols, nil
}
