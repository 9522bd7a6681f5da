package packed_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"

	"percept/weights/packed"
	"percept/weights/synth"
)

// The first start packs a tensor, here by doubling it, and the second finds it.
func Example() {
	dir, err := os.MkdirTemp("", "packed")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for range 2 {
		p := packed.New(synth.New("unet", 1), packed.Options{Name: "unet", Dir: dir, Min: 1})
		room, filled, _ := p.Room("conv_in doubled", 4*36)
		if !filled {
			x, err := p.Lend("conv_in.weight", 1, 4, 3, 3)
			if err != nil {
				fmt.Println(err)
				return
			}
			for i, v := range x {
				binary.LittleEndian.PutUint32(room[4*i:], math.Float32bits(2*v))
			}
			p.Done("conv_in doubled")
		}
		p.Keep()
		fmt.Println("from the cache:", p.Cached(), "error:", p.Wait())
	}
	list, err := packed.List(dir)
	fmt.Println(len(list), "file of", list[0].Entries, "entry, damage:", packed.Verify(list[0].Path), err)
	// Output:
	// from the cache: false error: <nil>
	// from the cache: true error: <nil>
	// 1 file of 1 entry, damage: <nil> <nil>
}
