package report

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An element of a page. Its text is that of all in it.
type element struct {
	name, text string
	attr       map[string]string
	in         []*element
}

// unclosed are the elements that HTML never closes.
var unclosed = regexp.MustCompile(`<((?:meta|img) [^>]*)>`)

// parse reads a page strictly, as XML: every other element has to be closed where it was opened.
func parse(t *testing.T, page []byte) *element {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(unclosed.ReplaceAll(page, []byte("<$1/>"))))
	root := &element{}
	open := []*element{root}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			open[len(open)-1].in = append(open[len(open)-1].in, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text += string(token)
			}
		}
	}
	return root
}

// all lists the elements of a name, in order.
func (e *element) all(name string) (list []*element) {
	for _, c := range e.in {
		if c.name == name {
			list = append(list, c)
		}
		list = append(list, c.all(name)...)
	}
	return list
}

// texts lists the trimmed texts of the elements of a name.
func (e *element) texts(name string) (list []string) {
	for _, c := range e.all(name) {
		list = append(list, strings.Join(strings.Fields(c.text), " "))
	}
	return list
}

func written(t *testing.T, p Page) *element {
	t.Helper()
	b, err := p.Write()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := p.Write(); !bytes.Equal(again, b) {
		t.Error("written again, other bytes")
	}
	return parse(t, b)
}

var identification = Metric{Name: "ident", Title: "identification", Explain: "two-way", Percent: true}

// pictureOf is one of a gallery that is in memory.
func pictureOf(alt, file string, m image.Image) Picture {
	return Picture{Alt: alt, File: file, Read: func() (image.Image, error) { return m, nil }}
}

func example() Page {
	return Page{
		Title: "run <1>", Summary: "what was seen", Methods: []string{"z", "z+c"}, Explain: map[string]string{"z": "only z"},
		Metrics:  []Metric{identification, {Name: "pixcorr", Title: "PixCorr"}},
		Subjects: []string{"subj01", "subj02"},
		Scores: []Score{
			{Subject: "subj01", Method: "z+c", Metric: "ident", Value: .8725, Low: .81, High: .93, ChanceLow: .44, ChanceHigh: .56},
			{Subject: "subj01", Method: "z", Metric: "pixcorr", Value: -.125, Low: -.2, High: .1},
			{Subject: "subj02", Method: "z", Metric: "ident", Value: .5, Low: .4, High: .6},
			{Subject: "subj02", Method: "other", Metric: "ident", Value: .111, Low: .1, High: .2},
		},
		Columns:          []string{"seen", "z"},
		DiagnosisColumns: []Column{{"pattern r", "over values"}},
		Diagnoses: []Diagnosis{
			{Subject: "subj01", Feature: "z", From: "early", Values: []Value{{"0.661", "0.632 – 0.689"}}, True: []float64{4, 2, 1},
				Decoded: []float64{3, 0.5, 0}},
			{Subject: "subj02", Feature: "c", Values: []Value{{"0", ""}}},
		},
		Galleries: []Gallery{
			{Subject: "subj01", Note: "the first", Rows: []GalleryRow{{Name: "image 1", Caption: "a <b>house</b>",
				Pictures: []Picture{pictureOf("seen image 1", "true/seen/00001.png", plain(4, color.White)), {}}}}},
			{Subject: "subj02", Rows: []GalleryRow{{Name: "image 1", Caption: "a boat", Pictures: []Picture{
				pictureOf("seen image 1", "true/seen/00002.png", plain(4, color.Black)),
				pictureOf("reconstruction from z", "", plain(5, color.RGBA{9, 8, 7, 255}))}}}},
		},
		Facts: []Fact{{"model", "m & n"}, {"seed", "1"}},
	}
}

