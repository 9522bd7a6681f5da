package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"percept/fmri/diagnose"
	"percept/fmri/fit"
)

// Colours as in the page, told apart by all readers.
var (
	blue   = color.RGBA{0x3c, 0x6e, 0x91, 0xff}
	orange = color.RGBA{0xd9, 0x82, 0x2b, 0xff}
	grey   = color.RGBA{0x6b, 0x6b, 0x74, 0xff}
)

// drawing is a diagnosis that is being drawn.
type drawing struct {
	*diagnose.Diagnosis
	fit  fit.Summary
	made Made
}

// DrawDiagnosis draws a diagnosis as a PNG of 1320×960 pixels with four panels: spectra; penalties; each image against its nearest
// training image; patterns about the mean. made is the word for the predictions. The same diagnosis gives the same bytes.
func DrawDiagnosis(d *diagnose.Diagnosis, of fit.Summary, made Made) ([]byte, error) {
	if d == nil || len(d.PerImage) == 0 {
		return nil, errors.New("the diagnosis has no images in it, expected some to draw")
	}
	r := drawing{d, of, made}
	const width, height = 11 * vg.Inch, 8 * vg.Inch
	panels := [][]*plot.Plot{{nil, nil}, {nil, nil}}
	for i, make := range []func() (*plot.Plot, error){r.spectra, r.penalties, r.images, r.patterns} {
		p, err := make()
		if err != nil {
			return nil, err
		}
		panels[i/2][i%2] = p
	}
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(120), vgimg.UseBackgroundColor(color.White))
	page := draw.New(canvas)
	tiles := draw.Tiles{Rows: 2, Cols: 2, PadX: 24, PadY: 24, PadTop: 12, PadBottom: 12, PadLeft: 12, PadRight: 24}
	for i, row := range plot.Align(panels, tiles, page) {
		for j := range row {
			panels[i][j].Draw(row[j])
		}
	}
	var b bytes.Buffer
	_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(&b)
	return b.Bytes(), err
}

// titleWidth is room for a title over a panel: a longer one would reach into the next panel or over the edge.
const titleWidth = 375 * vg.Length(1)

func panel(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	for p.Title.TextStyle.Width(title) > titleWidth {
		p.Title.TextStyle.Font.Size *= 0.95
	}
	p.Title.Padding = 6
	p.Legend.Top = true
	p.Legend.Padding = 2
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{0xe4}, color.Gray{0xe4}
	p.Add(grid)
	return p
}

// wholeTicks are the ticks of an axis of counts: those that gonum draws, unless they would be fractions, in whole numbers.
type wholeTicks struct{}

func (wholeTicks) Ticks(lo, hi float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(lo, hi)
	for i, t := range ticks {
		switch {
		case t.IsMinor():
		case t.Value != math.Trunc(t.Value):
			return unitTicks(lo, hi)
		default:
			ticks[i].Label = fmt.Sprintf("%.0f", t.Value)
		}
	}
	return ticks
}

// unitTicks are at whole numbers of an axis so short that gonum would halve them.
func unitTicks(lo, hi float64) (ticks []plot.Tick) {
	step := max(1, math.Ceil((hi-lo)/5))
	for v := step * math.Ceil(lo/step); v <= hi; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.0f", v)})
	}
	return ticks
}

// spectra draws the singular values of truth and prediction on a logarithmic axis.
func (r drawing) spectra() (*plot.Plot, error) {
	d := r.Dimension
	p := panel(fmt.Sprintf("Dimension: %.1f %s, %.1f true", d.Decoded.Participation, r.made, d.True.Participation), "component",
		"singular value")
	p.X.Tick.Marker = wholeTicks{}
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: 0}
	top := 0.0
	for _, s := range [][]float64{d.True.Singular, d.Decoded.Singular} {
		if len(s) > 0 {
			top = max(top, s[0])
		}
	}
	top = cmp.Or(top, 1)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 2, top/10, 2*top
	for _, s := range []struct {
		name   string
		values []float64
		colour color.Color
	}{{"true", d.True.Singular, grey}, {string(r.made), d.Decoded.Singular, blue}} {
		var at plotter.XYs
		for i, v := range s.values {
			if v > 1e-4*top {
				at = append(at, plotter.XY{X: float64(i + 1), Y: v})
			}
		}
		if len(at) == 0 {
			continue
		}
		line, err := plotter.NewLine(at)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = s.colour, vg.Points(2)
		p.Add(line)
		p.Legend.Add(s.name, line)
	}
	return p, nil
}

