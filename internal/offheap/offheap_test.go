package offheap

import (
	"runtime"
	"testing"
	"time"
	"unsafe"
)

func TestAlloc(t *testing.T) {
	m := New()
	var all [][]byte
	for _, n := range []int{0, 1, 63, 64, 65, 100000, chunkSize/4 - 1, chunkSize / 4, chunkSize + 1, 7, chunkSize / 5, chunkSize / 5,
		chunkSize / 5, chunkSize / 5, chunkSize / 5} {
		b := m.Alloc(n)
		if len(b) != n || cap(b) != n {
			t.Fatalf("%d bytes, capacity %d, want %d", len(b), cap(b), n)
		}
		all = append(all, b)
	}
	all = append(all, m.Large(5))
	for i, b := range all {
		if len(b) == 0 {
			continue
		}
		if at := uintptr(unsafe.Pointer(&b[0])); at%Align != 0 {
			t.Errorf("piece %d begins at %#x", i, at)
		}
		for _, k := range []int{0, len(b) / 2, len(b) - 1} {
			if b[k] != 0 && len(b) > 2 {
				t.Fatalf("piece %d is not zero, or another's", i)
			}
			b[k] = byte(i + 1)
		}
	}
	for i, b := range all {
		if len(b) > 0 && (b[0] != byte(i+1) || b[len(b)-1] != byte(i+1)) {
			t.Errorf("piece %d is another's too", i)
		}
	}
	m.Free()
}

// What nobody holds is given back, also where the heap alone would not have garbage collected.
func TestReleased(t *testing.T) {
	released := make(chan struct{})
	func() {
		m := New()
		m.Alloc(100)
		m.Hold(func() error { close(released); return nil })
	}()
	other := New()
	defer runtime.KeepAlive(other)
	for range 500 {
		other.Large(collectEvery / 2) // not touched: takes no memory
		select {
		case <-released:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("not given back after 500 pieces and 5 seconds")
}