func TestPageHasEverythingInItsPlace(t *testing.T) {
	page := written(t, example())
	tables := page.all("table")
	if len(tables) != 5 {
		t.Fatalf("%d tables, expected two for each of two subjects and one of diagnoses", len(tables))
	}
	cells := func(table *element) (rows [][]string) {
		for _, tr := range table.all("tr") {
			rows = append(rows, append(tr.texts("th"), tr.texts("td")...))
		}
		return rows
	}
	for i, want := range [][][]string{
		{{"method", "identification", "PixCorr"}, {"zonly z", "", "-0.125-0.200 – 0.100"}, {"z+c", "87.2 %81.0 – 93.0 %", ""}},
		{{"method", "identification", "PixCorr"}, {"zonly z", "50.0 %40.0 – 60.0 %", ""}, {"z+c", "", ""}},
		{{"subject, fit", "pattern r", "spectra"}, {"subj01, zearly", "0.6610.632 – 0.689", ""}, {"subj02, c", "0", ""}},
		{{"seen", "z"}, {"subj01, image 1: a <b>house</b>"}, {"", ""}},
		{{"seen", "z"}, {"subj02, image 1: a boat"}, {"", ""}},
	} {
		if got := cells(tables[i]); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("table %d: %q, want %q", i, got, want)
		}
	}
	if got, want := page.texts("h3"), []string{"subj01", "subj02", "identification", "PixCorr", "subj01", "subj02"}; !slices.Equal(got, want) {
		t.Errorf("headings %q, want %q", got, want)
	}
	lists := page.all("dl")
	for i, want := range [][]string{{"pattern r", "over values"}, {"seen", "z", "", "only z"}, {"model", "seed", "m & n", "1"}} {
		if got := append(lists[i].texts("dt"), lists[i].texts("dd")...); len(lists) != 3 || !slices.Equal(got, want) {
			t.Errorf("list %d of %d says %q, want %q", i, len(lists), got, want)
		}
	}
	spectra := tables[2].all("path")
	if len(spectra) != 2 || spectra[0].attr["d"] != "M2.0 2.0L60.0 8.0L118.0 14.0" || spectra[1].attr["class"] != "decoded" {
		t.Errorf("spectra %v", spectra)
	}
}

// A part of the page that has nothing in it is not there, nor is its heading.
func TestPageLeavesOutWhatIsEmpty(t *testing.T) {
	scores, predictions, decoded, pictures, made := "Scores", "Predictions", "Decoded features", "Pictures", "How these numbers were made"
	encoder := Diagnosis{Subject: "subj01", Feature: "responses_from_z", From: "z", Made: Predicted, True: []float64{1}}
	for _, c := range []struct {
		name                  string
		change                func(*Page)
		headings              []string
		tables, images, chart int
	}{
		{"all", func(*Page) {}, []string{scores, decoded, pictures, made}, 5, 3, 2},
		{"no pictures", func(p *Page) { p.Galleries, p.Columns, p.Scores, p.Methods, p.Metrics = nil, nil, nil, nil, nil },
			[]string{decoded, made}, 1, 0, 0},
		{"an encoder", func(p *Page) { p.Diagnoses = append(p.Diagnoses, encoder) }, []string{scores, predictions, pictures, made}, 5, 3, 2},
		{"an encoder alone", func(p *Page) { *p = Page{Diagnoses: []Diagnosis{encoder}} }, []string{predictions, made}, 1, 0, 0},
		{"no diagnoses", func(p *Page) { p.Diagnoses = nil }, []string{scores, pictures, made}, 4, 3, 2},
		{"pictures alone", func(p *Page) { p.Scores, p.Diagnoses = nil, nil }, []string{pictures, made}, 2, 3, 0},
		{"nothing", func(p *Page) { *p = Page{Title: "t"} }, []string{made}, 0, 0, 0},
	} {
		p := example()
		c.change(&p)
		page := written(t, p)
		charts := 0
		for _, e := range page.all("svg") {
			if e.attr["class"] != "spark" {
				charts++
			}
		}
		if got := page.texts("h2"); !slices.Equal(got, c.headings) {
			t.Errorf("%s: headings %q, expected %q", c.name, got, c.headings)
		}
		if links := page.all("nav")[0].texts("a"); !slices.Equal(slices.DeleteFunc(links, func(s string) bool {
			return strings.HasPrefix(s, "Pictures of ")
		}), c.headings) {
			t.Errorf("%s: contents %q, expected %q", c.name, links, c.headings)
		}
		if wrong := map[bool]string{true: "decoded", false: "predicted"}[slices.Contains(c.headings, predictions)]; c.name != "an encoder" {
			for _, e := range page.all("svg") {
				if strings.Contains(e.attr["aria-label"], wrong) {
					t.Errorf("%s: a chart of %q", c.name, e.attr["aria-label"])
				}
			}
			if strings.Contains(page.text, "blue "+wrong) {
				t.Errorf("%s: the page says %s", c.name, wrong)
			}
		}
		if a, b := len(page.all("table")), len(page.all("img")); a != c.tables || b != c.images || charts != c.chart {
			t.Errorf("%s: %d tables, %d pictures, %d charts, expected %d, %d, %d", c.name, a, b, charts, c.tables, c.images, c.chart)
		}
	}
}

