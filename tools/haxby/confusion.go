package main

import (
	"fmt"
	"image"
	"image/color"
)

// drawConfusion draws which category was decoded for each that was shown, from block averages and from single volumes.
func drawConfusion(r *results) image.Image {
	const cell, left, top, gap = 50, 112, 96, 46
	n := len(r.Categories)
	c := newCanvas(left+2*n*cell+gap+20, top+n*cell+44)
	for k, d := range r.Decoding[:2] {
		x0 := left + k*(n*cell+gap)
		c.text(x0+n*cell/2, 30, 0.5, 17, ink, fmt.Sprintf("%s: %.1f %%", d.Name, 100*d.Accuracy))
		c.text(x0+n*cell/2, 50, 0.5, 13, faint, fmt.Sprintf("95 %% [%.1f, %.1f] over runs; chance %.1f %%, permutations [%.1f, %.1f]",
			100*d.Interval.Low, 100*d.Interval.High, 100/float64(n), 100*d.Null.Interval.Low, 100*d.Null.Interval.High))
		for j, name := range r.Categories {
			c.text(x0+j*cell+cell/2, top-10, 0.5, 12, ink, short(name))
			if k == 0 {
				c.text(left-10, top+j*cell+cell/2+5, 1, 13, ink, short(name))
			}
		}
		for i, row := range d.Confusion {
			shown := 0
			for _, count := range row {
				shown += count
			}
			for j, count := range row {
				part := float64(count) / float64(max(1, shown))
				at := image.Rect(x0+j*cell, top+i*cell, x0+(j+1)*cell-1, top+(i+1)*cell-1)
				c.fill(at, blues.at(part))
				var of color.Color = ink
				if part > 0.55 {
					of = paper
				}
				if count > 0 {
					c.text(x0+j*cell+cell/2, top+i*cell+cell/2+5, 0.5, 14, of, fmt.Sprint(count))
				}
			}
		}
		c.text(x0+n*cell/2, top+n*cell+26, 0.5, 13, faint, fmt.Sprintf("decoded (rows: shown, %d each)", total(d.Confusion)/n))
	}
	return c
}

func total(m [][]int) int {
	sum := 0
	for _, row := range m {
		for _, v := range row {
			sum += v
		}
	}
	return sum
}

// short is a category's name where there is little room.
func short(name string) string {
	if name == "scrambledpix" {
		return "scrambl."
	}
	return name
}
