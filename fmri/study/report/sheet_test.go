package report

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
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

// sizes are those of sheets, computed by hand from the constants: a change of layout has to be made here as well.
func TestSheetSizes(t *testing.T) {
	four := func(n int) []image.Image {
		row := make([]image.Image, n)
		for i := range row {
			row[i] = plain(64, color.Black)
		}
		return row
	}
	for _, c := range []struct {
		name  string
		sheet Sheet
		want  image.Point
	}{
		{"one picture", Sheet{Rows: []SheetRow{{Images: four(1)}}}, image.Pt(14+64+14, 14+30+64+6+14)},
		{"columns", Sheet{Columns: []string{"a", "b", "c"}, Rows: []SheetRow{{Images: four(3)}}},
			image.Pt(14+3*64+2*6+14, 14+30+22+64+6+14)},
		{"more columns than pictures", Sheet{Columns: []string{"a", "b", "c"}, Rows: []SheetRow{{Images: four(1)}}},
			image.Pt(14+3*64+2*6+14, 14+30+22+64+6+14)},
		{"names beside rows", Sheet{Rows: []SheetRow{{Images: four(2), Side: "z"}, {Images: four(2)}}},
			image.Pt(14+132+2*64+6+14, 14+30+2*(64+6)+14)},
		{"labels", Sheet{Rows: []SheetRow{{Images: four(2), Label: "z"}, {Images: four(2)}}}, image.Pt(14+2*64+6+14, 14+30+2*(64+6+18)+14)},
		{"captions", Sheet{Rows: []SheetRow{{Images: four(1), Captions: []string{"z"}}}}, image.Pt(14+64+14, 14+30+64+6+3*14+6+14)},
		{"divider, twice the size", Sheet{Scale: 2, Rows: []SheetRow{{Images: four(1)}, {Images: four(1), Divider: true}}},
			image.Pt(14+128+14, 14+30+2*(128+6)+12+14)},
	} {
		m, err := c.sheet.Draw()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := m.Rect.Size(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		var a, b bytes.Buffer
		again, _ := c.sheet.Draw()
		if png.Encode(&a, m) != nil || png.Encode(&b, again) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: drawn again, other bytes", c.name)
		}
	}
}

// Text of any length stays in the room that it has: the margins and the gaps beside it are empty, and no picture is written over.
func TestSheetClipsNoText(t *testing.T) {
	long := strings.Repeat("Ägyptische Wörter gjpqy ", 10)
	red := color.RGBA{200, 0, 0, 255}
	for _, size := range []int{3, 8, 64} { // pixels: in the narrowest not even an ellipsis has room
		row := SheetRow{Side: long, Label: long, Captions: []string{long, strings.Repeat("x", 500)},
			Images: []image.Image{plain(size, red), plain(size, red)}}
		s := Sheet{Title: long, Columns: []string{long, long}, Rows: []SheetRow{row, row}}
		m, err := s.Draw()
		if err != nil {
			t.Fatal(err)
		}
		left := sheetMargin + sheetSide
		gap := left + size
		for _, empty := range []struct {
			name string
			at   image.Rectangle
		}{
			{"left margin", image.Rect(0, 0, sheetMargin-1, m.Rect.Dy())},
			{"right margin", image.Rect(m.Rect.Dx()-sheetMargin+1, 0, m.Rect.Dx(), m.Rect.Dy())},
			{"lower margin", image.Rect(0, m.Rect.Dy()-sheetMargin, m.Rect.Dx(), m.Rect.Dy())},
			{"upper margin", image.Rect(0, 0, m.Rect.Dx(), sheetMargin)},
			{"gap between columns", image.Rect(gap+1, sheetMargin+sheetTitle, gap+sheetGap-1, sheetMargin+sheetTitle+sheetHeader+size)},
			{"gap beside row names", image.Rect(left-sheetGap+1, sheetMargin+sheetTitle, left-1, m.Rect.Dy()-sheetMargin)},
		} {
			if n, all := count(m, empty.at, paper), empty.at.Dx()*empty.at.Dy(); n != all {
				t.Errorf("pictures of %d pixels, %s: %d of %d pixels are drawn over", size, empty.name, all-n, all)
			}
		}
		if n := count(m, m.Rect, red); n != 4*size*size {
			t.Errorf("%d pixels of pictures are left, expected %d", n, 4*size*size)
		}
		if ink := m.Rect.Dx()*m.Rect.Dy() - count(m, m.Rect, paper) - 4*size*size; ink < 500 {
			t.Errorf("%d pixels of text", ink)
		}
	}
}

// Short text is not cut: what is drawn of it is what is drawn with all the room there is.
func TestSheetKeepsTextThatFits(t *testing.T) {
	f, err := face(12)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	draw := func(s string, width int) *image.RGBA {
		m := image.NewRGBA(image.Rect(0, 0, 200, 30))
		text(m, f, ink, 5, 20, width, s)
		return m
	}
	if !bytes.Equal(draw("seen", 40).Pix, draw("seen", 190).Pix) {
		t.Error("a word that fits was cut")
	}
	if bytes.Equal(draw("seen and decoded", 40).Pix, draw("seen and decoded", 190).Pix) ||
		!bytes.Equal(draw("seen and decoded", 2).Pix, make([]uint8, 200*30*4)) {
		t.Error("a line that does not fit was not cut, or where there is no room something was drawn")
	}
	for _, c := range []struct {
		caption string
		want    []string
	}{
		{"", nil}, {"  one \n two ", []string{"one two"}}, {"a house beside a river and a boat under a cloud that is far away",
			[]string{"a house beside a", "river and a boat", "under a cloud that is far away"}},
		{strings.Repeat("w", 80), []string{strings.Repeat("w", 80)}},
	} {
		if got := wrap(f, 100, c.caption); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q in lines: %q, want %q", c.caption, got, c.want)
		}
	}
}