// Pictures are inside the file, with the pixels that they had, and nothing refers to what is outside of it.
func TestPageStandsAlone(t *testing.T) {
	p := example()
	page := written(t, p)
	var shown []image.Image
	for _, e := range page.all("img") {
		b64, ok := strings.CutPrefix(e.attr["src"], "data:image/png;base64,")
		if !ok {
			t.Fatalf("a picture at %.60q, expected it inside the file", e.attr["src"])
		}
		b, err := base64.StdEncoding.DecodeString(b64)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, m)
	}
	var want []image.Image
	for _, row := range []GalleryRow{p.Galleries[0].Rows[0], p.Galleries[1].Rows[0]} {
		for _, place := range row.Pictures {
			if place.Read != nil {
				m, _ := place.Read()
				want = append(want, m)
			}
		}
	}
	if len(shown) != len(want) {
		t.Fatalf("%d pictures, want %d", len(shown), len(want))
	}
	for i, m := range shown {
		if m.Bounds() != want[i].Bounds() || color.RGBAModel.Convert(m.At(1, 2)) != color.RGBAModel.Convert(want[i].At(1, 2)) {
			t.Errorf("picture %d is %v of %v, want %v of %v", i, m.Bounds(), m.At(1, 2), want[i].Bounds(), want[i].At(1, 2))
		}
	}
	for _, name := range []string{"script", "link", "iframe", "object", "form", "base"} {
		if list := page.all(name); len(list) > 0 {
			t.Errorf("the page has a %s element", name)
		}
	}
	b, _ := p.Write()
	for _, outside := range []string{"http:", "https:", "url(", "@import", "src=\"//"} {
		if bytes.Contains(b, []byte(outside)) {
			t.Errorf("the page has %q in it, expected nothing from outside", outside)
		}
	}
}

// Whatever a text is, it is shown as it is.
func TestPageEscapesText(t *testing.T) {
	hostile := func(n int) string { return fmt.Sprintf(`<script>alert("%d")</script>&amp;'>]]`, n) }
	m := Metric{Name: "m", Title: hostile(1), Explain: hostile(2)}
	page := written(t, Page{
		Title: hostile(3), Summary: hostile(4), Methods: []string{hostile(5)}, Explain: map[string]string{hostile(5): hostile(6)}, Metrics: []Metric{m},
		Subjects: []string{hostile(7)}, Scores: []Score{{Subject: hostile(7), Method: hostile(5), Metric: "m", Value: 0.25, High: 1}},
		Columns: []string{hostile(8)}, Galleries: []Gallery{{Subject: hostile(9), Note: hostile(20), Rows: []GalleryRow{{Name: hostile(21),
			Caption: hostile(10), Pictures: []Picture{pictureOf(hostile(22), hostile(23), plain(2, color.Black))}}}}},
		DiagnosisColumns: []Column{{hostile(11), hostile(12)}}, Facts: []Fact{{hostile(13), hostile(14)}},
		Diagnoses: []Diagnosis{{Subject: hostile(15), Feature: hostile(16), From: hostile(17),
			Values: []Value{{hostile(18), hostile(19)}}, True: []float64{1}}},
	})
	if len(page.all("script")) > 0 {
		t.Fatal("a text became a script")
	}
	var attributes strings.Builder
	for _, name := range []string{"th", "svg", "img"} {
		for _, e := range page.all(name) {
			attributes.WriteString(e.attr["title"] + e.attr["aria-label"] + e.attr["alt"])
		}
	}
	for _, e := range page.all("td") {
		for _, a := range e.all("a") {
			link, err := url.PathUnescape(a.attr["href"])
			attributes.WriteString(strings.TrimPrefix(link, "./"))
			if err != nil || strings.ContainsAny(a.attr["href"], "<>\"' ") {
				t.Errorf("a link to %q, %v", a.attr["href"], err)
			}
		}
	}
	for n := 1; n <= 23; n++ {
		if !strings.Contains(page.text+attributes.String(), hostile(n)) {
			t.Errorf("text %d is not shown as it is", n)
		}
	}
	for _, want := range []string{hostile(1), hostile(2), hostile(12), hostile(16)} {
		if !strings.Contains(attributes.String(), want) {
			t.Errorf("attributes lack %q", want)
		}
	}
}

