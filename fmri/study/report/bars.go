package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// bars draws one metric as bars per method with their intervals, grouped by subject, over the band that
// chance gives. What lies beyond the axis ends at its end; what is no number is named and not drawn.
func (p Page) bars(m Metric) template.HTML {
	const width, left, right, axis, row, barHeight = 620.0, 150.0, 64.0, 34.0, 24.0, 10.0
	lo, hi := 0.0, 1.0
	if !m.Percent {
		hi = 0.0001
		for _, s := range p.Scores {
			if s.Metric == m.Name && finite(s.Low, s.High) {
				hi, lo = max(hi, s.High), min(lo, s.Low)
			}
		}
		step := tickStep(hi - lo)
		lo, hi = step*math.Floor(lo/step), step*math.Ceil(hi/step)
	}
	x := func(v float64) float64 { return left + (width-left-right)*(max(lo, min(hi, v))-lo)/(hi-lo) }
	// Bands lie under the grid, and the grid under the bars.
	var bands, bars strings.Builder
	y := axis
	labelled := false
	for _, subject := range p.Subjects {
		fmt.Fprintf(&bars, `<text x="0" y="%.1f" class="head">%s</text>`, y+12, template.HTMLEscapeString(subject))
		y += 18
		for _, method := range p.Methods {
			s, ok := Find(p.Scores, subject, method, m.Name)
			if !ok {
				continue
			}
			if s.ChanceHigh > s.ChanceLow && finite(s.ChanceLow, s.ChanceHigh) {
				fmt.Fprintf(&bands, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="chance"><title>chance: %s – %s</title></rect>`,
					x(s.ChanceLow), y, x(s.ChanceHigh)-x(s.ChanceLow), row, m.Show(s.ChanceLow), m.Show(s.ChanceHigh))
				if !labelled {
					fmt.Fprintf(&bands, `<text x="%.1f" y="%.1f" class="tick band">chance</text>`, x((s.ChanceLow+s.ChanceHigh)/2), axis+12)
					labelled = true
				}
			}
			mid := y + row/2
			squeeze := ""
			if utf8.RuneCountInString(method) > 20 { // what has no room would end at the edge
				squeeze = fmt.Sprintf(` textLength="%.0f" lengthAdjust="spacingAndGlyphs"`, left-8)
			}
			fmt.Fprintf(&bars, `<text x="%.1f" y="%.1f" class="name"%s>%s</text>`, left-8, mid+4, squeeze,
				template.HTMLEscapeString(method))
			if finite(s.Value) {
				from, to := min(x(0), x(s.Value)), max(x(0), x(s.Value))
				fmt.Fprintf(&bars, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="bar"><title>%s</title></rect>`,
					from, mid-barHeight/2, to-from, barHeight, m.Show(s.Value))
			}
			if finite(s.Low, s.High) {
				fmt.Fprintf(&bars, `<path d="M%.1f %.1fH%.1fM%.1f %.1fv8M%.1f %.1fv8" class="whisker"/>`,
					x(s.Low), mid, x(s.High), x(s.Low), mid-4, x(s.High), mid-4)
			}
			fmt.Fprintf(&bars, `<text x="%.1f" y="%.1f">%s</text>`, width-right+12, mid+4, m.Show(s.Value))
			y += row
		}
		y += 8
	}
	return template.HTML(fmt.Sprintf(`<svg class="chart" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">%s%s%s</svg>`,
		width, y, template.HTMLEscapeString(m.Title), bands.String(), grid(m, lo, hi, x, axis, y), bars.String()))
}

// finite says whether all are numbers.
func finite(values ...float64) bool {
	for _, v := range values {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// grid draws the vertical lines and the numbers over them.
func grid(m Metric, lo, hi float64, x func(float64) float64, top, bottom float64) string {
	var b strings.Builder
	step := tickStep(hi - lo)
	for k := int(math.Round(lo / step)); float64(k)*step <= hi+1e-9; k++ {
		v := float64(k) * step
		label := strconv.FormatFloat(v, 'f', digits(step), 64)
		if m.Percent {
			label = fmt.Sprintf("%.0f %%", 100*v)
		}
		fmt.Fprintf(&b, `<path d="M%.1f %.1fV%.1f" class="grid"/><text x="%.1f" y="%.1f" class="tick">%s</text>`,
			x(v), top, bottom-8, x(v), top-10, label)
	}
	return b.String()
}

// digits is how many a step's multiples have after the point.
func digits(step float64) (n int) {
	for ; n < 9 && math.Abs(step-math.Round(step)) > 1e-6*step; n++ {
		step *= 10
	}
	return n
}

// tickStep is a round number of which a range holds about four.
func tickStep(span float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(span)))
	for _, f := range []float64{0.1, 0.25, 0.5} {
		if span <= 5*f*unit {
			return f * unit
		}
	}
	return unit
}
