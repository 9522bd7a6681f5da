package sim

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"percept/fmri/sim/scene"
)

// small is an experiment of a few hundred milliseconds.
var small = Options{
	SharedImages: 8, OwnImages: 40, Sessions: 4, Runs: 2, Shape: [3]int{14, 16, 12},
	EarlyVoxels: 160, MidVoxels: 30, HigherVoxels: 80,
}

// fixture is a brain with its calibration; tests share them and must not change them.
type fixture struct {
	b         *brain
	d         *design
	responses [][]float32
}

var fixtures = map[string]fixture{}

func smallBrain(t *testing.T, o Options, subject int) (*brain, *design, [][]float32) {
	t.Helper()
	key := fmt.Sprint(o, subject)
	if f, ok := fixtures[key]; ok {
		return f.b, f.d, f.responses
	}
	o = o.withDefaults()
	d := newDesign(o)
	stimuli, err := drawStimuli(context.Background(), o, d.images, func() {})
	if err != nil {
		t.Fatal(err)
	}
	var seen []stimulus
	for _, id := range d.seen(subject) {
		seen = append(seen, stimuli[id])
	}
	b, responses, err := newBrain(context.Background(), o, subject, seen)
	if err != nil {
		t.Fatal(err)
	}
	fixtures[key] = fixture{b, d, responses}
	return b, d, responses
}

func TestResponsesAreStandardised(t *testing.T) {
	b, _, responses := smallBrain(t, small, 0)
	for v := range b.visual {
		var sum, sq float64
		for _, r := range responses {
			sum += float64(r[v])
			sq += float64(r[v]) * float64(r[v])
		}
		n := float64(len(responses))
		if mean, sd := sum/n, math.Sqrt(sq/n-sum/n*sum/n); math.Abs(mean) > 1e-5 || math.Abs(sd-1) > 1e-4 {
			t.Fatalf("visual voxel %d (streams %d): mean %g, standard deviation %g over the pictures", v, b.streams[b.visual[v]], mean, sd)
		}
	}
}

// A higher voxel does not notice that everything stands elsewhere; early voxels do.
func TestHigherVoxelsIgnorePlace(t *testing.T) {
	b, _, _ := smallBrain(t, small, 0)
	s := scene.Random(rand.New(rand.NewPCG(5, 5)))
	moved := s
	moved.Objects = append([]scene.Object(nil), s.Objects...)
	for i := range moved.Objects {
		moved.Objects[i].X = 1 - moved.Objects[i].X
	}
	here, there := b.respond(newStimulus(s, 96)), b.respond(newStimulus(moved, 96))
	changed, of := 0, 0
	for i, v := range b.visual {
		switch {
		case b.streams[v] >= ventral && here[i] != there[i]:
			t.Errorf("voxel %d of %s: %g, and %g with everything elsewhere", v, streamsNames[b.streams[v]], here[i], there[i])
		case b.streams[v] == early:
			of++
			if math.Abs(float64(here[i]-there[i])) > 0.2 {
				changed++
			}
		}
	}
	if changed < of/5 {
		t.Errorf("%d of %d early voxels noticed that everything moved", changed, of)
	}
}

// A spot moves an early voxel when it is inside its field and not when it is far outside.
func TestEarlyVoxelsSeeTheirFieldOnly(t *testing.T) {
	b, _, _ := smallBrain(t, small, 0)
	grey := image.NewRGBA(image.Rect(0, 0, 96, 96))
	for i := range grey.Pix {
		grey.Pix[i] = 127
	}
	blank := b.respond(stimulus{maps: look(grey), labels: make([]float32, len(scene.LabelNames))})
	for i, f := range b.fields {
		if b.streams[b.visual[i]] != early {
			continue
		}
		const perDegree = 96 / fieldOfView
		spot := func(xDeg, yDeg float64) float64 {
			img := image.NewRGBA(grey.Rect)
			copy(img.Pix, grey.Pix)
			cx, cy := int(48+xDeg*perDegree), int(48-yDeg*perDegree)
			for y := cy - 6; y < cy+6; y++ {
				for x := cx - 6; x < cx+6; x++ {
					if (image.Point{X: x, Y: y}).In(img.Rect) {
						c := color.RGBA{R: 255, G: 40, B: 20, A: 255}
						if (x/3+y/2)%2 == 0 {
							c = color.RGBA{R: 10, G: 30, B: 230, A: 255}
						}
						img.SetRGBA(x, y, c)
					}
				}
			}
			return math.Abs(b.calibrated(i, look(img)) - float64(blank[i]))
		}
		// The opposite corner, if it lies beyond the field, its filters and the spot.
		far := [2]float64{math.Copysign(3.5, -f.X), math.Copysign(3.5, -f.Y)}
		if math.Hypot(far[0]-f.X, far[1]-f.Y) > 2.5*f.Sigma+3.2 {
			if d := spot(far[0], far[1]); d > 1e-3 {
				t.Errorf("field at %.1f, %.1f, sigma %.1f degrees: a spot at %v changes the response by %.3f", f.X, f.Y, f.Sigma, far, d)
			}
		}
		if d := spot(f.X, f.Y); d < 0.05 {
			t.Errorf("field at %.1f, %.1f, sigma %.1f degrees: a spot inside changes the response by %.3f only", f.X, f.Y, f.Sigma, d)
		}
	}
}

