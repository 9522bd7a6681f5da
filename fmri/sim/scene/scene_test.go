package scene

import (
	"flag"
	"image"
	"image/draw"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden.png anew")

// example is scene i of a fixed seed.
func example(i int) (Scene, *rand.Rand) {
	r := rand.New(rand.NewPCG(7, uint64(i)))
	return Random(r), r
}

func TestSameSeedSameScene(t *testing.T) {
	for i := range 50 {
		a, ra := example(i)
		b, rb := example(i)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("scene %d differs between two runs", i)
		}
		if ca, cb := a.Captions(ra, 5), b.Captions(rb, 5); !slices.Equal(ca, cb) {
			t.Fatalf("captions of scene %d differ: %q, %q", i, ca, cb)
		}
		if !slices.Equal(a.Draw(48).Pix, b.Draw(48).Pix) {
			t.Fatalf("drawing %d differs between two runs", i)
		}
	}
}

// TestGolden compares with a stored sheet. Rounding may differ between architectures (fused
// multiply-add), so the test allows some grey levels where an edge crosses a pixel.
func TestGolden(t *testing.T) {
	const n, size, path = 8, 64, "testdata/golden.png"
	sheet := image.NewRGBA(image.Rect(0, 0, n*size, size))
	for i := range n {
		s, _ := example(i)
		draw.Draw(sheet, image.Rect(i*size, 0, (i+1)*size, size), s.Draw(size), image.Point{}, draw.Src)
	}
	if *update {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, sheet); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	want := image.NewRGBA(decoded.Bounds())
	draw.Draw(want, want.Bounds(), decoded, image.Point{}, draw.Src)
	if want.Bounds() != sheet.Bounds() {
		t.Fatalf("golden is %v, want %v", want.Bounds(), sheet.Bounds())
	}
	var sum, worst float64
	for i := range sheet.Pix {
		d := math.Abs(float64(sheet.Pix[i]) - float64(want.Pix[i]))
		sum, worst = sum+d, max(worst, d)
	}
	if mean := sum / float64(len(sheet.Pix)); mean > 0.05 || worst > 12 {
		t.Errorf("differs from %s by %.3f on average and %.0f at most, allowed 0.05 and 12", path, mean, worst)
	}
}

// TestObjectsVisible takes each object away: the picture must change.
func TestObjectsVisible(t *testing.T) {
	const size = 96
	for i := range 300 {
		s, _ := example(i)
		full := s.Draw(size)
		for j, o := range s.Objects {
			without := s
			without.Objects = slices.Delete(slices.Clone(s.Objects), j, j+1)
			changed := 0
			bare := without.Draw(size)
			for p := 0; p < len(full.Pix); p += 4 {
				d := 0
				for c := range 3 {
					d = max(d, int(full.Pix[p+c])-int(bare.Pix[p+c]), int(bare.Pix[p+c])-int(full.Pix[p+c]))
				}
				if d > 12 {
					changed++
				}
			}
			if changed < 25 {
				t.Errorf("scene %d: only %d pixels show the %v", i, changed, o.Kind)
			}
		}
	}
}

func TestObjectsInside(t *testing.T) {
	for i := range 1000 {
		s, _ := example(i)
		mains := 0
		for _, o := range s.Objects {
			if !o.Kind.Main() {
				continue
			}
			mains++
			if o.X-o.Width()/2 < 0 || o.X+o.Width()/2 > 1 || o.Y-o.Size/2 < 0 || o.Y+o.Size/2 > 1 {
				t.Errorf("scene %d: %v at (%.2f, %.2f) of size %.2f leaves the picture", i, o.Kind, o.X, o.Y, o.Size)
			}
			if (o.Kind == Boat) != (s.Ground == Water) {
				t.Errorf("scene %d: a %v on %v", i, o.Kind, s.Ground)
			}
		}
		if mains < 1 || mains > 3 {
			t.Errorf("scene %d has %d main objects, want 1 to 3", i, mains)
		}
	}
}

