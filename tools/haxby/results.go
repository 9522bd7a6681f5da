package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// results are written to results.json; voxels.tsv and permutations.json have what is long.
type results struct {
	Settings                      settings
	Categories                    []string
	Volumes, Voxels, Runs, Blocks int

	Decoding    []*decoding // the first is the main one
	SplitHalf   splitHalf
	Encoding    []*encoding // the first is the main one
	Selectivity *selectivity

	permutations struct {
		Blocks     [][]int // [permutations][blocks]: which block's label each block gets
		TimeBlocks [][]int // [permutations][blocks of volumes] orders
		Shifts     [][]int // [permutations][runs] by how many volumes
	}
}

func (r *results) write(folder string) error {
	for name, v := range map[string]any{"results.json": r, "permutations.json": r.permutations} {
		err := writeFile(filepath.Join(folder, name), func(w io.Writer) error {
			e := json.NewEncoder(w)
			if name == "results.json" {
				e.SetIndent("", " ")
			}
			return e.Encode(v)
		})
		if err != nil {
			return err
		}
	}
	return writeFile(filepath.Join(folder, "voxels.tsv"), func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(r.voxelTable(), "\n")+"\n")
		return err
	})
}

// voxelTable has a line for each voxel of the mask.
func (r *results) voxelTable() []string {
	e, s := r.Encoding[0], r.Selectivity
	lines := []string{strings.ReplaceAll("voxel r samples p_independent p_effective p_blocks p_shifts q_shifts block_r block_p block_q "+
		"ceiling preferred", " ", "\t")}
	for j := range e.R {
		lines = append(lines, fmt.Sprintf("%d\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%.12g\t%s",
			j, e.R[j], e.Samples[j], e.Tests[0].p[j], e.Tests[1].p[j], e.Tests[2].p[j], e.Tests[3].p[j], e.fdr[j],
			s.main.Observed[j], s.main.P[j], s.fdr[j], s.Ceiling[j], r.Categories[s.Preferred[j]]))
	}
	return lines
}

// print writes what docs/haxby.md shows.
func (r *results) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d volumes of %d voxels, %d runs, %d blocks of %d categories; chance %.1f %%\n\n",
		r.Volumes, r.Voxels, r.Runs, r.Blocks, len(r.Categories), 100/float64(len(r.Categories)))
	for _, d := range r.Decoding {
		fmt.Fprintf(&b, "%-52s %5.1f %% [%.1f, %.1f]  bootstrap [%.1f, %.1f]  penalties %.3g to %.3g, %d at an end\n", d.Name,
			100*d.Accuracy, 100*d.Interval.Low, 100*d.Interval.High, 100*d.Bootstrap.Low, 100*d.Bootstrap.High,
			minimum(d.Alphas), maximum(d.Alphas), d.Edges)
		if n := d.Null; n != nil {
			fmt.Fprintf(&b, "    %d permutations: mean %.1f %%, 95 %% [%.1f, %.1f], p = %.3g\n", n.Permutations, 100*n.Mean,
				100*n.Interval.Low, 100*n.Interval.High, n.P)
			for k, row := range d.Confusion {
				fmt.Fprintf(&b, "    %-14s%4d\n", r.Categories[k], row)
			}
		}
	}
	h := r.SplitHalf
	fmt.Fprintf(&b, "\nodd and even runs: %.1f %% of choices of two, p = %.2g; r %.3f within and %.3f between categories\n", 100*h.Accuracy,
		h.P, h.Within, h.Between)
	for _, e := range r.Encoding {
		fmt.Fprintf(&b, "\nencoding with delays %v: mean r %.3f, largest %.3f; %.0f effective volumes; %d penalties at an end\n", e.Delays,
			e.MeanR, e.LargestR, e.MeanSamples, e.Edges)
		for _, t := range e.Tests {
			t.print(&b)
		}
	}
	s := r.Selectivity
	fmt.Fprintf(&b, "\nselectivity, block averages from their category: mean r %.3f, largest %.3f\n", s.MeanR, s.LargestR)
	s.Test.print(&b)
	fmt.Fprintf(&b, "    %d of them within FDR 5 %% for any dependence; mean r %.3f, ceiling %.3f; ", s.FDRDependent, s.MeanRSelected,
		s.CeilingSelected)
	fmt.Fprintf(&b, "%.0f %% of what can be explained\n    preferring:", 100*s.Explained)
	for k, n := range s.Counts {
		fmt.Fprintf(&b, " %s %d", r.Categories[k], n)
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (t test) print(b *strings.Builder) {
	fmt.Fprintf(b, "    %-50s %4d voxels at p ≤ 0.05, %4d within FDR 5 %%", t.Name, t.Uncorrected, t.FDR)
	if t.FWE >= 0 {
		fmt.Fprintf(b, ", %4d within FWE 5 %%", t.FWE)
	}
	b.WriteString("\n")
}

func minimum(v []float64) float64 {
	m := v[0]
	for _, x := range v {
		m = min(m, x)
	}
	return m
}

func maximum(v []float64) float64 {
	m := v[0]
	for _, x := range v {
		m = max(m, x)
	}
	return m
}
