package prepare

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/internal/cause"
)

// blockBytes bounds the memory for the betas of one session that are read at a time; those of files that
// have to be read through once for each block get more.
const (
	blockBytes       = 128 << 20
	blockBytesStream = 448 << 20
)

// extract reads the betas of the mask's voxels from one session and writes them as stored to path: [trials, voxels], voxels
// in file order, so that the session's file is read from front to back.
func extract(ctx context.Context, f *nsd.SessionFile, path string, mask fmri.Mask) error {
	tmp, err := os.Create(path + ".tmp")
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	defer os.Remove(tmp.Name())
	defer tmp.Close()
	order := mask.FileOrder()
	bytes := blockBytes
	if f.Format != "hdf5" {
		bytes = blockBytesStream
	}
	size := f.ElementSize()
	width := max(1, bytes/(size*f.Trials))
	buf := make([]byte, size*f.Trials*min(width, len(order)))
	for lo := 0; lo < len(order); lo += width {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(width, len(order)-lo)
		block := buf[:size*f.Trials*n]
		if err := f.ReadStored(block, mask.Pick(order[lo:lo+n])); err != nil {
			return err
		}
		for t := range f.Trials {
			row := block[size*t*n:][:size*n]
			if _, err := tmp.WriteAt(row, int64(size)*(int64(t)*int64(len(order))+int64(lo))); err != nil {
				return fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
			}
		}
	}
	if err := tmp.Sync(); err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, cause.Of(err))
	}
	return nil
}

// part is a session's extracted betas, read row by row.
type part struct {
	file    *os.File
	trials  int
	size    int // of an element
	scale   float64
	from    []int // column of the part that goes to each column of a row
	moments *moments
	bytes   []byte
	values  []float64
}

// openPart opens what extract wrote, with the rows' columns in the order of the mask that was extracted. scale 1 leaves
// values as they are.
func openPart(path string, f *nsd.SessionFile, mask fmri.Mask, scale float64) (*part, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	p := &part{file: file, trials: f.Trials, size: f.ElementSize(), scale: scale, from: make([]int, mask.Len())}
	for c, v := range mask.FileOrder() {
		p.from[v] = c
	}
	p.bytes, p.values = make([]byte, p.size*mask.Len()), make([]float64, mask.Len())
	return p, nil
}

// row reads a trial, [voxels], scaled. The slice is good until the next call.
func (p *part) row(trial int) ([]float64, error) {
	if _, err := p.file.ReadAt(p.bytes, int64(trial)*int64(len(p.bytes))); err != nil {
		return nil, fmt.Errorf("%s: %w", p.file.Name(), cause.Of(err))
	}
	le := binary.LittleEndian
	for v, c := range p.from {
		if p.size == 2 {
			p.values[v] = float64(int16(le.Uint16(p.bytes[2*c:]))) / p.scale
		} else {
			p.values[v] = float64(math.Float32frombits(le.Uint32(p.bytes[4*c:]))) / p.scale
		}
	}
	return p.values, nil
}

// standardised is row, z-scored within the session.
func (p *part) standardised(trial int) ([]float64, error) {
	x, err := p.row(trial)
	if err != nil {
		return nil, err
	}
	if p.moments == nil {
		if p.moments, err = newMoments(len(p.from), p.trials, p.row); err != nil {
			return nil, err
		}
		if x, err = p.row(trial); err != nil {
			return nil, err
		}
	}
	p.moments.standardise(x)
	return x, nil
}

// sum is the sha256 of what was read of the session.
func (p *part) sum() (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(p.file, 0, math.MaxInt64)); err != nil {
		return "", fmt.Errorf("%s: %w", p.file.Name(), cause.Of(err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