// numbers are those of an attribute, in order.
func numbers(t *testing.T, text string) (list []float64) {
	t.Helper()
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("MLHVv ,", r) }) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("%q in %q, expected a number", f, text)
		}
		list = append(list, v)
	}
	return list
}

// Values beyond an axis end where it ends, undefined ones are not drawn, and everything lies inside the chart.
func TestBarsStayInside(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name   string
		metric Metric
		score  Score
		bar    [2]float64 // left end and width in pixels; 0 wide: at most that; width −1: no bar
		text   string
	}{
		{"half", identification, Score{Value: .5, Low: .4, High: .6}, [2]float64{150, 203}, "50.0 %"},
		{"all", identification, Score{Value: 1, Low: 1, High: 1}, [2]float64{150, 406}, "100.0 %"},
		{"beyond all", identification, Score{Value: 1.5, Low: 1.4, High: 1.6, ChanceLow: -.5, ChanceHigh: 2}, [2]float64{150, 406},
			"150.0 %"},
		{"below nothing", identification, Score{Value: -.5, Low: -.6, High: -.4}, [2]float64{150, 0}, "-50.0 %"},
		{"undefined", identification, Score{Value: nan, Low: nan, High: nan, ChanceLow: nan, ChanceHigh: nan}, [2]float64{0, -1}, "NaN %"},
		{"negative", Metric{Name: "ident"}, Score{Value: -.5, Low: -1, High: 0}, [2]float64{312.4, 162.4}, "-0.500"},
		{"chance beyond the axis", Metric{Name: "ident"}, Score{Value: .1, Low: 0, High: .2, ChanceLow: -3, ChanceHigh: 3},
			[2]float64{150, 203}, "0.100"},
		{"value beyond its interval", Metric{Name: "ident"}, Score{Value: 3, Low: 0, High: .2}, [2]float64{150, 406}, "3.000"},
		{"unbounded", Metric{Name: "ident"}, Score{Value: inf, Low: -inf, High: inf, ChanceLow: -inf, ChanceHigh: inf},
			[2]float64{0, -1}, "+Inf"},
		{"nothing", Metric{Name: "ident"}, Score{}, [2]float64{150, 0}, "0.000"},
	} {
		c.score.Subject, c.score.Method, c.score.Metric = "subj01", "z", "ident"
		p := Page{Methods: []string{"z"}, Subjects: []string{"subj01"}, Scores: []Score{c.score}}
		svg := parse(t, []byte(p.bars(c.metric))).all("svg")[0]
		box := numbers(t, svg.attr["viewBox"])
		width, height := box[2], box[3]
		bars := 0
		for _, e := range svg.all("rect") {
			at := numbers(t, fmt.Sprintf("%s %s %s %s", e.attr["x"], e.attr["y"], e.attr["width"], e.attr["height"]))
			if at[2] < 0 || at[0] < 150 || at[0]+at[2] > 556 || at[1] < 0 || at[1]+at[3] > height {
				t.Errorf("%s: a %s at %v, expected it between 150 and 556", c.name, e.attr["class"], at)
			}
			if e.attr["class"] == "bar" {
				bars++
				if math.Abs(at[0]-c.bar[0]) > 0.06 || math.Abs(at[2]-c.bar[1]) > 0.06 {
					t.Errorf("%s: the bar is %g wide at %g, want %g at %g", c.name, at[2], at[0], c.bar[1], c.bar[0])
				}
			}
		}
		if (bars == 0) != (c.bar[1] < 0) {
			t.Errorf("%s: %d bars", c.name, bars)
		}
		for _, e := range svg.all("path") {
			at := numbers(t, e.attr["d"])
			for i := range at[:2] {
				if at[i] < 0 || at[i] > []float64{width, height}[i] {
					t.Errorf("%s: a %s at %v", c.name, e.attr["class"], at)
				}
			}
		}
		if !slices.Contains(svg.texts("text"), c.text) {
			t.Errorf("%s: texts %q, expected %q", c.name, svg.texts("text"), c.text)
		}
	}
}

