package report_test

import (
	"bytes"
	"fmt"
	"image"

	"percept/fmri/study/report"
)

// A page of one score, whose picture is inside the file.
func ExamplePage_Write() {
	p := report.Page{
		Title: "Decoded pictures", Methods: []string{"z+c"}, Subjects: []string{"subj01"},
		Metrics: []report.Metric{{Name: "ident", Title: "2-way", Percent: true}},
		Scores:  []report.Score{{Subject: "subj01", Method: "z+c", Metric: "ident", Value: 0.872, Low: 0.81, High: 0.93, N: 40}},
		Columns: []string{"seen"},
		Rows: []report.PageRow{{Subject: "subj01", Label: "a house & a river",
			Images: []image.Image{image.NewRGBA(image.Rect(0, 0, 2, 2))}}},
	}
	page, err := p.Write()
	if err != nil {
		fmt.Println(err)
		return
	}
	for line := range bytes.Lines(page) {
		if bytes.Contains(line, []byte("87.2 %<small>")) || bytes.Contains(line, []byte("house")) {
			fmt.Print(string(line))
		}
	}
	// Output:
	// <td>87.2 %<small>81.0 – 93.0 %</small></td></tr>
	// <tr class="label"><td colspan="1">subj01 · a house &amp; a river</td></tr>
}

// A contact sheet of two rows of pictures, 2 pixels for each of theirs.
func ExampleSheet_Draw() {
	picture := image.NewRGBA(image.Rect(0, 0, 32, 32))
	s := report.Sheet{Title: "seen and decoded", Columns: []string{"subj01", "subj02"}, Scale: 2, Rows: []report.SheetRow{
		{Side: "seen", Images: []image.Image{picture, picture}},
		{Side: "z+c", Images: []image.Image{picture, nil}},
	}}
	m, err := s.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Bounds().Size())
	// Output: (294,220)
}