// calibrated is the response of one early voxel to a picture.
func (b *brain) calibrated(v int, m maps) float64 {
	return b.field[v].gain * (b.fields[v].respond(m, &b.scale) - b.field[v].mean)
}

func TestRetinotopy(t *testing.T) {
	b, _, _ := smallBrain(t, small, 1)
	sizes := map[int16][]float64{}
	for i, v := range b.visual {
		f := b.fields[i]
		if b.streams[v] != early {
			continue
		}
		area := b.prf[v]
		if area < 1 {
			t.Fatalf("early voxel %d has no area", v)
		}
		if left := b.pos[v][0] < 0; left != (f.X > 0) {
			t.Errorf("voxel at x %.2f sees x %.2f degrees: the wrong hemisphere", b.pos[v][0], f.X)
		}
		if dorsal := area == 2 || area == 4 || area == 6; area != 7 && dorsal != (f.Y < 0) {
			t.Errorf("%s voxel sees y %.2f degrees: the wrong quarter", prfNames[area], f.Y)
		}
		if edge := fieldOfView / 2 * (1 + 1e-9); math.Abs(f.X) > edge || math.Abs(f.Y) > edge {
			t.Errorf("field centre %.2f, %.2f is outside the picture", f.X, f.Y)
		}
		sizes[area] = append(sizes[area], f.Sigma)
	}
	mean := func(v []float64) (m float64) {
		for _, x := range v {
			m += x / float64(len(v))
		}
		return m
	}
	if v1, v3, v4 := mean(sizes[1]), mean(sizes[5]), mean(sizes[7]); !(v1 < v3 && v3 < v4) {
		t.Errorf("mean field sizes V1v %.2f, V3v %.2f, hV4 %.2f degrees do not grow", v1, v3, v4)
	}
}

func TestGaborsPreferTheirOrientation(t *testing.T) {
	for o := range 4 {
		angle := float64(o) * math.Pi / 4
		img := image.NewRGBA(image.Rect(0, 0, 96, 96))
		for y := range 96 {
			for x := range 96 {
				// Bars at 0 degrees are horizontal; y grows downwards in the picture.
				phase := 2 * math.Pi / 8 * (-float64(x)*math.Sin(angle) + float64(y)*math.Cos(angle))
				g := uint8(127 + 100*math.Sin(phase))
				img.SetRGBA(x, y, color.RGBA{R: g, G: g, B: g, A: 255})
			}
		}
		at := look(img)[12*mapSize+12]
		for other := range 4 {
			if other != o && at[orientation+other] > at[orientation+o]/2 {
				t.Errorf("bars of orientation %d: energy %.3f, and %.3f in channel %d", o, at[orientation+o], at[orientation+other], other)
			}
		}
	}
}

func TestColourChannels(t *testing.T) {
	for _, c := range []struct {
		name    string
		colour  color.RGBA
		channel int
	}{
		{"white", color.RGBA{R: 255, G: 255, B: 255, A: 255}, onLuminance},
		{"black", color.RGBA{A: 255}, offLuminance},
		{"red", color.RGBA{R: 255, A: 255}, reddish},
		{"green", color.RGBA{G: 255, A: 255}, greenish},
		{"blue", color.RGBA{B: 255, A: 255}, bluish},
		{"yellow", color.RGBA{R: 255, G: 255, A: 255}, yellowish},
	} {
		img := image.NewRGBA(image.Rect(0, 0, 50, 70))
		for i := range 50 * 70 {
			img.SetRGBA(i%50, i/50, c.colour)
		}
		at := look(img)[5]
		for ch := onLuminance; ch <= yellowish; ch++ {
			if ch != c.channel && at[ch] > at[c.channel] {
				t.Errorf("%s: channel %s answers with %.2f, %s with %.2f", c.name, channelNames[ch], at[ch], channelNames[c.channel],
					at[c.channel])
			}
		}
		if at[contrast] > 1e-6 || at[orientation] > 0.05 {
			t.Errorf("%s without an edge has contrast %.3g and energy %.3g", c.name, at[contrast], at[orientation])
		}
	}
}
