package memlimit

import (
	"os"
	"strings"
	"testing"
)

func TestLeft(t *testing.T) {
	for _, c := range []struct {
		l    Limit
		want int64
	}{
		{Limit{Bytes: 1000 * mib, Taken: 100 * mib}, 884 * mib},
		{Limit{Bytes: 100 * mib, Taken: 200 * mib}, 0},
		{Limit{Bytes: 1000 * mib, Taken: 100 * mib, address: true}, 828 * mib},
		{Limit{Bytes: 100 * mib, Taken: 50 * mib, address: true}, 0},
	} {
		if got := c.l.Left(); got != c.want {
			t.Errorf("%+v leaves %d, expected %d", c.l, got, c.want)
		}
	}
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 MiB", 1: "1 MiB", 350 * mib: "350 MiB", 3 << 29: "1.5 GiB", 23<<30 + 5: "23 GiB"} {
		if got := Size(bytes); got != want {
			t.Errorf("%d bytes are %q, expected %q", bytes, got, want)
		}
	}
}

// What is larger than every machine is refused with what it needs and what there is.
func TestNeed(t *testing.T) {
	l, ok := Tightest()
	if !ok && os.Getenv("CI") == "true" {
		t.Fatal("the system tells no limit, expected one at least")
	} else if !ok {
		t.Skip("the system tells no limit")
	}
	if err := Need(1); err != nil {
		t.Errorf("a byte: %v", err)
	}
	err := Need(1 << 60)
	if err == nil || !strings.Contains(err.Error(), "needs about 1073741824 GiB of memory more") || !strings.Contains(err.Error(), l.From) {
		t.Errorf("2⁶⁰ bytes: %v, limit %+v", err, l)
	}
	for bytes, want := range map[int64]int64{1: heapPiece, heapPiece: heapPiece, heapPiece + 1: 2 * heapPiece} {
		if got := (Limit{address: true}).onHeap(bytes); got != want || (Limit{}).onHeap(bytes) != bytes {
			t.Errorf("%d bytes on the heap take %d of an address space, expected %d", bytes, got, want)
		}
	}
	if err := NeedMapped(1 << 60); err == nil || NeedMapped(1) != nil {
		t.Errorf("mapped: %v, %v", err, NeedMapped(1))
	}
	if err := Begin(1 << 60); err == nil || !strings.Contains(err.Error(), "expected") {
		t.Errorf("beginning with 2⁶⁰ bytes: %v", err)
	}
	if err := Begin(1); err != nil {
		t.Errorf("beginning with a byte: %v", err)
	}
}