func TestBarsNameWhatTheyShow(t *testing.T) {
	p := example()
	p.Methods = append(p.Methods, "a method with a name of many letters")
	p.Scores = append(p.Scores, Score{Subject: "subj02", Method: p.Methods[2], Metric: "ident", Value: .25, High: 1})
	svg := parse(t, []byte(p.bars(identification))).all("svg")[0]
	want := []string{"chance", "0 %", "25 %", "50 %", "75 %", "100 %", "subj01", "z+c", "87.2 %", "subj02", "z", "50.0 %", p.Methods[2],
		"25.0 %"}
	if got := svg.texts("text"); !slices.Equal(got, want) {
		t.Errorf("texts %q, want %q", got, want)
	}
	for _, e := range svg.all("text") {
		if squeezed := e.attr["textLength"] != ""; squeezed != (e.text == p.Methods[2]) {
			t.Errorf("%q squeezed: %v", e.text, squeezed)
		}
	}
}

func TestTickStep(t *testing.T) {
	for _, c := range []struct{ span, want float64 }{{1, 0.25}, {0.4, 0.1}, {0.5, 0.1}, {0.6, 0.1}, {2, 0.5}, {3, 1}, {10, 2.5},
		{0.0001, 0.000025}} {
		if got := tickStep(c.span); math.Abs(got/c.want-1) > 1e-9 {
			t.Errorf("steps of %g in a range of %g, want %g", got, c.span, c.want)
		}
	}
}

func TestSpectraStayInside(t *testing.T) {
	for _, d := range []Diagnosis{
		{True: []float64{4, 2, 1}, Decoded: []float64{8, 0.5, 0}},
		{True: []float64{1}, Decoded: nil},
		{True: []float64{1, 5, 2}, Decoded: []float64{0.5, math.NaN()}}, // not descending, undefined
		{True: []float64{1, 0.02, 0.01, 0.005}},
	} {
		for _, path := range parse(t, []byte(spectra(d))).all("path") {
			at := numbers(t, path.attr["d"])
			for i, v := range at {
				if limit := []float64{118, 42}[i%2]; v < 2 || v > limit {
					t.Errorf("%v: %q, expected numbers from 2 to %g", d, path.attr["d"], limit)
				}
			}
		}
	}
	for _, d := range []Diagnosis{{}, {True: []float64{0}}, {True: []float64{math.Inf(1)}}} {
		if got := spectra(d); got != "" {
			t.Errorf("%v: %q, want nothing", d, got)
		}
	}
}