// penalties draws how many targets chose each.
func (r drawing) penalties() (*plot.Plot, error) {
	title := "Penalties, none at an edge"
	if r.fit.Low+r.fit.High > 0 {
		title = fmt.Sprintf("Penalties: %d at the smallest, %d at the largest", r.fit.Low, r.fit.High)
	}
	if r.fit.Flat > 0 {
		title += fmt.Sprintf(" (%d targets do not vary)", r.fit.Flat)
	}
	p := panel(title, "penalty", "targets")
	p.Y.Tick.Marker = wholeTicks{}
	if len(r.fit.Penalties) == 0 {
		return p, nil
	}
	var counts plotter.Values
	names := make([]string, len(r.fit.Penalties))
	every := (len(names) + 7) / 8
	for i, a := range r.fit.Penalties {
		counts = append(counts, float64(a.Targets))
		if i%every == 0 {
			names[i] = strings.Replace(fmt.Sprintf("%.2g", a.Alpha), "e+0", "e", 1)
		}
	}
	bars, err := plotter.NewBarChart(counts, vg.Points(min(24, 260/float64(len(counts)))))
	if err != nil {
		return nil, err
	}
	bars.Color, bars.LineStyle.Width = blue, 0
	p.Add(bars)
	p.NominalX(names...)
	p.Y.Min = 0
	return p, nil
}

// images draws each image's correlation with the truth against that with its nearest training image.
func (r drawing) images() (*plot.Plot, error) {
	n := r.Nearest
	if n == nil {
		p := panel("Nearest training image: not known", "", "")
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
		return p, nil
	}
	p := panel(fmt.Sprintf("%d of %d images are nearer to a training image", n.Nearer, r.Images),
		"correlation with the truth", "with the nearest training image")
	var near, own plotter.XYs
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, i := range r.PerImage {
		at := plotter.XY{X: i.Pattern, Y: i.Similarity}
		lo, hi = min(lo, at.X, at.Y), max(hi, at.X, at.Y)
		if i.Closer > 0 {
			near = append(near, at)
		} else {
			own = append(own, at)
		}
	}
	same, err := plotter.NewLine(plotter.XYs{{X: lo, Y: lo}, {X: hi, Y: hi}})
	if err != nil {
		return nil, err
	}
	same.Color = grey
	p.Add(same)
	for _, g := range []struct {
		name   string
		at     plotter.XYs
		colour color.Color
	}{{"nearer to it", near, orange}, {"nearer to the truth", own, blue}} {
		if len(g.at) == 0 {
			continue
		}
		s, err := plotter.NewScatter(g.at)
		if err != nil {
			return nil, err
		}
		s.GlyphStyle = draw.GlyphStyle{Color: g.colour, Radius: vg.Points(2), Shape: draw.CircleGlyph{}}
		p.Add(s)
		p.Legend.Add(g.name, s)
	}
	p.Legend.Top, p.Legend.Left = false, false
	return p, nil
}

// patterns draws the distribution of the images' pattern correlations about the mean pattern.
func (r drawing) patterns() (*plot.Plot, error) {
	p := panel(fmt.Sprintf("Patterns about the mean: r = %.3f; targets: r = %.3f", r.Centred.Mean, r.Target.Mean),
		"pattern correlation of an image", "images")
	p.Y.Tick.Marker = wholeTicks{}
	values := make(plotter.Values, len(r.PerImage))
	for i, v := range r.PerImage {
		// NewHist ends the program where a value lies less than rounding below the largest, as correlations of two targets do.
		values[i] = math.Round(v.Centred*1e9) / 1e9
	}
	h, err := plotter.NewHist(values, 20)
	if err != nil {
		return nil, err
	}
	h.FillColor, h.LineStyle.Color = blue, color.White
	p.Add(h)
	return p, nil
}
