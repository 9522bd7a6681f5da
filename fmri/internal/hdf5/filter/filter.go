// Package filter undoes the filters of HDF5's chunks: compression, shuffling, packing of bits, checksums.
//
// A dataset has a pipeline of filters, each with a number that The HDF Group registers and parameters that the writer stored.
// The result of every filter is bounded by what the chunk holds, whatever its bytes say.
package filter

import (
	"fmt"
	"math"
)

// Filter is a step of a dataset's pipeline.
type Filter struct {
	ID     uint16
	Name   string   // as the file has it; may be empty
	Params []uint32 // as the file has them
}

// codec is how a filter is undone.
type codec struct {
	name string

	// undo returns what the filter made src from, at most most bytes of it; nil if this package cannot.
	undo func(f Filter, src []byte, most int) ([]byte, error)

	// growth is the most bytes that come out for each one that goes in.
	growth uint64

	// spread is the most bytes that the filter itself makes from n, where it does not refuse to.
	spread func(n uint64) uint64

	// params is the number of parameters that undo needs.
	params int
}

// Numbers of filters that callers treat on their own.
const (
	Deflate  = 1
	Shuffle  = 2
	Fletcher = 3
)

// unbounded is the growth of filters that store a chunk of equal values in a few bytes.
const unbounded = math.MaxUint32

var codecs = map[uint16]codec{
	Deflate:  {name: "deflate", undo: inflate, growth: 1040, spread: slightly},
	Shuffle:  {name: "shuffle", undo: unshuffle, growth: 1, spread: not, params: 1},
	Fletcher: {name: "fletcher32", undo: checkFletcher, growth: 1, spread: func(n uint64) uint64 { return n + 4 }},
	4:        {name: "szip", undo: unszip, growth: 1 << 13, spread: slightly, params: 4},
	5:        {name: "n-bit", undo: unpackBits, growth: 1 << 10, spread: slightly, params: 3},
	6:        {name: "scale-offset", undo: unscale, growth: unbounded, spread: slightly, params: 20},
	307:      {name: "bzip2", undo: bunzip2, growth: unbounded, spread: slightly},
	32000:    {name: "lzf", undo: unLZF, growth: 90, spread: slightly},
	32001:    {name: "blosc", undo: unBlosc, growth: unbounded, spread: slightly},
	32004:    {name: "lz4", undo: unLZ4, growth: 256, spread: slightly},
	32008:    {name: "bitshuffle", undo: unBitshuffle, growth: 1 << 15, spread: slightly, params: 3},
	32015:    {name: "zstd", undo: unZstd, growth: 1 << 15, spread: slightly},
	32026:    {name: "blosc2", undo: unBlosc2, growth: unbounded, spread: slightly},

	305:   {name: "lzo"},
	32002: {name: "mafisc"},
	32003: {name: "snappy"},
	32006: {name: "apax"},
	32010: {name: "spdp"},
	32011: {name: "lpc-rice"},
	32012: {name: "ccsds-123"},
	32013: {name: "zfp"},
	32014: {name: "fpzip"},
	32016: {name: "b3d"},
	32017: {name: "sz"},
	32018: {name: "fcidecomp"},
	32019: {name: "jpeg"},
	32020: {name: "vbz"},
	32021: {name: "fapec"},
	32022: {name: "bitgroom"},
	32023: {name: "granular bitround"},
	32024: {name: "sz3"},
	32025: {name: "delta-rice"},
	32027: {name: "flac"},
	32028: {name: "sperr"},
	32029: {name: "terse-prolix"},
	32030: {name: "ffmpeg"},
	32031: {name: "jpeg-xl"},
	32034: {name: "htj2k"},
}

func not(n uint64) uint64      { return n }
func slightly(n uint64) uint64 { return n + n/8 + 4096 }

// String is the filter's usual name and its number.
func (f Filter) String() string {
	name := codecs[f.ID].name
	if name == "" {
		name = f.Name
	}
	if name == "" {
		return fmt.Sprintf("filter %d", f.ID)
	}
	return fmt.Sprintf("%.40s (filter %d)", name, f.ID)
}

// Readable says why the filter cannot be undone, nil if it can.
func (f Filter) Readable() error {
	if codecs[f.ID].undo == nil {
		return fmt.Errorf("compressed with %s, which is not read here; h5repack -f NONE rewrites it", f)
	}
	return nil
}

// Growth is the most bytes that Undo makes of each byte that it is given, the pipeline over.
func Growth(pipeline []Filter) uint64 {
	g := uint64(1)
	for _, f := range pipeline {
		g = min(g*max(1, codecs[f.ID].growth), unbounded)
	}
	return g
}

// Undo undoes a pipeline, whose last filter was applied last, on a chunk that holds whole bytes. Bit i of mask says that filter
// i was left out of this chunk.
func Undo(pipeline []Filter, mask uint32, b []byte, whole int) ([]byte, error) {
	for i := len(pipeline) - 1; i >= 0; i-- {
		if mask&(1<<i) != 0 {
			continue
		}
		most := uint64(whole)
		for k := range i {
			if mask&(1<<k) == 0 {
				most = codecs[pipeline[k].ID].spread(most)
			}
		}
		f := pipeline[i]
		c := codecs[f.ID]
		if c.undo == nil {
			return nil, f.Readable()
		}
		if len(f.Params) < c.params {
			return nil, fmt.Errorf("%s has %d parameters, expected %d", f, len(f.Params), c.params)
		}
		var err error
		if b, err = c.undo(f, b, int(most)); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	if len(b) != whole {
		return nil, fmt.Errorf("holds %d bytes, expected %d", len(b), whole)
	}
	return b, nil
}
