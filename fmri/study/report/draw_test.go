package report

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/diagnose"
	"percept/fmri/fit"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// Every diagnosis can be drawn, also of features that do not vary, and twice with the same bytes.
func TestDrawDiagnosis(t *testing.T) {
	truth := linalg.Of([]float32{1, 2, 3, 1, 5, 5}, 3, 2)
	flat := linalg.Of(make([]float32, 6), 3, 2)
	two := linalg.Of(truth.Data[:4], 2, 2)
	tableOf := func(m linalg.Matrix[float32], images ...fmri.ImageID) *table.Table {
		x, err := table.New("features", m, table.Rows{Images: images}, table.Columns{})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	rows, none := tableOf(truth, 70, 71, 72), tableOf(linalg.New[float32](1, 2), 70)
	for name, c := range map[string]struct {
		truth, decoded linalg.Matrix[float32]
		train          *table.Table
	}{
		"itself": {truth, truth, rows}, "nothing decoded": {truth, flat, rows}, "nothing to decode": {flat, truth,
			nil}, "nothing at all": {flat, flat, none}, "two images": {two, two, nil},
	} {
		d, err := diagnose.Compare(t.Context(), tableOf(c.truth), tableOf(c.decoded), diagnose.Options{Train: c.train})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		of := fit.Summary{Penalties: []fit.Penalty{{Alpha: 1}, {Alpha: 1e5, Targets: 2}}, High: 1, Flat: 1}
		m := drawn(t, d, of)
		if again := drawn(t, d, of); !bytes.Equal(again.Pix, m.Pix) {
			t.Errorf("%s: drawn again, other pixels", name)
		}
		if name == "itself" {
			drawn(t, d, fit.Summary{})
			drawn(t, d, fit.Summary{Penalties: of.Penalties[1:]})
		}
	}
	d := &diagnose.Diagnosis{Images: 2, Targets: 2} // correlations of two targets are 1 and −1, up to rounding
	for _, v := range []float64{-1, 1, math.Nextafter(1, 0)} {
		d.PerImage = append(d.PerImage, diagnose.ImageDiagnosis{Centred: v})
	}
	drawn(t, d, fit.Summary{})
	for _, d := range []*diagnose.Diagnosis{nil, {}} {
		if _, err := DrawDiagnosis(d, fit.Summary{}, Decoded); err == nil || !strings.Contains(err.Error(), "no images") {
			t.Errorf("a diagnosis of nothing: error %v", err)
		}
	}
}

// drawn is the picture of a diagnosis, of which nothing may lie at its border: what does is cut off.
func drawn(t *testing.T, d *diagnose.Diagnosis, of fit.Summary) *image.RGBA {
	t.Helper()
	b, err := DrawDiagnosis(d, of, Decoded)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	rgba := image.NewRGBA(m.Bounds())
	draw.Draw(rgba, rgba.Rect, m, image.Point{}, draw.Src)
	if got := rgba.Rect.Size(); got != image.Pt(1320, 960) {
		t.Fatalf("picture of %v, want 1320×960", got)
	}
	const border = 8
	inside := rgba.Rect.Inset(border)
	if n := count(rgba, rgba.Rect, white) - count(rgba, inside, white); n != 1320*960-inside.Dx()*inside.Dy() {
		t.Errorf("something lies within %d pixels of the edge", border)
	}
	return rgba
}

// count is how many pixels of part of a picture have a colour.
func count(m *image.RGBA, part image.Rectangle, c color.RGBA) (n int) {
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if m.RGBAAt(x, y) == c {
				n++
			}
		}
	}
	return n
}

// column is the topmost and lowest pixel of a colour in a column of pixels; -1 if it has none.
func column(m *image.RGBA, x int, part image.Rectangle, c color.RGBA) (top, bottom int) {
	top, bottom = -1, -1
	for y := part.Min.Y; y < part.Max.Y; y++ {
		if m.RGBAAt(x, y) == c {
			if top < 0 {
				top = y
			}
			bottom = y
		}
	}
	return top, bottom
}

var white = color.RGBA{255, 255, 255, 255}

// The four panels, in the order in which they are described.
var quarters = [4]image.Rectangle{image.Rect(0, 0, 660, 480), image.Rect(660, 0, 1320, 480), image.Rect(0, 480, 660, 960),
	image.Rect(660, 480, 1320, 960)}

// large is a diagnosis of many images and targets, with the widest titles that real ones have.
func large() *diagnose.Diagnosis {
	d := &diagnose.Diagnosis{Images: 982, Targets: 59136, Flat: 768, Nearest: &diagnose.Nearest{Train: 24980, Nearer: 491}}
	for i := range 200 {
		v := float64(i)/100 - 1
		d.PerImage = append(d.PerImage, diagnose.ImageDiagnosis{Pattern: v, Centred: v, Similarity: -v, Closer: max(0, 100-i)})
	}
	d.Dimension.True = diagnose.Spectrum{Singular: []float64{1e6, 1e5, 1e4}, Participation: 812.3}
	d.Dimension.Decoded = diagnose.Spectrum{Singular: []float64{1e5, 1e4}, Participation: 23.4}
	return d
}

