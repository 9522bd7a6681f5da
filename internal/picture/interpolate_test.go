package picture

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
)

func TestInterpolateTorch(t *testing.T) {
	var cases []struct {
		Seed         uint64
		In           [4]int
		Out          [2]int
		Mode         string
		Antialias    bool
		AlignCorners bool `json:"align_corners"`
		Scale        [2]float64
		SHA256       string
		Base64       []byte
	}
	readJSON(t, "testdata/interpolate.json", &cases) // by testdata/make.py
	if len(cases) < 100 {
		t.Fatalf("%d cases, want all of make.py's", len(cases))
	}
	worst := 0.0
	for _, c := range cases {
		mode, err := ParseMode(c.Mode)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, c.In[0]*c.In[1]*c.In[2]*c.In[3])
		for i, v := range noise(len(x), c.Seed) {
			x[i] = float32(v)/64 - 2
		}
		o := InterpolateOptions{Antialias: c.Antialias, AlignCorners: c.AlignCorners, ScaleH: c.Scale[0], ScaleW: c.Scale[1]}
		y, err := Interpolate(x, c.In[0], c.In[1], c.In[2], c.In[3], c.Out[0], c.Out[1], mode, o)
		if err != nil {
			t.Fatal(err)
		}
		if c.SHA256 != "" {
			b, _ := binary.Append(nil, binary.LittleEndian, y)
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != c.SHA256 {
				t.Errorf("%s, %v to %v: not torch's bits", c.Mode, c.In, c.Out)
			}
			continue
		}
		if len(c.Base64) != 4*len(y) {
			t.Fatalf("%s, %v to %v: %d values, torch has %d", c.Mode, c.In, c.Out, len(y), len(c.Base64)/4)
		}
		for i, v := range y {
			want := math.Float32frombits(binary.LittleEndian.Uint32(c.Base64[4*i:]))
			d := math.Abs(float64(v - want))
			worst = max(worst, d)
			if !(d <= 5e-7) { // values reach 2.5: two units in the last place
				t.Errorf("%s, %v to %v, %+v: value %d is %v, torch has %v", c.Mode, c.In, c.Out, o, i, v, want)
				break
			}
		}
	}
	t.Logf("largest difference from torch %.2g", worst)
}

func TestInterpolateProperties(t *testing.T) {
	const h, w = 9, 14
	same := make([]float32, h*w)
	ramp := make([]float32, h*w)
	for i := range same {
		same[i] = 0.75
		ramp[i] = float32(i % w)
	}
	for mode := InterpolateNearest; mode <= InterpolateArea; mode++ {
		for _, o := range []InterpolateOptions{{}, {Antialias: true}, {AlignCorners: true}} {
			if mode != InterpolateBilinear && mode != InterpolateBicubic && o != (InterpolateOptions{}) {
				continue
			}
			for _, out := range [][2]int{{h, w}, {1, 1}, {3, 40}, {200, 2}} {
				y, err := Interpolate(same, 1, 1, h, w, out[0], out[1], mode, o)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range y {
					if math.Abs(float64(v-0.75)) > 1e-6 { // torch does not normalise the weights of plain bicubic
						t.Fatalf("%v %+v to %v: one value became %v", mode, o, out, v)
					}
				}
			}
			y, err := Interpolate(ramp, 1, 1, h, w, h, w, mode, o)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range y {
				if v != ramp[i] {
					t.Fatalf("%v %+v: the same size changes value %d from %v to %v", mode, o, i, ramp[i], v)
				}
			}
		}
	}
}

func TestInterpolateRejects(t *testing.T) {
	x := make([]float32, 12)
	for name, run := range map[string]func() ([]float32, error){
		"length": func() ([]float32, error) {
			return Interpolate(x, 1, 1, 3, 5, 2, 2, InterpolateBilinear, InterpolateOptions{})
		},
		"size": func() ([]float32, error) {
			return Interpolate(x, 1, 1, 3, 4, 0, 2, InterpolateBilinear, InterpolateOptions{})
		},
		"mode": func() ([]float32, error) { return Interpolate(x, 1, 1, 3, 4, 2, 2, 9, InterpolateOptions{}) },
		"area antialias": func() ([]float32, error) {
			return Interpolate(x, 1, 1, 3, 4, 2, 2, InterpolateArea, InterpolateOptions{Antialias: true})
		},
		"nearest corners": func() ([]float32, error) {
			return Interpolate(x, 1, 1, 3, 4, 2, 2, InterpolateNearest, InterpolateOptions{AlignCorners: true})
		},
		"scale": func() ([]float32, error) {
			return Interpolate(x, 1, 1, 3, 4, 2, 2, InterpolateNearest, InterpolateOptions{ScaleH: 2})
		},
	} {
		if _, err := run(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := ParseMode("trilinear"); err == nil {
		t.Error("an unknown mode was taken")
	}
}

// Float64 and float32 make the same of a picture, larger and smaller.
func TestResize64(t *testing.T) {
	const h, w = 19, 30
	planes, pix := make([]float32, 3*h*w), make([]float64, h*w*3)
	for i, v := range noise(len(pix), 9) {
		pix[i] = float64(v) / 255
		planes[i%3*h*w+i/3] = float32(pix[i])
	}
	for _, to := range [][2]int{{19, 30}, {25, 39}, {7, 11}, {40, 8}} {
		for _, antialias := range []bool{false, true} {
			want, err := Interpolate(planes, 1, 3, h, w, to[0], to[1], InterpolateBilinear, InterpolateOptions{Antialias: antialias})
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range Resize64(pix, h, w, to[0], to[1], antialias) {
				if d := math.Abs(v - float64(want[i%3*to[0]*to[1]+i/3])); !(d <= 2e-6) {
					t.Fatalf("%v, antialias %v: value %d is off by %.3g", to, antialias, i, d)
				}
			}
		}
	}
}
