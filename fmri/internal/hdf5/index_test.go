package hdf5

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedChunkIndex damages the version 1 B-tree of a file in NSD's layout, which has no checksum: a chunk that is
// elsewhere or is gone must not come back as other numbers or as fill values.
func TestDamagedChunkIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "betas.h5")
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	d, err := NewDataset[int16](w, "betas", []int{10, 2, 3, 4}, []int{10, 1, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	for v := range 24 {
		column := make([]int16, 10)
		for i := range column {
			column[i] = int16(100*v + i)
		}
		if err := d.Append(column); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	leaf := bytes.Index(good, []byte("TREE\x01\x00"))
	if leaf < 0 {
		t.Fatal("no leaf of a chunk B-tree")
	}
	// A key is size, mask, five coordinates (the last in bytes of the element); then comes the address.
	const key, entry = 4 + 4 + 5*8, 4 + 4 + 5*8 + 8
	at := func(n int) int { return leaf + 24 + n*entry }
	for _, c := range []struct {
		name string
		hurt func(b []byte)
		want string
	}{
		{"nothing", func(b []byte) {}, ""},
		{"a chunk outside", func(b []byte) { b[at(5)+8+3*8] ^= 0x40 }, "of axis 3, which ends at 4"},
		{"a chunk in another's place", func(b []byte) { b[at(5)+8+3*8] ^= 1 }, "has to ascend"},
		{"chunks exchanged", func(b []byte) {
			for i := range key {
				b[at(5)+i], b[at(6)+i] = b[at(6)+i], b[at(5)+i]
			}
		}, "has to ascend"},
		{"an address inside another chunk", func(b []byte) { b[at(5)+key] ^= 2 }, "a chunk of the index lies in the 20 bytes"},
		{"an address inside the index", func(b []byte) {
			binary.LittleEndian.PutUint64(b[at(5)+key:], uint64(leaf+100))
		}, "a chunk of the index lies in the"},
		{"the inside of an element", func(b []byte) { b[at(5)+8+4*8] ^= 1 }, "byte 1 of an element"},
		{"a filter left out of none", func(b []byte) { b[at(5)+4] ^= 1 }, ""}, // bits of no filter mean nothing
	} {
		b := bytes.Clone(good)
		c.hurt(b)
		f, err := NewFile("betas.h5", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		ds, err := f.Dataset("betas")
		if err != nil {
			t.Fatal(err)
		}
		_, err = Read[int16](ds)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