func TestDrawDiagnosisPutsThingsIntoTheirPanels(t *testing.T) {
	d := large()
	m := drawn(t, d, fit.Summary{Penalties: []fit.Penalty{{Alpha: 1, Targets: 100}, {Alpha: 10}, {Alpha: 100, Targets: 50}}})
	// Spectra: grey and blue lines, and blue begins lower.
	spectra := quarters[0].Inset(60)
	greyTop, blueTop := 1000, 1000
	for x := spectra.Min.X; x < spectra.Max.X-130; x++ { // beside the legend
		if top, _ := column(m, x, spectra, grey); top >= 0 {
			greyTop = min(greyTop, top)
		}
		if top, _ := column(m, x, spectra, blue); top >= 0 {
			blueTop = min(blueTop, top)
		}
	}
	if greyTop >= blueTop || blueTop == 1000 {
		t.Errorf("spectra begin at %d (true) and %d (decoded), expected the true one higher", greyTop, blueTop)
	}
	// Penalties: two bars, the first twice as high as the last, standing on one line, and none between.
	heights := map[int]int{}
	for x := quarters[1].Min.X; x < quarters[1].Max.X; x++ {
		if top, bottom := column(m, x, quarters[1], blue); top >= 0 {
			heights[bottom-top+1]++
		}
	}
	most, least := 0, 1000
	for h, columns := range heights {
		if columns > 10 {
			most, least = max(most, h), min(least, h)
		}
	}
	if most < 250 || math.Abs(float64(most)/float64(least)-2) > 0.02 {
		t.Errorf("bars are %d and %d pixels high, expected the first twice the last", most, least)
	}
	if n := count(m, image.Rect(940, 100, 1040, 380), blue); n != 0 {
		t.Errorf("%d pixels of a bar over a penalty that no target chose", n)
	}
	// Images: those nearer to a training image in orange, the others in blue, on both sides of the line of equal correlations.
	if a, b := count(m, quarters[2], orange), count(m, quarters[2], blue); a < 500 || b < 500 {
		t.Errorf("%d orange and %d blue pixels of images", a, b)
	}
	// Patterns: as many in each bin.
	patterns := image.Rect(780, 540, 1250, 870)
	tops := map[int]int{}
	for x := patterns.Min.X; x < patterns.Max.X; x++ {
		if top, _ := column(m, x, patterns, blue); top >= 0 {
			tops[top]++
		}
	}
	if len(tops) != 1 {
		t.Errorf("bins of 10 images each are of different heights: %v", tops)
	}
	for i, q := range quarters {
		if i != 2 && count(m, q, orange) > 0 {
			t.Errorf("panel %d has orange in it", i)
		}
	}
	d.Nearest = nil
	if m := drawn(t, d, fit.Summary{}); count(m, quarters[2], orange)+count(m, quarters[2], blue)+count(m, quarters[1], blue) > 0 {
		t.Error("drew images without their nearest ones, or penalties of no fit")
	}
}

// A title that has no room is made smaller: it neither leaves the picture nor reaches into the panel beside it.
func TestDrawDiagnosisFitsTitles(t *testing.T) {
	for _, of := range []fit.Summary{
		{Low: 12345, High: 23456, Flat: 768},
		{Low: 123456789012, High: 123456789012, Flat: 123456789012,
			Penalties: []fit.Penalty{{Alpha: 1e-300, Targets: 5}, {Alpha: 1e300, Targets: 6}}},
	} {
		m := drawn(t, large(), of)
		gap, widest := 0, 0
		for x := 600; x < 700; x++ {
			gap++
			if count(m, image.Rect(x, 0, x+1, 960), white) < 960 {
				gap = 0
			}
			widest = max(widest, gap)
		}
		if widest < 20 {
			t.Errorf("%+v: %d empty columns of pixels between the panels, expected 20 or more: a title reaches over", of, widest)
		}
	}
}

// Counts have whole numbers at their axis, however small they are, and what gonum draws where that is whole.
func TestWholeTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		want   string
	}{{0, 1, "0 1"}, {0, 3, "0 1 2 3"}, {0, 5, "0 1 2 3 4 5"}, {0, 9, ""}, {0, 7, "0 3 6"}, {0, 10, ""}, {0, 400, "0 200 400"}, {1, 40, ""},
		{0.5, 2.5, "1 2"}, {0, 59136, "0 25000 50000"}, {0, 123456789, ""}} {
		var labels []string
		for _, tick := range (wholeTicks{}).Ticks(c.lo, c.hi) {
			if tick.IsMinor() {
				continue
			}
			v, err := strconv.ParseFloat(tick.Label, 64)
			if err != nil || v != math.Trunc(v) || math.Abs(v-tick.Value) > 1e-9 || strings.Contains(tick.Label, ".") || v < c.lo || v > c.hi {
				t.Errorf("%g to %g: %q at %g, expected a whole number", c.lo, c.hi, tick.Label, tick.Value)
			}
			labels = append(labels, tick.Label)
		}
		if got := strings.Join(labels, " "); len(labels) < 2 || len(labels) > 7 || c.want != "" && got != c.want {
			t.Errorf("%g to %g: %s, want %s", c.lo, c.hi, got, c.want)
		}
	}
}

// What the predictions are called changes the words, and nothing else.
func TestDrawDiagnosisSaysWhatWasMade(t *testing.T) {
	pictures := map[Made]*image.RGBA{}
	for _, made := range []Made{Decoded, Predicted} {
		b, err := DrawDiagnosis(large(), fit.Summary{}, made)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		rgba := image.NewRGBA(m.Bounds())
		draw.Draw(rgba, rgba.Rect, m, image.Point{}, draw.Src)
		pictures[made] = rgba
	}
	for i, q := range quarters {
		same := true
		for y := q.Min.Y; y < q.Max.Y; y++ {
			for x := q.Min.X; x < q.Max.X; x++ {
				same = same && pictures[Decoded].RGBAAt(x, y) == pictures[Predicted].RGBAAt(x, y)
			}
		}
		if same != (i > 0) {
			t.Errorf("panel %d is the same: %v", i, same)
		}
	}
}
