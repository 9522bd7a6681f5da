// Package report turns the pictures and scores of a run into things to look at: a contact sheet
// and one self-contained HTML page.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"strings"
)

// Score is one number of the result table.
type Score struct {
	Subject   string  `json:"subject"`
	Method    string  `json:"method"`
	Metric    string  `json:"metric"`
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
	Name    string
	Title   string
	Short   string // head of its column on a terminal
	Explain string
	Percent bool
}

// Fact is one line of the page's account of how the numbers were made.
type Fact struct{ Name, Value string }

// Page is the content of the HTML report.
type Page struct {
	Title    string
	Summary  string
	Methods  []string
	Explain  map[string]string // method → one sentence
	Metrics  []Metric
	Subjects []string
	Scores   []Score
	Columns  []string
	Rows     []PageRow
	Facts    []Fact
}

// PageRow is one test image in the gallery.
type PageRow struct {
	Subject string
	Label   string
	Images  []image.Image
}

//go:embed page.html
var pageHTML string

// Write renders the page; every picture is inside the file.
func (p Page) Write() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"png":   dataURI,
		"score": p.score,
		"show":  show,
		"bar":   p.bars,
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
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

func show(m Metric, v float64) string { return m.Show(v) }

// Show prints a value as the metric wants it.
func (m Metric) Show(v float64) string {
	if m.Percent {
		return fmt.Sprintf("%.1f %%", 100*v)
	}
	return fmt.Sprintf("%.3f", v)
}

func dataURI(m image.Image) (template.URL, error) {
	if m == nil {
		return "", nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}

// bars draws one metric as bars per method with their intervals, grouped by subject.
func (p Page) bars(m Metric) template.HTML {
	const width, left, barHeight, gap = 620.0, 150.0, 15.0, 6.0
	lo, hi := 0.0, 1.0
	if !m.Percent {
		hi = 0.0001
		for _, s := range p.Scores {
			if s.Metric == m.Name {
				hi, lo = max(hi, s.High), min(lo, s.Low)
			}
		}
		hi *= 1.05
	}
	x := func(v float64) float64 { return left + (width-left-10)*(v-lo)/(hi-lo) }
	var b strings.Builder
	y := 4.0
	var chance []string
	for _, subject := range p.Subjects {
		fmt.Fprintf(&b, `<text x="0" y="%.1f" class="head">%s</text>`, y+12, template.HTMLEscapeString(subject))
		y += 18
		for _, method := range p.Methods {
			s, ok := Find(p.Scores, subject, method, m.Name)
			if !ok {
				continue
			}
			x0 := max(x(0), left)
			fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" class="name">%s</text>`, left-8, y+12, template.HTMLEscapeString(method))
			fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="bar"><title>%s</title></rect>`,
				min(x0, x(s.Value)), y, max(x(s.Value)-x0, x0-x(s.Value)), barHeight, show(m, s.Value))
			if s.ChanceHigh > s.ChanceLow {
				chance = append(chance, fmt.Sprintf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="chance"/>`,
					x(s.ChanceLow), y-gap/2, x(s.ChanceHigh)-x(s.ChanceLow), barHeight+gap))
			}
			fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1f" class="whisker"/>`, x(s.Low), y+barHeight/2, x(s.High))
			y += barHeight + gap
		}
		y += 6
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">%s%s</svg>`,
		width, y, template.HTMLEscapeString(m.Title), strings.Join(chance, ""), b.String()))
}
