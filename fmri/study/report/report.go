// Package report turns the pictures and scores of a run into things to look at: a contact sheet,
// one HTML page, and the picture of a diagnosis.
//
//	Sheet.Draw       rows of pictures under their columns ──► picture
//	Page.Write       scores, diagnoses, pictures, facts ──► HTML with thumbnails inside and links to whole pictures beside it
//	DrawDiagnosis    what predictions are worth ──► PNG of four panels
//
// The page needs nothing from elsewhere and stays under 15 MB; text is escaped. The same content gives the same bytes.
package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"image"
	"net/url"
	"strings"
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
	N          int     `json:"n"`                 // images
	TrainedOn  int     `json:"images_trained_on"` // of them, that the decoders were fitted on
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
	Title     string
	Summary   string
	Warning   string            // the page's first line, for what must not be overlooked; may be empty
	Methods   []string          // rows of each subject's table
	Explain   map[string]string // method or column of the galleries → one sentence
	Metrics   []Metric          // columns of the tables
	Subjects  []string          // a table each
	Scores    []Score           // cells; one that is not there is left empty
	Columns   []string          // of the galleries
	Galleries []Gallery

	DiagnosisColumns []Column
	Diagnoses        []Diagnosis
	Facts            []Fact
}

// Gallery is a table of a subject's pictures, a row for each test image.
type Gallery struct {
	Subject string
	Note    string // over the pictures; may be empty
	Rows    []GalleryRow
}

// GalleryRow is one test image.
type GalleryRow struct {
	Name     string    // as image 3
	Caption  string    // may be empty
	Pictures []Picture // one for each column
}

// Picture is one place of a gallery.
type Picture struct {
	Alt  string // which image it is of, and what it is
	File string // the whole picture, relative to the page and separated by slashes; empty: the thumbnail is no link
	// Read is called once for each Write, at the same time as those of other pictures, and the picture is let go of after that.
	// nil leaves the place empty.
	Read func() (image.Image, error)
}

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
)

// content is a page as its template sees it.
type content struct {
	Page
	Shown [][][]*thumbnail // of each gallery, row and column; nil is an empty place
}

// Write renders the page, with thumbnails of all pictures inside the file. Pictures are read one for each processor at a time. An
// error of one of them is returned after its Alt.
func (p Page) Write() ([]byte, error) {
	t, err := template.New("page").Funcs(template.FuncMap{
		"css":      func() template.CSS { return template.CSS(pageCSS) },
		"add":      func(a, b int) int { return a + b },
		"score":    p.score,
		"show":     Metric.Show,
		"bar":      p.bars,
		"interval": interval,
		"spectrum": spectra,
		"href":     href,
	}).Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	c := content{Page: p}
	if c.Shown, err = p.shrink(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, c)
	return b.Bytes(), err
}

// shrink makes the thumbnails of all galleries.
func (p Page) shrink() (shown [][][]*thumbnail, err error) {
	var pictures []Picture
	for _, g := range p.Galleries {
		for _, r := range g.Rows {
			pictures = append(pictures, r.Pictures...)
		}
	}
	all, err := shrinkAll(pictures)
	if err != nil {
		return nil, err
	}
	for _, g := range p.Galleries {
		var rows [][]*thumbnail
		for _, r := range g.Rows {
			rows = append(rows, all[:len(r.Pictures)])
			all = all[len(r.Pictures):]
		}
		shown = append(shown, rows)
	}
	return shown, nil
}

// href is a relative path as a link; one whose first folder has a colon in it does not become a scheme.
func href(file string) template.URL { return template.URL((&url.URL{Path: file}).String()) }

// Made is the word for what a page's diagnoses are of.
func (p Page) Made() Made {
	for _, d := range p.Diagnoses {
		if d.Made == Predicted {
			return Predicted
		}
	}
	return Decoded
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
