package picture

import "golang.org/x/sys/cpu"

// vectors tells that rowsAVX2 and columnsAVX2 can be used; tests turn it off.
var vectors = cpu.X86.HasAVX2

// rowsAVX2 makes w pixels of four rows, of which quads holds the pixels side by side: 16 bytes for each x. Output pixel i
// is the weighted sum of count[i] quads from first[i] on; weights follow one another in k.
//
//go:noescape
func rowsAVX2(dst0, dst1, dst2, dst3, quads *byte, first, count, k *int32, w int)

// columnsAVX2 makes 8·groups pixels of one row: the sum of taps rows, stride bytes apart, weighted by k.
//
//go:noescape
func columnsAVX2(dst, src *byte, stride int, k *int32, taps, groups int)
