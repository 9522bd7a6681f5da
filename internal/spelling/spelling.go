// Package spelling finds the name that a mistyped word was meant to be.
package spelling

// Distance is how many bytes have to be put in, taken out, changed or swapped with their neighbour to make b of a (optimal
// string alignment).
func Distance(a, b string) int {
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, above, row = above, row, before
		row[0] = i + 1
		for j := range len(b) {
			change := above[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(above[j+1]+1, row[j]+1, change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// Nearest is the first of the names that are least far from a word, empty where none is nearer than the given distance.
func Nearest(word string, names []string, within int) (best string) {
	for _, name := range names {
		if d := Distance(word, name); d < within {
			best, within = name, d
		}
	}
	return best
}
