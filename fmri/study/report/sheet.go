package report

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Sheet is a contact sheet: rows of pictures, under named columns or beside row names or both.
type Sheet struct {
	Title   string
	Columns []string
	Rows    []SheetRow
	Scale   int // whole-number magnification of the pictures; 0 means 1
}

// SheetRow is one line of a contact sheet. A nil picture leaves its place empty.
type SheetRow struct {
	Side     string   // shown to the left of the pictures; may be empty
	Label    string   // shown under the pictures; may be empty
	Captions []string // shown under each picture, broken into lines; may be nil
	Images   []image.Image
	Divider  bool // leaves a gap above the row
}

// Sizes in pixels of the sheet's parts.
const (
	sheetMargin  = 14
	sheetGap     = 6
	sheetTitle   = 30
	sheetHeader  = 22
	sheetCaption = 18
	sheetSide    = 132 // width of the row names
	captionLines = 3   // at most, under one picture
	captionLine  = 14
)

var (
	paper = color.RGBA{250, 250, 248, 255}
	ink   = color.RGBA{30, 30, 34, 255}
	faint = color.RGBA{110, 110, 118, 255}
)

// Draw renders the sheet. All pictures must have the size of the first, and one at least has to be there.
func (s Sheet) Draw() (*image.RGBA, error) {
	scale := max(s.Scale, 1)
	var cell image.Point
	caption, cells, left, columns := 0, 0, sheetMargin, len(s.Columns)
	for _, r := range s.Rows {
		columns = max(columns, len(r.Images))
		if r.Side != "" {
			left = sheetMargin + sheetSide
		}
		if r.Label != "" {
			caption = sheetCaption
		}
		if r.Captions != nil {
			cells = captionLines*captionLine + sheetGap
		}
		for _, m := range r.Images {
			if m == nil {
				continue
			}
			size := m.Bounds().Size()
			if cell == (image.Point{}) {
				cell = size
			}
			if size != cell {
				return nil, fmt.Errorf("contact sheet: a picture of %v among pictures of %v", size, cell)
			}
		}
	}
	if cell == (image.Point{}) {
		return nil, fmt.Errorf("contact sheet: no picture")
	}
	cell = cell.Mul(scale)
	width := left + columns*(cell.X+sheetGap) - sheetGap + sheetMargin
	height := 2*sheetMargin + sheetTitle
	if len(s.Columns) > 0 {
		height += sheetHeader
	}
	for _, r := range s.Rows {
		height += cell.Y + sheetGap + caption + cells
		if r.Divider {
			height += 2 * sheetGap
		}
	}
	dst := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(dst, dst.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)

	title, err := face(17)
	if err != nil {
		return nil, err
	}
	defer title.Close()
	small, err := face(12)
	if err != nil {
		return nil, err
	}
	defer small.Close()

	text(dst, title, ink, sheetMargin, sheetMargin+17, width-2*sheetMargin, s.Title)
	y := sheetMargin + sheetTitle
	for i, c := range s.Columns {
		text(dst, small, ink, left+i*(cell.X+sheetGap), y+14, cell.X, c)
	}
	if len(s.Columns) > 0 {
		y += sheetHeader
	}
	for _, r := range s.Rows {
		if r.Divider {
			y += 2 * sheetGap
		}
		for i, m := range r.Images {
			if m == nil {
				continue
			}
			at := image.Rect(0, 0, cell.X, cell.Y).Add(image.Pt(left+i*(cell.X+sheetGap), y))
			xdraw.NearestNeighbor.Scale(dst, at, m, m.Bounds(), xdraw.Src, nil)
		}
		text(dst, small, ink, sheetMargin, y+cell.Y/2+4, sheetSide-sheetGap, r.Side)
		y += cell.Y
		for i, c := range r.Captions {
			for k, line := range wrap(small, cell.X, c) {
				text(dst, small, ink, left+i*(cell.X+sheetGap), y+(k+1)*captionLine, cell.X, line)
			}
		}
		y += cells
		if caption > 0 {
			text(dst, small, faint, left, y+14, width-left-sheetMargin, r.Label)
			y += caption
		}
		y += sheetGap
	}
	return dst, nil
}

// face returns the sheet's typeface at a size in pixels.
func face(px float64) (font.Face, error) {
	f, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(f, &opentype.FaceOptions{Size: px, DPI: 72, Hinting: font.HintingFull})
}

// text draws one line with its baseline at (x, y), cut with an ellipsis at width pixels; nothing where not even that has room.
func text(dst draw.Image, f font.Face, c color.Color, x, y, width int, s string) {
	r := []rune(s)
	for n := len(r); font.MeasureString(f, s).Ceil() > width; {
		if n--; n < 0 {
			return
		}
		s = string(r[:n]) + "…"
	}
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: f, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// wrap breaks a caption into lines of a width in pixels; what is left after the last line is kept
// in it, to be cut by text.
func wrap(f font.Face, width int, s string) []string {
	var lines []string
	for _, word := range strings.Fields(s) {
		last := len(lines) - 1
		switch {
		case last < 0:
			lines = append(lines, word)
		case last == captionLines-1 || font.MeasureString(f, lines[last]+" "+word).Ceil() <= width:
			lines[last] += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
