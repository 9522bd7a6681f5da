package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"percept/fmri/array"
	"percept/fmri/series"
	"percept/tensor/linalg"
)

// dataset is one subject's series, as it left the scanner.
type dataset struct {
	x          linalg.Matrix[float32] // [volumes, voxels of the mask]
	run        []int                  // of each volume
	label      []int                  // of each volume; -1 is rest
	categories []string               // of labels, in alphabetical order
	blocks     []series.Block

	shape [3]int     // of the volume
	size  [3]float64 // of a voxel, in mm
	flipX bool       // x counts from the subject's right to left
	voxel []int      // of each column of x, its place in the volume, last index fastest
}

const rest = "rest"

func read(folder string) (*dataset, error) {
	d := &dataset{}
	boldPath, maskPath := filepath.Join(folder, "bold.nii.gz"), filepath.Join(folder, "mask.nii.gz")
	bold, err := array.Read(boldPath, "")
	if err != nil {
		return nil, err
	}
	mask, err := array.Read(maskPath, "")
	if err != nil {
		return nil, err
	}
	if len(bold.Shape) != 4 {
		return nil, fmt.Errorf("%s: shape %v, expected four dimensions", boldPath, bold.Shape)
	}
	copy(d.shape[:], bold.Shape)
	volumes, n := bold.Shape[3], d.shape[0]*d.shape[1]*d.shape[2]
	if len(mask.Data) != n {
		return nil, fmt.Errorf("%s: shape %v, expected %v as %s", maskPath, mask.Shape, bold.Shape[:3], boldPath)
	}
	for k := range d.size {
		d.size[k] = 1
		if bold.Affine != nil {
			x, y, z := bold.Affine[0][k], bold.Affine[1][k], bold.Affine[2][k]
			d.size[k] = math.Sqrt(x*x + y*y + z*z)
			d.flipX = bold.Affine[0][0] < 0
		}
	}
	for v, in := range mask.Data {
		if in != 0 {
			d.voxel = append(d.voxel, v)
		}
	}
	if len(d.voxel) == 0 {
		return nil, fmt.Errorf("%s: no voxel in the mask", maskPath)
	}
	d.x = linalg.New[float32](volumes, len(d.voxel))
	for j, v := range d.voxel {
		for t := range volumes {
			d.x.Row(t)[j] = float32(bold.Data[v*volumes+t])
		}
	}
	if err := d.readLabels(filepath.Join(folder, "attributes_literal.txt")); err != nil {
		return nil, err
	}
	return d, nil
}

// readLabels reads a category and a run for each volume.
func (d *dataset) readLabels(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var names []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		fields := strings.Fields(s.Text())
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			return fmt.Errorf("%s: line %q, expected a category and a run", path, s.Text())
		}
		run, err := strconv.Atoi(fields[1])
		if err != nil {
			return fmt.Errorf("%s: run %q, expected a whole number", path, fields[1])
		}
		names, d.run = append(names, fields[0]), append(d.run, run)
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(names) != d.x.Rows {
		return fmt.Errorf("%s: labels of %d volumes, expected %d", path, len(names), d.x.Rows)
	}
	if err := d.setLabels(names); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// setLabels numbers the categories and finds the blocks. Every run has to show every category once: that is what leaving a
// run out and permuting within runs rely on.
func (d *dataset) setLabels(names []string) error {
	kept := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == rest })
	slices.Sort(kept)
	d.categories = slices.Compact(kept)
	for _, name := range names {
		l := slices.Index(d.categories, name)
		d.label = append(d.label, l)
	}
	var err error
	if d.blocks, err = series.Blocks(d.run, d.label); err != nil {
		return err
	}
	runs, err := series.Runs(d.run)
	if err != nil {
		return err
	}
	if len(runs) < 3 || len(d.categories) < 2 {
		return fmt.Errorf("%d runs and %d categories, expected at least 3 and 2", len(runs), len(d.categories))
	}
	shown := make(map[[2]int]int)
	for _, b := range d.blocks {
		shown[[2]int{b.Run, b.Label}]++
	}
	for _, r := range runs {
		for l, name := range d.categories {
			if n := shown[[2]int{d.run[r.From], l}]; n != 1 {
				return fmt.Errorf("run %d shows %s %d times, expected once", d.run[r.From], name, n)
			}
		}
	}
	return nil
}
