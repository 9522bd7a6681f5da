package report

import (
	"image"
	"image/color"
	"strings"
	"testing"
)

// plain returns a picture of one colour.
func plain(size int, c color.Color) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			m.Set(x, y, c)
		}
	}
	return m
}

func TestSheetPutsPicturesUnderTheirColumns(t *testing.T) {
	red, blue := color.RGBA{200, 0, 0, 255}, color.RGBA{0, 0, 200, 255}
	s := Sheet{Title: "t", Columns: []string{"seen", "z"}, Scale: 2, Rows: []SheetRow{
		{Label: "first", Images: []image.Image{plain(8, red), nil}},
		{Label: "second", Images: []image.Image{plain(8, red), plain(8, blue)}, Divider: true},
	}}
	m, err := s.Draw()
	if err != nil {
		t.Fatal(err)
	}
	rowHeight := 16 + sheetGap + sheetCaption
	top := sheetMargin + sheetTitle + sheetHeader
	second := top + rowHeight + 2*sheetGap
	for _, c := range []struct {
		name string
		x, y int
		want color.Color
	}{
		{"first row, first column", sheetMargin + 8, top + 8, red},
		{"first row, empty place", sheetMargin + 16 + sheetGap + 8, top + 8, paper},
		{"second row, second column", sheetMargin + 16 + sheetGap + 8, second + 8, blue},
	} {
		if got := m.At(c.x, c.y); got != c.want {
			t.Errorf("%s: colour %v at (%d, %d), want %v", c.name, got, c.x, c.y, c.want)
		}
	}
}

func TestSheetRejects(t *testing.T) {
	for name, rows := range map[string][]SheetRow{
		"nothing":    nil,
		"two sizes":  {{Images: []image.Image{plain(8, color.Black), plain(9, color.Black)}}},
		"only empty": {{Images: []image.Image{nil, nil}}},
	} {
		if _, err := (Sheet{Columns: []string{"a", "b"}, Rows: rows}).Draw(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestPageShowsScoresAndEscapesText(t *testing.T) {
	p := Page{
		Title: "run <1>", Methods: []string{"z", "z+c"}, Explain: map[string]string{"z": "only z"},
		Metrics:  []Metric{{Name: "ident", Title: "identification", Percent: true}, {Name: "pixcorr", Title: "PixCorr"}},
		Subjects: []string{"subj01"},
		Scores: []Score{
			{Subject: "subj01", Method: "z+c", Metric: "ident", Value: .8725, Low: .81, High: .93, ChanceLow: .44, ChanceHigh: .56},
			{Subject: "subj01", Method: "z", Metric: "pixcorr", Value: -.125, Low: -.2, High: .1},
		},
		Columns:          []string{"seen", "z"},
		DiagnosisColumns: []Column{{"pattern r", "over values"}}, Diagnoses: []Diagnosis{{Subject: "subj01", Feature: "z", From: "early", Values: []Value{{"0.661", "0.632 – 0.689"}},
			True: []float64{4, 2, 1}, Decoded: []float64{3, 0.5, 0}}, {Subject: "subj02", Feature: "c", Values: []Value{{"0", ""}}}},
		Rows: []PageRow{{Subject: "subj01", Label: "a <b>house</b>", Images: []image.Image{plain(4, color.White), nil}}},
	}
	b, err := p.Write()
	if err != nil {
		t.Fatal(err)
	}
	html := string(b)
	for _, want := range []string{"run &lt;1&gt;", "87.2 %", "81.0 – 93.0 %", "-0.125", "a &lt;b&gt;house&lt;/b&gt;", "data:image/png;base64,", `class="chance"`,
		"0.632 – 0.689", `<path d="M2.0 2.0L60.0 8.0L118.0 14.0" class="true"/>`, `class="decoded"`} {
		if !strings.Contains(html, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if strings.Contains(html, "http://") || strings.Contains(html, "https://") {
		t.Error("page refers to something outside itself")
	}
}
