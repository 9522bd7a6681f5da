package tensor

import (
	"fmt"
	"testing"
)

func BenchmarkPack(b *testing.B) {
	r := newRand()
	for _, c := range [][3]int{{1280, 1280, 3}, {320, 640, 3}, {10240, 1280, 1}, {1280, 5120, 1}} {
		w := random(r, c[0]*c[1]*c[2]*c[2])
		room := alignedBytes(4 * len(w))
		src := held(w, nil)
		src.Room = func(string, int) Room { return Room{Bytes: room} }
		b.Run(fmt.Sprint(c), func(b *testing.B) {
			b.SetBytes(int64(4 * len(w)))
			for b.Loop() {
				NewConv2dFrom(src, Implicit, c[0], c[1], c[2], c[2])
			}
		})
	}
}

func BenchmarkPackFilters(b *testing.B) {
	r := newRand()
	for _, c := range [][2]int{{320, 320}, {1280, 640}, {640, 1280}} {
		for _, form := range []Form{Winograd2, Winograd4} {
			w := random(r, c[0]*c[1]*9)
			var room []byte
			src := held(w, nil)
			src.Room = func(_ string, n int) Room {
				if room == nil {
					room = alignedBytes(n)
				}
				return Room{Bytes: room}
			}
			b.Run(fmt.Sprint(form, c), func(b *testing.B) {
				b.SetBytes(int64(4 * len(w)))
				for b.Loop() {
					NewConv2dFrom(src, form, c[0], c[1], 3, 3)
				}
			})
		}
	}
}
