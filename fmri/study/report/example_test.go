package report_test

import (
	"bytes"
	"fmt"
	"image"

	"percept/fmri/study/report"
)

// A page of one score and one picture: its thumbnail is inside the file and leads to the picture beside it.
func ExamplePage_Write() {
	p := report.Page{
		Title: "Decoded pictures", Methods: []string{"z+c"}, Subjects: []string{"subj01"},
		Metrics: []report.Metric{{Name: "ident", Title: "2-way", Percent: true}},
		Scores:  []report.Score{{Subject: "subj01", Method: "z+c", Metric: "ident", Value: 0.872, Low: 0.81, High: 0.93, N: 40}},
		Columns: []string{"seen"},
		Galleries: []report.Gallery{{Subject: "subj01", Rows: []report.GalleryRow{{Name: "image 1", Caption: "a house & a river",
			Pictures: []report.Picture{{Alt: "seen image 1", File: "seen/00001.png",
				Read: func() (image.Image, error) { return image.NewRGBA(image.Rect(0, 0, 2, 2)), nil }}}}}}},
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
	// <tr><th scope="rowgroup" colspan="1"><span>subj01, image 1: a house &amp; a river</span></th></tr>
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
