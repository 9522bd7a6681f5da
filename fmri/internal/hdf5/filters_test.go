package hdf5

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"percept/fmri/internal/hdf5/filter"
	"percept/internal/golden"
)

// filteredChunk is a chunk as it is stored.
type filteredChunk struct {
	name     string
	pipeline []filter.Filter
	mask     uint32
	stored   []byte
	whole    int
}

// filteredChunks are the first chunks of the datasets that h5py and hdf5plugin wrote, one of each filter and dataset.
func filteredChunks(t testing.TB) []filteredChunk {
	t.Helper()
	var all []filteredChunk
	for _, name := range []string{"kinds_filters_i2_latest.h5.gz", "kinds_filters_f4_v110.h5.gz", "kinds_nbit_latest.h5.gz",
		"kinds_blocks_latest.h5.gz"} {
		f := combo(t, name)
		names, err := f.List("")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			d, err := f.Dataset(n)
			if err != nil {
				t.Fatal(err)
			}
			chunks, err := d.loadChunks()
			if err != nil || len(chunks) == 0 {
				t.Fatal(n, err)
			}
			b, err := f.bytesAt(chunks[0].addr, int(chunks[0].size), n)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, filteredChunk{n, d.filters, chunks[0].mask, b, int(d.chunkBytes())})
		}
	}
	return all
}

// TestDamagedChunks cuts filtered chunks short and changes their bytes and their filters' parameters: what comes out has the
// bytes of a chunk, or there is an error.
func TestDamagedChunks(t *testing.T) {
	try := func(c filteredChunk, pipeline []filter.Filter, b []byte) bool {
		out, err := filter.Undo(pipeline, c.mask, b, c.whole)
		if err == nil && len(out) != c.whole {
			t.Errorf("%s: %d bytes, want %d", c.name, len(out), c.whole)
		}
		return err == nil
	}
	for _, c := range filteredChunks(t) {
		if !try(c, c.pipeline, c.stored) {
			t.Errorf("%s: the sound chunk is refused", c.name)
		}
		step := max(1, len(c.stored)/16)
		for n := 0; n < len(c.stored); n += step {
			if try(c, c.pipeline, c.stored[:n]) && n < len(c.stored)/2 && c.mask == 0 {
				t.Errorf("%s: %d of %d bytes were enough", c.name, n, len(c.stored))
			}
			for _, v := range []byte{0x00, 0x80, 0xff} {
				b := bytes.Clone(c.stored)
				b[n] = v
				try(c, c.pipeline, b)
			}
		}
		for i, f := range c.pipeline {
			for k := range f.Params {
				for _, v := range []uint32{0, 1, 7, 255, 1 << 16, 1<<32 - 1} {
					p := slices.Clone(c.pipeline)
					p[i].Params = slices.Clone(f.Params)
					p[i].Params[k] = v
					try(c, p, c.stored)
				}
			}
			p := slices.Clone(c.pipeline)
			p[i].Params = nil
			try(c, p, c.stored)
		}
	}
}

// FuzzUndo undoes filters on damaged chunks: the memory is bounded by what the chunk may hold.
func FuzzUndo(f *testing.F) {
	chunks := filteredChunks(f)
	for i, c := range chunks {
		f.Add(uint16(i), c.stored, uint8(0), uint32(0))
	}
	f.Fuzz(func(t *testing.T, which uint16, b []byte, param uint8, change uint32) {
		c := chunks[int(which)%len(chunks)]
		if len(b) > 1<<16 {
			return
		}
		pipeline := slices.Clone(c.pipeline)
		last := &pipeline[len(pipeline)-1]
		if last.Params = slices.Clone(last.Params); int(param) < len(last.Params) {
			last.Params[param] ^= change
		}
		golden.WithinMemory(t, c.whole+len(b), true, func() {
			if out, err := filter.Undo(pipeline, 0, b, c.whole); err == nil && len(out) != c.whole {
				t.Errorf("%s: %d bytes, want %d", c.name, len(out), c.whole)
			} else if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: error of several lines: %v", c.name, err)
			}
		})
	})
}

// TestUnknownFilter names a filter by what the file calls it where the number is not known, and reads chunks that left it out.
func TestUnknownFilter(t *testing.T) {
	for _, c := range []struct {
		f    filter.Filter
		want string
	}{
		{filter.Filter{ID: 32013}, "compressed with zfp (filter 32013), which is not read here; h5repack -f NONE rewrites it"},
		{filter.Filter{ID: 401, Name: "mine"}, "compressed with mine (filter 401), which"},
		{filter.Filter{ID: 401}, "compressed with filter 401, which"},
	} {
		if err := c.f.Readable(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		if _, err := filter.Undo([]filter.Filter{c.f}, 0, []byte{1}, 1); err == nil {
			t.Errorf("%v was undone", c.f)
		}
		if out, err := filter.Undo([]filter.Filter{c.f}, 1, []byte{1}, 1); err != nil || len(out) != 1 {
			t.Errorf("%v, left out: %v %v", c.f, out, err)
		}
	}
}
