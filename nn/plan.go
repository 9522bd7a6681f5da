package nn

import (
	"cmp"
	"slices"
)

// A task is what the planner has to know of one node.
type task struct {
	live       bool             // some run computes or reads it
	in         []int            // operands, all before the task itself
	size       int              // floats of the result
	scratch    int              // floats of workspace
	source     bool             // its memory is there before the run: an input, a fed node
	private    bool             // its value outlives the run, so it stays out of the arena
	view       bool             // its result is the memory of in[0]
	overwrites func(i int) bool // whether the result may be the memory of operand i; nil is never
}

// A placement says where every live task's result and workspace are.
type placement struct {
	held    []bool // the task is live
	root    []int  // the task whose memory the result is: itself, or what it is a view of
	private []bool
	offset  []int // of the roots that are neither source nor private, in the arena
	scratch []int // of the workspaces, in the arena

	arena   int // floats
	peak    int // floats that are alive at the worst moment: no arena can be smaller
	sum     int // floats of all results, had each its own memory
	inPlace int // tasks that overwrite an operand
	views   int
}

// A block is memory of the arena that is alive from the start-th to the end-th task, inclusive.
type block struct {
	size, start, end, offset int
}

// align is 64 bytes, a cache line and the widest vector.
const align = 16

// makePlan gives every live task its memory. Two results share memory only where the first is dead
// before the second begins, except that a task may overwrite the operand that dies in it.
func makePlan(tasks []task) *placement {
	n := len(tasks)
	p := &placement{held: make([]bool, n), root: make([]int, n), private: make([]bool, n), offset: make([]int, n), scratch: make([]int, n)}
	lastUse := make([]int, n) // of roots: the last task that reads or makes it, also through views
	for i, t := range tasks {
		if !t.live {
			continue
		}
		p.held[i] = true
		r := i
		if t.view {
			r = p.root[t.in[0]]
			p.views++
		} else if !t.source {
			p.sum += t.size
		}
		p.root[i] = r
		lastUse[r] = i
		for _, x := range t.in {
			lastUse[p.root[x]] = i
		}
		p.private[r] = p.private[r] || t.private && !tasks[r].source
	}

	var blocks []block
	home := make([]int, n) // of roots in the arena: index of the block
	scratch := make([]int, n)
	for i, t := range tasks {
		if !t.live {
			continue
		}
		if t.scratch > 0 {
			scratch[i] = len(blocks)
			blocks = append(blocks, block{size: t.scratch, start: i, end: i})
		}
		if p.root[i] != i || t.source || p.private[i] {
			continue
		}
		if x, ok := p.overwritten(tasks, lastUse, i); ok {
			p.inPlace++
			home[i] = home[x]
			blocks[home[i]].end = lastUse[i]
			continue
		}
		home[i] = len(blocks)
		blocks = append(blocks, block{size: t.size, start: i, end: lastUse[i]})
	}

	p.arena, p.peak = placeBlocks(blocks, n)
	for i, t := range tasks {
		if !t.live {
			continue
		}
		if t.scratch > 0 {
			p.scratch[i] = blocks[scratch[i]].offset
		}
		if p.root[i] == i && !t.source && !p.private[i] {
			p.offset[i] = blocks[home[i]].offset
		}
	}
	return p
}

// overwritten returns the root of an operand that dies in task i and whose memory i may take over.
func (p *placement) overwritten(tasks []task, lastUse []int, i int) (root int, ok bool) {
	t := &tasks[i]
	if t.overwrites == nil {
		return 0, false
	}
	for _, x := range t.in {
		r := p.root[x]
		if tasks[r].source || p.private[r] || lastUse[r] != i || tasks[r].size != t.size {
			continue
		}
		all := true // the same memory may be several operands
		for k, y := range t.in {
			if p.root[y] == r && !t.overwrites(k) {
				all = false
			}
		}
		if all {
			return r, true
		}
	}
	return 0, false
}

// placeBlocks sets the blocks' offsets so that no two that are alive together overlap, and returns
// the size of the arena and the largest sum of living blocks. It places the largest block first and
// each at the lowest offset where it fits (Pisarchyk and Lee 2020, arXiv:2001.03288); where the
// order of time gives a smaller arena, that one.
func placeBlocks(blocks []block, tasks int) (arena, peak int) {
	alive := make([]int, tasks+1)
	order := make([]int, len(blocks))
	for i := range blocks {
		b := &blocks[i]
		b.size = (b.size + align - 1) / align * align
		alive[b.start] += b.size
		alive[b.end+1] -= b.size
		order[i] = i
	}
	now := 0
	for _, d := range alive {
		now += d
		peak = max(peak, now)
	}

	arena = firstFit(blocks, order) // in the order of time
	byTime := slices.Clone(blocks)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(blocks[b].size, blocks[a].size) })
	if bySize := firstFit(blocks, order); bySize <= arena {
		return bySize, peak
	}
	copy(blocks, byTime)
	return arena, peak
}

func firstFit(blocks []block, order []int) (arena int) {
	var placed []int // by offset
	for _, i := range order {
		b := &blocks[i]
		b.offset = 0
		for _, j := range placed {
			o := &blocks[j]
			if o.end < b.start || b.end < o.start {
				continue
			}
			if b.offset+b.size <= o.offset {
				break
			}
			b.offset = max(b.offset, o.offset+o.size)
		}
		at, _ := slices.BinarySearchFunc(placed, b.offset, func(j, offset int) int { return cmp.Compare(blocks[j].offset, offset) })
		placed = slices.Insert(placed, at, i)
		arena = max(arena, b.offset+b.size)
	}
	return arena
}
