//go:build !amd64

package picture

var vectors = false

func rowsAVX2(dst0, dst1, dst2, dst3, quads *byte, first, count, k *int32, w int) {
	panic("picture: no vectors")
}

func columnsAVX2(dst, src *byte, stride int, k *int32, taps, groups int) {
	panic("picture: no vectors")
}
