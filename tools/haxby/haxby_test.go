package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri/ridge"
	"percept/fmri/series"
	"percept/tensor/linalg"
)

// simulated returns a subject of four categories in five runs on a 6×5×1 slice: voxels 0 … 5 tell categories apart, 6 … 11
// answer to every picture alike, the rest is noise. All noise is autocorrelated, with trends. strength 0 leaves noise alone.
func simulated(strength float64, seed uint64) (*dataset, []string) {
	r := rand.New(rand.NewPCG(seed, 1))
	names := []string{"cat", "face", "house", "shoe"}
	d := &dataset{shape: [3]int{6, 5, 1}, size: [3]float64{2, 3, 3}, flipX: true}
	var labels []string
	for run := range 5 {
		block := func(name string, n int) {
			for range n {
				labels, d.run = append(labels, name), append(d.run, run+3)
			}
		}
		block(rest, 5)
		for _, c := range r.Perm(4) {
			block(names[c], 6)
			block(rest, 5)
		}
	}
	for v := range 24 {
		d.voxel = append(d.voxel, v)
	}
	tuning := make([]float64, 4*6)
	for i := range tuning {
		tuning[i] = r.NormFloat64()
	}
	d.x = linalg.New[float32](len(labels), 24)
	for v := range 24 {
		noise, trend := 0.0, 0.0
		for i := range labels {
			if i == 0 || d.run[i] != d.run[i-1] {
				noise, trend = r.NormFloat64(), 0.3*r.NormFloat64()
			}
			noise = 0.4*noise + r.NormFloat64()
			response := 0.0
			if i > 1 && d.run[i-2] == d.run[i] && labels[i-2] != rest { // the response comes two volumes late
				switch c := slices.Index(names, labels[i-2]); {
				case v < 6:
					response = 1 + tuning[4*v+c]
				case v < 12:
					response = 1.5
				}
			}
			d.x.Row(i)[v] = float32(math.Round(1000 + 100*float64(v) + 20*(strength*response+noise+trend*float64(i%50)/10)))
		}
	}
	return d, labels
}

var quick = func() settings {
	c := published
	c.Permutations, c.Delay, c.Alphas, c.Lags = 99, 2, ridge.LogSpace(-1, 4, 6), 8
	return c
}()

