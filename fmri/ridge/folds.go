package ridge

import "fmt"

// Folds splits n samples into k parts for cross-validation: part f of the result lists
// the samples left out in fold f, in ascending order.
//
// Samples of one group stay in one part. Groups are taken in order of first appearance
// and cut into k runs of as equal a number of groups as possible, the longer ones first,
// so that without groups (nil: every sample is its own) the parts are the contiguous ones
// of scikit-learn's unshuffled KFold. With k equal to the number of groups, each part is
// one group: leave one run out.
func Folds(n, k int, groups []int) ([][]int, error) {
	if groups != nil && len(groups) != n {
		return nil, fmt.Errorf("ridge: %d group labels, expected one for each of %d samples", len(groups), n)
	}
	index := make([]int, n) // of each sample's group
	distinct := n
	if groups == nil {
		for i := range index {
			index[i] = i
		}
	} else {
		seen := make(map[int]int)
		for i, g := range groups {
			j, ok := seen[g]
			if !ok {
				j = len(seen)
				seen[g] = j
			}
			index[i] = j
		}
		distinct = len(seen)
	}
	if k < 2 || k > distinct {
		return nil, &FoldsError{Folds: k, Groups: distinct, Samples: n}
	}
	part := make([]int, 0, distinct) // of each group
	for f := range k {
		size := distinct / k
		if f < distinct%k {
			size++
		}
		for range size {
			part = append(part, f)
		}
	}
	folds := make([][]int, k)
	for i, g := range index {
		folds[part[g]] = append(folds[part[g]], i)
	}
	return folds, nil
}

// FoldsError says that samples cannot be parted into so many folds.
type FoldsError struct {
	Folds, Groups, Samples int // Groups is Samples where nothing holds samples together
}

func (e *FoldsError) Error() string {
	of := fmt.Sprintf("%d samples", e.Samples)
	if e.Groups != e.Samples {
		of = fmt.Sprintf("%d groups (%d samples)", e.Groups, e.Samples)
	}
	return fmt.Sprintf("ridge: %d folds of %s, expected at least 2 folds and a group for each", e.Folds, of)
}
