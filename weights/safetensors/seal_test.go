package safetensors

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSealNamesEveryFlip: whatever bit of a sealed file is flipped, what is read of it is an error or what was written.
func TestSealNamesEveryFlip(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	path := filepath.Join(t.TempDir(), "x.safetensors")
	for _, size := range []int{0, 1, 7, 65000, 65536, 200000} {
		want := make([]float32, size)
		for i := range want {
			want[i] = float32(r.NormFloat64())
		}
		named := []Named{NamedF32("coef", want, size), NamedI32("images", []int32{3, 1, 4}, 3), {"zz", U8, []int{2}, []byte{5, 6}}}
		var streamed []Streamed
		for _, n := range named {
			streamed = append(streamed, n.Streamed())
		}
		if err := StreamSealed(path, streamed, map[string]string{"kind": "test"}); err != nil {
			t.Fatal(err)
		}
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		read := func(b []byte) error {
			f, err := OpenBytes("x", b)
			if err != nil {
				return err
			}
			if f.meta["kind"] != "test" {
				return fmt.Errorf("another kind, %q", f.meta["kind"])
			}
			for _, n := range named {
				have, err := f.Bytes(n.Name)
				if err != nil {
					return err
				}
				if !bytes.Equal(have, n.Data) {
					t.Fatalf("%d values: %s is read otherwise than it was written", size, n.Name)
				}
			}
			return nil
		}
		if err := read(good); err != nil {
			t.Fatalf("%d values: %v", size, err)
		}
		places := []int{}
		for range 300 {
			places = append(places, r.IntN(8*len(good)))
		}
		for bit := range 8 * min(len(good), 1200) { // all of the header
			places = append(places, bit)
		}
		noticed := 0
		for _, bit := range places {
			bad := slices.Clone(good)
			bad[bit/8] ^= 1 << (bit % 8)
			if read(bad) != nil {
				noticed++
			}
		}
		if noticed != len(places) {
			t.Errorf("%d values: %d of %d flips noticed, expected all", size, noticed, len(places))
		}
	}
}

// TestSealOfOthers: a file without a seal stays without, also one that has a tensor of that name.
func TestSealOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(path, []Named{NamedF32("seal", []float32{1, 2}, 2), NamedF32("x", []float32{3}, 1)}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if x, err := f.Float32("seal", 2); err != nil || !slices.Equal(x, []float32{1, 2}) {
		t.Errorf("%v, %v", x, err)
	}
}