// The whole command on files of a simulated subject finds what was planted, twice the same.
func TestCommand(t *testing.T) {
	d, labels := simulated(1, 1)
	folder := t.TempDir()
	writeData(t, folder, d, labels)
	var printed [2]bytes.Buffer
	var out [2]string
	for k := range out {
		out[k] = filepath.Join(t.TempDir(), "out")
		if err := run(context.Background(), []string{"--data", folder, "--out", out[k], "--permutations", "39"}, &printed[k],
			io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"results.json", "permutations.json", "voxels.tsv", "confusion.png", "encoding.png"} {
		a, err := os.ReadFile(filepath.Join(out[0], name))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(out[1], name)); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs between two runs: %v", name, err)
		}
		if strings.HasSuffix(name, ".png") {
			if _, err := png.Decode(bytes.NewReader(a)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if !strings.Contains(printed[0].String(), "245 volumes of 24 voxels, 5 runs, 20 blocks of 4 categories; chance 25.0 %") {
		t.Errorf("printed %s", printed[0].String())
	}
	back, err := read(folder)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(back.x.Data, d.x.Data) || back.size != d.size || !back.flipX || !slices.Equal(back.voxel, d.voxel) {
		t.Errorf("the data read are not those written: size %v, %d voxels", back.size, len(back.voxel))
	}
}

func TestFindsWhatIsPlanted(t *testing.T) {
	d, labels := simulated(1, 2)
	if err := d.setLabels(labels); err != nil {
		t.Fatal(err)
	}
	r, err := analyse(context.Background(), d, quick)
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range r.Decoding[:2] {
		if way.Accuracy < 0.6 || way.Null.P > 0.02 || !way.Null.Interval.Contains(0.25) || !way.Interval.Contains(way.Accuracy) {
			t.Errorf("%s: accuracy %.2f %v, p %.3f, null %v", way.Name, way.Accuracy, way.Interval, way.Null.P, way.Null.Interval)
		}
	}
	if r.SplitHalf.Accuracy < 0.8 || r.SplitHalf.Within < r.SplitHalf.Between {
		t.Errorf("odd and even runs: %+v", r.SplitHalf)
	}
	e, s := r.Encoding[0], r.Selectivity
	for v := range 24 {
		if v < 12 && e.fdr[v] > 0.05 {
			t.Errorf("voxel %d responds: r %.2f, q %.3f", v, e.R[v], e.fdr[v])
		}
		if s.main.P[v] > 0.05 && v < 6 {
			t.Errorf("voxel %d is selective: r %.2f, p %.3f", v, s.main.Observed[v], s.main.P[v])
		}
	}
	above := 0
	for v := 12; v < 24; v++ {
		if e.fdr[v] <= 0.05 {
			above++
		}
	}
	if above > 2 {
		t.Errorf("%d of 12 voxels of noise are within FDR 5 %%", above)
	}
}

// Where there is nothing, nothing is found: neither in accuracy nor in voxels.
func TestFindsNothingInNoise(t *testing.T) {
	d, labels := simulated(0, 3)
	if err := d.setLabels(labels); err != nil {
		t.Fatal(err)
	}
	r, err := analyse(context.Background(), d, quick)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.Decoding[0].Null; n.P < 0.01 {
		t.Errorf("noise is decoded: %.2f, p %.3f", r.Decoding[0].Accuracy, n.P)
	}
	if n := r.Encoding[0].Tests[3].FDR; n > 2 {
		t.Errorf("%d voxels of noise are predicted", n)
	}
	if n := r.Selectivity.Test.FDR; n > 2 {
		t.Errorf("%d voxels of noise are selective", n)
	}
}

func TestConstantVoxelIsRefused(t *testing.T) {
	d, labels := simulated(1, 6)
	if err := d.setLabels(labels); err != nil {
		t.Fatal(err)
	}
	for i, r := range d.run {
		if r == 4 {
			d.x.Row(i)[7] = 12
		}
	}
	if _, err := analyse(context.Background(), d, quick); err == nil ||
		!strings.Contains(err.Error(), "voxel 7 of the mask does not vary in run 4") {
		t.Errorf("%v, want an error that names voxel and run", err)
	}
}

// The run left out has no part in what it is decoded with: exchanging its labels changes no score of it.
func TestTestRunIsLeftOut(t *testing.T) {
	d, labels := simulated(1, 4)
	if err := d.setLabels(labels); err != nil {
		t.Fatal(err)
	}
	c := quick
	c.progress = func(string) {}
	a := &analysis{dataset: d, settings: c, z: d.x}
	a.runs, _ = series.Runs(d.run)
	for _, b := range d.blocks {
		a.ofBlock.label, a.ofBlock.run = append(a.ofBlock.label, b.Label), append(a.ofBlock.run, b.Run)
	}
	s, err := a.averages(d.x, c.Delay)
	if err != nil {
		t.Fatal(err)
	}
	truth := slices.Clone(a.ofBlock.label)
	swapped := slices.Clone(truth)
	slices.Reverse(swapped[:4])
	before, err := a.decodeLabels(context.Background(), s, [][]int{truth}, true)
	if err != nil {
		t.Fatal(err)
	}
	after, err := a.decodeLabels(context.Background(), s, [][]int{swapped}, true)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(before.predicted.Data[:16], after.predicted.Data[:16]) {
		t.Error("the scores of the first run depend on its own labels")
	}
	if slices.Equal(before.predicted.Data[16:], after.predicted.Data[16:]) {
		t.Error("the scores of the other runs do not depend on the first run's labels")
	}
}

func TestRejects(t *testing.T) {
	d, labels := simulated(1, 5)
	good := t.TempDir()
	writeData(t, good, d, labels)
	for _, c := range []struct {
		what, want string
		spoil      func(folder string, d *dataset, labels []string) []string
	}{
		{"a label less", "labels of 244 volumes, expected 245", func(_ string, _ *dataset, l []string) []string { return l[:244] }},
		{"a category missing", "0 times, expected once", func(_ string, _ *dataset, l []string) []string {
			return slices.Concat(slices.Repeat([]string{rest}, 20), l[20:])
		}},
		{"no voxel", "no voxel in the mask", func(_ string, d *dataset, l []string) []string { d.voxel = nil; return l }},
		{"three fields", "expected a category and a run", func(_ string, _ *dataset, l []string) []string { l[3] = "a b"; return l }},
	} {
		folder := t.TempDir()
		spoilt := *d
		l := c.spoil(folder, &spoilt, slices.Clone(labels))
		writeData(t, folder, &spoilt, l)
		if _, err := read(folder); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), folder) {
			t.Errorf("%s: %v, want an error with %q and the file", c.what, err, c.want)
		}
	}
	if _, err := read(t.TempDir()); err == nil {
		t.Error("an empty folder is read")
	}
	for _, args := range [][]string{nil, {"--data", good}, {"--data", good, "--out", "x", "--permutations", "0"}, {"--nonsense"},
		{"--data", good, "--out", "x", "more"}} {
		if err := run(context.Background(), args, io.Discard, io.Discard); err != errUsage {
			t.Errorf("%v: %v, want an error of usage", args, err)
		}
	}
}

