package main

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
)

// drawSlice draws two maps over the mean of the slice: how well each voxel's series is predicted, and which category voxels
// prefer that tell them apart. Voxels beyond the false discovery rate are left grey.
func drawSlice(d *dataset, r *results) image.Image {
	const wide, left, top, gap, legend = 15, 20, 64, 74, 170
	high := int(math.Round(wide * d.size[1] / d.size[0]))
	w, h := d.shape[0]*wide, d.shape[1]*high
	c := newCanvas(left+w+legend, 2*(top+h)+gap-20)
	e, s := r.Encoding[0], r.Selectivity

	largest := math.Ceil(10*e.LargestR) / 10
	c.text(left, 28, 0, 17, ink, "Series predicted from the categories")
	c.text(left, 48, 0, 13, faint, fmt.Sprintf("correlation over runs left out; %d of %d voxels within FDR 5 %%", e.Tests[3].FDR, r.Voxels))
	d.panel(c, image.Pt(left, top), wide, high, func(j int) (color.RGBA, bool) {
		return heat.at(e.R[j] / largest), e.fdr[j] <= r.Settings.FDR
	})
	x, tall := left+w+24, h*3/4
	for y := range tall {
		c.fill(image.Rect(x, top+y, x+18, top+y+1), heat.at(1-float64(y)/float64(tall-1)))
	}
	for k := range 5 {
		v := largest * float64(4-k) / 4
		c.text(x+26, top+k*(tall-1)/4+5, 0, 13, ink, fmt.Sprintf("%.2f", v))
	}
	c.text(x, top+tall+22, 0, 13, faint, "r")

	y0 := top + h + gap
	c.text(left, y0-36, 0, 17, ink, "Preferred category of selective voxels")
	c.text(left, y0-16, 0, 13, faint, fmt.Sprintf("block averages predicted from their category; %d of %d voxels within FDR 5 %%",
		s.Test.FDR, r.Voxels))
	d.panel(c, image.Pt(left, y0), wide, high, func(j int) (color.RGBA, bool) {
		return categoryColours[s.Preferred[j]%len(categoryColours)], s.fdr[j] <= r.Settings.FDR
	})
	for k, name := range r.Categories {
		y := y0 + k*28
		c.fill(image.Rect(x-1, y-1, x+19, y+19), faint)
		c.fill(image.Rect(x, y, x+18, y+18), categoryColours[k%len(categoryColours)])
		c.text(x+26, y+14, 0, 13, ink, fmt.Sprintf("%s  %d", short(name), s.Counts[k]))
	}
	c.text(left, y0+h+20, 0, 12, faint, "left is left, front is up, by the file's header; grey is the mean BOLD image")
	return c
}

// panel draws the first slice, subject's left on the left and front up, with the colours of some voxels over the mean.
func (d *dataset) panel(c *canvas, at image.Point, wide, high int, colour func(j int) (color.RGBA, bool)) {
	mean := make([]float64, d.x.Cols)
	for i := range d.x.Rows {
		for j, v := range d.x.Row(i) {
			mean[j] += float64(v) / float64(d.x.Rows)
		}
	}
	brightest := slices.Max(mean)
	c.fill(image.Rect(at.X, at.Y, at.X+d.shape[0]*wide, at.Y+d.shape[1]*high), color.RGBA{24, 25, 28, 255})
	for j, v := range d.voxel {
		if v%d.shape[2] != 0 {
			continue
		}
		x, y := v/d.shape[2]/d.shape[1], d.shape[1]-1-v/d.shape[2]%d.shape[1]
		if d.flipX {
			x = d.shape[0] - 1 - x
		}
		grey := uint8(40 + 130*mean[j]/brightest)
		of, shown := colour(j)
		if !shown {
			of = color.RGBA{grey, grey, grey, 255}
		}
		c.fill(image.Rect(at.X+x*wide, at.Y+y*high, at.X+(x+1)*wide, at.Y+(y+1)*high), of)
	}
}
