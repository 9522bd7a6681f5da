package tensor

// Tiles is work that Share spreads over the worker pool. Tile is called from several goroutines at once and may panic.
type Tiles interface {
	Tile(i int)
}

// Share calls t.Tile(0) … t.Tile(n-1), each once, in any order, on Threads goroutines, and returns when all are done; a
// panic in a tile reaches the caller. What the tiles compute must not depend on their order. work is the size of it
// all in floating-point operations or memory words: small work stays on the caller's goroutine, and so does work that
// is shared while the pool is in use.
//
// It is for packages that build on this one.
func Share(t Tiles, n, work int) {
	s := shared.get()
	s.Tiles = t
	run(s, n, work)
	shared.put(s)
}

type sharedTiles struct{ Tiles }

func (s *sharedTiles) tile(i int) { s.Tile(i) }

var shared freeList[sharedTiles]