func TestFindAndShow(t *testing.T) {
	scores := example().Scores
	if s, ok := Find(scores, "subj02", "z", "ident"); !ok || s.Value != .5 {
		t.Errorf("found %v, %v", s, ok)
	}
	if _, ok := Find(scores, "subj02", "z", "pixcorr"); ok {
		t.Error("found what is not there")
	}
	for _, c := range []struct {
		percent   bool
		low, high float64
		want      string
	}{{true, .81, .93, "81.0 – 93.0 %"}, {false, -.2, .1234, "-0.200 – 0.123"}} {
		if got := interval(Metric{Percent: c.percent}, c.low, c.high); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// named checks what people who do not see the page, or go through it by keys, need of it: every picture says what it is, every head
// whose it is, no name is there twice, and every link and reference leads to something.
func named(t *testing.T, page *element, file func(path string) bool) {
	t.Helper()
	ids := map[string]bool{}
	var walk func(e *element, visit func(*element))
	walk = func(e *element, visit func(*element)) {
		visit(e)
		for _, c := range e.in {
			walk(c, visit)
		}
	}
	walk(page, func(e *element) {
		if id, ok := e.attr["id"]; ok {
			if ids[id] || id == "" {
				t.Errorf("the id %q is there twice, or empty", id)
			}
			ids[id] = true
		}
	})
	walk(page, func(e *element) {
		switch {
		case e.name == "img" && e.attr["alt"] == "":
			t.Error("a picture without alt text")
		case e.name == "img" && (e.attr["width"] == "" || e.attr["height"] == ""):
			t.Errorf("%s has no size: the page moves when it is there", e.attr["alt"])
		case e.name == "svg" && (e.attr["aria-label"] == "" || e.attr["role"] != "img"):
			t.Error("a chart without a name")
		case e.name == "th" && !slices.Contains([]string{"col", "row", "rowgroup"}, e.attr["scope"]):
			t.Errorf("%q heads %q, expected a scope", e.text, e.attr["scope"])
		case e.name == "th" && strings.TrimSpace(e.text) == "":
			t.Error("an empty head")
		case e.name == "html" && e.attr["lang"] != "en":
			t.Error("the page does not say its language")
		case strings.HasPrefix(e.attr["class"], "scroll ") && e.attr["tabindex"] == "" && len(e.all("a")) == 0:
			t.Error("a box that scrolls and that keys cannot reach")
		}
		for _, id := range strings.Fields(e.attr["aria-labelledby"]) {
			if !ids[id] {
				t.Errorf("a %s is named by %q, which is not there", e.name, id)
			}
		}
		if e.name == "a" {
			if id, ok := strings.CutPrefix(e.attr["href"], "#"); ok && !ids[id] || !ok && !file(e.attr["href"]) {
				t.Errorf("a link to %q, which is not there", e.attr["href"])
			}
		}
	})
	for _, e := range page.all("h2") {
		if id := e.attr["id"]; !slices.ContainsFunc(page.all("nav")[0].all("a"), func(a *element) bool { return a.attr["href"] == "#"+id }) {
			t.Errorf("%q is not in the contents", e.text)
		}
	}
}

func TestPageNamesEverything(t *testing.T) {
	p := example()
	p.Galleries[1].Rows[0].Pictures[1].File = "with blank: and colon/ü.png"
	named(t, written(t, p), func(path string) bool {
		return path == "true/seen/00001.png" || path == "true/seen/00002.png" || path == "with%20blank:%20and%20colon/%C3%BC.png" ||
			path == "./with%20blank:%20and%20colon/%C3%BC.png"
	})
	named(t, written(t, Page{Title: "t"}), func(string) bool { return false })
}

// The columns of every table that explains its heads are explained in the page's own text as well, where no pointer has to rest.
func TestPageExplainsColumns(t *testing.T) {
	page := written(t, example())
	var said []string
	for _, name := range []string{"dd", "p"} {
		said = append(said, page.texts(name)...)
	}
	n := 0
	for _, e := range page.all("th") {
		if explain := e.attr["title"]; explain != "" {
			n++
			if !slices.Contains(said, explain) {
				t.Errorf("%q of %q is a title alone", explain, e.text)
			}
		}
	}
	if n != 3 {
		t.Errorf("%d heads explain themselves, expected that of identification twice and that of pattern r", n)
	}
}

// A warning is the first line that a reader meets, before title and scores.
func TestWarningComesFirst(t *testing.T) {
	p := example()
	p.Warning = "The models were fitted on 3 of the 6 test images of subj01"
	b, err := p.Write()
	if err != nil {
		t.Fatal(err)
	}
	body := string(b[bytes.Index(b, []byte("<body>")):])
	if at, title := strings.Index(body, p.Warning), strings.Index(body, "<h1>"); at < 0 || title < at {
		t.Errorf("the warning stands at %d, the title at %d", at, title)
	}
}