// writeData writes a subject in the layout of PyMVPA's example: NIfTI-1 of int16, and a line for each volume.
func writeData(t *testing.T, folder string, d *dataset, labels []string) {
	t.Helper()
	n := d.shape[0] * d.shape[1] * d.shape[2]
	bold, mask := make([]int16, n*d.x.Rows), make([]int16, n)
	for j, v := range d.voxel {
		// NIfTI's first index runs fastest.
		x, y, z := v/d.shape[2]/d.shape[1], v/d.shape[2]%d.shape[1], v%d.shape[2]
		at := x + d.shape[0]*(y+d.shape[1]*z)
		mask[at] = 1
		for i := range d.x.Rows {
			bold[i*n+at] = int16(d.x.Row(i)[j])
		}
	}
	writeNIfTI(t, filepath.Join(folder, "bold.nii.gz"), append(d.shape[:], d.x.Rows), d.size, bold)
	writeNIfTI(t, filepath.Join(folder, "mask.nii.gz"), d.shape[:], d.size, mask)
	var b strings.Builder
	for i, l := range labels {
		fmt.Fprintln(&b, l, d.run[i])
	}
	if err := os.WriteFile(filepath.Join(folder, "attributes_literal.txt"), []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

func writeNIfTI(t *testing.T, path string, dims []int, size [3]float64, data []int16) {
	t.Helper()
	h := make([]byte, 352)
	le := binary.LittleEndian
	le.PutUint32(h, 348)
	le.PutUint16(h[40:], uint16(len(dims)))
	for i := range 7 {
		le.PutUint16(h[42+2*i:], 1)
		le.PutUint32(h[80+4*i:], math.Float32bits(1))
	}
	for i, d := range dims {
		le.PutUint16(h[42+2*i:], uint16(d))
	}
	le.PutUint16(h[70:], 4)  // int16
	le.PutUint16(h[72:], 16) // bits
	le.PutUint32(h[108:], math.Float32bits(352))
	le.PutUint16(h[254:], 1) // sform: x counts to the left
	for k, v := range size {
		if k == 0 {
			v = -v
		}
		le.PutUint32(h[280+16*k+4*k:], math.Float32bits(float32(v)))
	}
	copy(h[344:], "n+1\x00")
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(h)
	binary.Write(z, le, data)
	z.Close()
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