func TestDrawSizes(t *testing.T) {
	for _, size := range []int{0, 1, 32, 33, 64, 96, 128, 255, 256} {
		for i := range 12 {
			s, _ := example(i)
			img := s.Draw(size)
			if want := max(size, 1); img.Bounds() != image.Rect(0, 0, want, want) || !img.Opaque() {
				t.Fatalf("Draw(%d): bounds %v, opaque %v", size, img.Bounds(), img.Opaque())
			}
		}
	}
}

// TestLabelsAgreeWithCaptions checks that every caption names what the labels say is there, and
// nothing else.
func TestLabelsAgreeWithCaptions(t *testing.T) {
	index := make(map[string]int)
	for i, name := range LabelNames {
		index[name] = i
	}
	words := map[string][]string{
		"house": {"house", "home"}, "boat": {"boat", "sailboat"}, "car": {"car"}, "horse": {"horse"}, "dog": {"dog"},
		"cat": {"cat"}, "person": {"person", "man", "woman"}, "pine": {"pine", "fir"},
	}
	optional := map[string][]string{
		"mountain": {"mountain", "mountains"}, "moon": {"moon"},
		"night": {"night", "dark"}, "sunset": {"sunset", "evening", "dusk", "setting"},
		"snow": {"snow", "snowy", "winter"}, "sand": {"sand", "beach", "desert"}, "water": {"water", "lake", "sea"},
		"grass": {"grass", "field", "meadow"}, "overcast": {"cloudy", "clouds"},
	}
	has := func(caption string, list []string) bool {
		for _, w := range strings.Fields(strings.ReplaceAll(caption, ",", "")) {
			if slices.Contains(list, w) {
				return true
			}
		}
		return false
	}
	for i := range 1000 {
		s, r := example(i)
		labels := s.Labels()
		for _, caption := range s.Captions(r, 5) {
			for label, list := range words {
				if got, want := has(caption, list), labels[index[label]] == 1; got != want {
					t.Fatalf("scene %d, %q: %s named %v, label %v", i, caption, label, got, want)
				}
			}
			for label, list := range optional {
				if has(caption, list) && labels[index[label]] != 1 {
					t.Fatalf("scene %d, %q names %s against its label", i, caption, label)
				}
			}
		}
	}
}

// TestLabelsIgnorePlace moves everything: the labels stay.
func TestLabelsIgnorePlace(t *testing.T) {
	for i := range 50 {
		s, _ := example(i)
		moved := s
		moved.Objects = slices.Clone(s.Objects)
		for j := range moved.Objects {
			moved.Objects[j].X = 1 - moved.Objects[j].X
		}
		if !slices.Equal(s.Labels(), moved.Labels()) {
			t.Fatalf("labels of scene %d change with the place", i)
		}
	}
}

func TestCaptions(t *testing.T) {
	vocabulary := make(map[string]bool)
	long, all := 0, 0
	for i := range 1000 {
		s, r := example(i)
		captions := s.Captions(r, 5)
		if len(captions) != 5 {
			t.Fatalf("scene %d: %d captions, want 5", i, len(captions))
		}
		if distinct := slices.Compact(slices.Sorted(slices.Values(captions))); len(distinct) != 5 {
			t.Errorf("scene %d repeats a caption: %q", i, captions)
		}
		for _, c := range captions {
			fields := strings.Fields(strings.ReplaceAll(c, ",", " ,"))
			if len(fields) > 30 {
				t.Errorf("%q has %d words, more than the text encoder takes", c, len(fields))
			}
			if all++; len(fields) > 24 {
				long++
			}
			for _, w := range fields {
				vocabulary[w] = true
			}
		}
	}
	if len(vocabulary) > 150 {
		t.Errorf("captions use %d words, want 150 at most", len(vocabulary))
	}
	if long*10 > all {
		t.Errorf("%d of %d captions have more than 24 words", long, all)
	}
}

// TestEveryLabelOccurs guards against kinds or colours that are never drawn.
func TestEveryLabelOccurs(t *testing.T) {
	sum := make([]float32, len(LabelNames))
	for i := range 2000 {
		s, _ := example(i)
		for j, v := range s.Labels() {
			sum[j] += v
		}
	}
	for j, v := range sum {
		if v < 20 {
			t.Errorf("label %q occurs in %.0f of 2000 scenes", LabelNames[j], v)
		}
	}
}
