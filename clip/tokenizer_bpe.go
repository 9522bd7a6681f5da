package clip

import "container/heap"

// endOfWord marks the last symbol of a word, so that "car" in "carpet" is another token.
const endOfWord = "</w>"

// byteLetters maps each byte to a printable letter, so that every token of the vocabulary is text: a
// printable byte of Latin-1 to itself, the others to the letters from U+0100 on. byteOrder lists the
// bytes as OpenAI's vocabulary does, the printable ones first.
var byteLetters, byteOrder = byteTables()

func byteTables() (letters [256]rune, order []byte) {
	printable := func(b int) bool { return '!' <= b && b <= '~' || 0xA1 <= b && b <= 0xAC || 0xAE <= b && b <= 0xFF }
	var others []byte
	for b := range 256 {
		if printable(b) {
			letters[b] = rune(b)
			order = append(order, byte(b))
		} else {
			letters[b] = rune(0x100 + len(others))
			others = append(others, byte(b))
		}
	}
	return letters, append(order, others...)
}

// A pair of neighbours, and what they merge into at which rank (lower merges first).
type pair struct{ left, right int32 }

type merge struct{ rank, into int32 }

// symbol is a token of a word in the making; prev and next are indices of its neighbours, -1 at the ends.
type symbol struct {
	id         int32
	prev, next int32
	gone       bool // merged into its left neighbour
}

// candidate is a merge that was possible when it was put on the heap.
type candidate struct {
	rank, at int32
	pair     pair
}

// candidates orders merges by rank, then from left to right.
type candidates []candidate

func (c candidates) Len() int { return len(c) }
func (c candidates) Less(i, j int) bool {
	return c[i].rank < c[j].rank || c[i].rank == c[j].rank && c[i].at < c[j].at
}
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }

// Push is part of heap.Interface.
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) }

// Pop is part of heap.Interface.
func (c *candidates) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// shortWord is the length in bytes up to which looking through all pairs is faster than a heap.
const shortWord = 32

// appendWord appends the tokens of one piece.
func (v *vocabulary) appendWord(ids []int32, word string) []int32 {
	if len(word) > shortWord {
		return v.appendLongWord(ids, word)
	}
	const none = 1 << 30 // a rank
	var ranks [shortWord]int32
	var merged [shortWord]int32 // what symbol i and the next merge into
	first := len(ids)
	for i := range len(word) - 1 {
		ids = append(ids, v.byteIDs[word[i]])
	}
	ids = append(ids, v.lastIDs[word[len(word)-1]])
	symbols := ids[first:]
	look := func(i int) {
		ranks[i] = none
		if i+1 < len(symbols) {
			if m, ok := v.merges[pair{symbols[i], symbols[i+1]}]; ok {
				ranks[i], merged[i] = m.rank, m.into
			}
		}
	}
	for i := range symbols {
		look(i)
	}
	for {
		best, at := int32(none), 0
		for i, rank := range ranks[:len(symbols)] {
			if rank < best {
				best, at = rank, i
			}
		}
		if best == none {
			return ids[:first+len(symbols)]
		}
		symbols[at] = merged[at]
		copy(symbols[at+1:], symbols[at+2:])
		copy(ranks[at+1:len(symbols)], ranks[at+2:len(symbols)])
		copy(merged[at+1:len(symbols)], merged[at+2:len(symbols)])
		symbols = symbols[:len(symbols)-1]
		look(at)
		if at > 0 {
			look(at - 1)
		}
	}
}

// appendLongWord is appendWord by a heap, which keeps a word of n bytes at O(n log n): a text may be one word of
// any length.
func (v *vocabulary) appendLongWord(ids []int32, word string) []int32 {
	symbols := make([]symbol, len(word))
	for i := range symbols {
		symbols[i] = symbol{id: v.byteIDs[word[i]], prev: int32(i - 1), next: int32(i + 1)}
	}
	last := len(symbols) - 1
	symbols[last].id, symbols[last].next = v.lastIDs[word[last]], -1

	var queue candidates
	propose := func(at int32) {
		if at < 0 || symbols[at].next < 0 {
			return
		}
		p := pair{symbols[at].id, symbols[symbols[at].next].id}
		if m, ok := v.merges[p]; ok {
			heap.Push(&queue, candidate{m.rank, at, p})
		}
	}
	for i := range symbols {
		propose(int32(i))
	}
	for queue.Len() > 0 {
		c := heap.Pop(&queue).(candidate)
		left := &symbols[c.at]
		if left.gone || left.next < 0 || (pair{left.id, symbols[left.next].id}) != c.pair {
			continue // one of the two has been merged otherwise in the meantime
		}
		right := &symbols[left.next]
		left.id, right.gone = v.merges[c.pair].into, true
		if left.next = right.next; left.next >= 0 {
			symbols[left.next].prev = c.at
		}
		propose(left.prev)
		propose(c.at)
	}
	for i := int32(0); i >= 0; i = symbols[i].next {
		ids = append(ids, symbols[i].id)
	}
	return ids
}

// ByteLetter returns the letter that stands for a byte in the tokens of the vocabulary.
func ByteLetter(b byte) rune { return byteLetters[b] }
