// Package report turns the pictures and scores of a run into things to look at: a contact sheet,
// one self-contained HTML page, and the picture of a diagnosis.
//
//	Sheet.Draw       rows of pictures under their columns ──► picture
//	Page.Write       scores, diagnoses, pictures, facts ──► HTML; every picture is inside the file, text is escaped
//	DrawDiagnosis    what decoded features are worth ──► PNG of four panels
//
// The same content gives the same bytes.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Score is one number of the result table, in the unit of its metric; shares are between 0 and 1.
type Score struct {
	Subject   string  `json:"subject"`
	Method    string  `json:"method"`
	Metric    string  `json:"metric"` // the name of a Metric
	Value     float64 `json:"value"`
	Low       float64 `json:"low"`  // 95 % interval over images
	High      float64 `json:"high"` //
	ChanceLow float64 `json:"chance_low,omitempty"`
	// ChanceHigh and ChanceLow bound 95 % of what shuffled pairs give; both 0 where a metric has no chance level.
	ChanceHigh float64 `json:"chance_high,omitempty"`
	N          int     `json:"n"` // images
}

// Metric says how a metric is shown.
type Metric struct {
	Name    string // that scores name it by
	Title   string // head of its column on the page
	Short   string // head of its column on a terminal
	Explain string // one sentence
	Percent bool   // a share, shown in percent, whose axis is from 0 to 100 %
}

// Fact is one line of the page's account of how the numbers were made.
type Fact struct{ Name, Value string }

// Page is the content of the HTML report.
type Page struct {
	Title    string
	Summary  string
	Methods  []string          // rows of each subject's table
	Explain  map[string]string // method → one sentence
	Metrics  []Metric          // columns of the tables
	Subjects []string          // a table each
	Scores   []Score           // cells; one that is not there is left empty
	Columns  []string          // of the gallery
	Rows     []PageRow

	DiagnosisColumns []Column
	Diagnoses        []Diagnosis
	Facts            []Fact
}

// PageRow is one test image in the gallery.
type PageRow struct {
	Subject string
	Label   string        // under the pictures
	Images  []image.Image // one for each column; a nil picture leaves its place empty
}

//go:embed page.html
var pageHTML string

// Write renders the page; every picture is inside the file.
func (p Page) Write() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"png":      dataURI,
		"score":    p.score,
		"show":     Metric.Show,
		"bar":      p.bars,
		"interval": interval,
		"spectrum": spectra,
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}

// Find returns the score of one cell.
func Find(scores []Score, subject, method, metric string) (Score, bool) {
	for _, s := range scores {
		if s.Subject == subject && s.Method == method && s.Metric == metric {
			return s, true
		}
	}
	return Score{}, false
}

func (p Page) score(subject, method, metric string) *Score {
	if s, ok := Find(p.Scores, subject, method, metric); ok {
		return &s
	}
	return nil
}

// interval prints two bounds with their unit once.
func interval(m Metric, low, high float64) string {
	return strings.TrimSuffix(m.Show(low), " %") + " – " + m.Show(high)
}

// Show prints a value as the metric wants it.
func (m Metric) Show(v float64) string {
	if m.Percent {
		return fmt.Sprintf("%.1f %%", 100*v)
	}
	return fmt.Sprintf("%.3f", v)
}

func dataURI(m image.Image) (template.URL, error) {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

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
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">%s%s%s</svg>`,
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
		label := strconv.FormatFloat(v, 'f', 2, 64)
		if m.Percent {
			label = fmt.Sprintf("%.0f %%", 100*v)
		}
		fmt.Fprintf(&b, `<path d="M%.1f %.1fV%.1f" class="grid"/><text x="%.1f" y="%.1f" class="tick">%s</text>`,
			x(v), top, bottom-8, x(v), top-10, label)
	}
	return b.String()
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
