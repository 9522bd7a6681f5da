package verify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"slices"
	"strconv"
	"strings"

	"percept/internal/picture"
)

const (
	pillowFile      = "images/pil.safetensors"
	interpolateFile = "images/torch_interpolate.safetensors"
)

// imageCases are those of reading and resizing pictures.
func imageCases(s *set) []Case {
	for _, f := range s.under("images") {
		if strings.HasSuffix(f, ".png") { // inputs of the cases below
			s.has(f)
		}
	}
	for _, f := range []string{"images/pil.json", pillowFile, "images/torch_interpolate.json", interpolateFile} {
		s.want(f)
	}
	return []Case{
		{Name: "images: Pillow resize and load_img", run: pillowResize},
		{Name: "images: colour conversion and to_uint8", run: pillowColours},
		{Name: "images: torch interpolate", run: torchInterpolate},
	}
}

// pillowImages is images/pil.json.
type pillowImages struct {
	Pillow, Torch string
	Images        []struct {
		Name    string
		SizeWH  [2]int `json:"size_wh"`
		Resizes map[string]struct {
			SHA256 string  `json:"sha256_hwc_u8"`
			Mean   float64 `json:"mean"`
		}
		LoadShape []int `json:"load_img_shape"`
	}
}

// pillowResize scales the pictures of the set and compares all pixels by their SHA-256, and some one by one.
func pillowResize(_ context.Context, c *check) {
	var list pillowImages
	c.json("images/pil.json", &list)
	for _, p := range list.Images {
		m := c.picture("images/" + p.Name + ".png")
		c.equalPixels(p.Name, hwc(m), p.Name)
		c.that(m.Rect.Size() == image.Pt(p.SizeWH[0], p.SizeWH[1]), "%s: %v, the reference has %v", p.Name, m.Rect.Size(), p.SizeWH)
		for key, want := range p.Resizes {
			f, w, h := c.resizeKey(key)
			got := picture.Resize(m, w, h, f)
			name := p.Name + "." + key
			sum := sha256.Sum256(hwc(got))
			c.that(hex.EncodeToString(sum[:]) == want.SHA256, "%s: SHA-256 of the pixels differs from the reference's", name)
			if mean := mean(hwc(got)); mean-want.Mean > 1e-9 || want.Mean-mean > 1e-9 {
				c.problem("%s: mean %.6f, the reference has %.6f", name, mean, want.Mean)
			}
			c.resized(name, got)
		}
		x, w, h, err := picture.Load(m, picture.LoadOptions{})
		c.must(err)
		c.that(slices.Equal([]int{1, 3, h, w}, p.LoadShape), "%s.load_img: 1×3×%d×%d, the reference has %v", p.Name, h, w, p.LoadShape)
		c.near(p.Name+".load_img", x, c.float32s(pillowFile, p.Name+".load_img"), 1.2e-7)
	}
}

// resizeKey takes a key such as "lanczos_37x91" apart.
func (c *check) resizeKey(key string) (f picture.Filter, w, h int) {
	name, size, _ := strings.Cut(key, "_")
	f, err := picture.ParseFilter(name)
	c.must(err)
	_, err = fmt.Sscanf(size, "%dx%d", &w, &h)
	if err != nil {
		c.must(fmt.Errorf("images/pil.json: key %q, want filter_WxH", key))
	}
	return f, w, h
}

// resized compares a result with what a set holds of it: all, or every n-th pixel and the centre.
func (c *check) resized(name string, m *image.RGBA) {
	st, err := c.set.open(pillowFile)
	c.must(err)
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if _, _, ok := st.Info(name); ok {
		c.equalPixels(name, hwc(m), name)
		return
	}
	for _, tensor := range st.Names() {
		part, ok := strings.CutPrefix(tensor, name+".")
		if !ok {
			continue
		}
		pixels := hwc(m)
		var got []byte
		switch {
		case strings.HasPrefix(part, "stride"):
			step, err := strconv.Atoi(strings.TrimPrefix(part, "stride"))
			c.must(err)
			for y := 0; y < h; y += step {
				for x := 0; x < w; x += step {
					got = append(got, pixels[3*(y*w+x):][:3]...)
				}
			}
		case part == "crop32":
			for y := (h - 32) / 2; y < (h+32)/2; y++ {
				got = append(got, pixels[3*(y*w+(w-32)/2):][:3*32]...)
			}
		default:
			continue // unknown, and listed as such
		}
		c.equalPixels(tensor, got, tensor)
	}
}

// equalPixels compares 8-bit values with those of a tensor.
func (c *check) equalPixels(label string, got []byte, tensor string) {
	c.comparisons++
	want := c.ints(pillowFile, tensor)
	if len(got) != len(want) {
		c.problem("%s: %d values, the reference has %d", label, len(got), len(want))
		return
	}
	for i, w := range want {
		if int64(got[i]) != w {
			c.problem("%s: value %d is %d, the reference has %d", label, i, got[i], w)
			return
		}
	}
}

// picture reads a picture of the set.
func (c *check) picture(file string) *image.RGBA {
	b, err := c.set.read(file)
	c.must(err)
	m, err := picture.Decode(c.set.path(file), b)
	c.must(err)
	return m
}

// hwc lists a picture's red, green and blue, row after row.
func hwc(m *image.RGBA) []byte {
	out := make([]byte, 0, 3*len(m.Pix)/4)
	for i := 0; i < len(m.Pix); i += 4 {
		out = append(out, m.Pix[i:i+3]...)
	}
	return out
}

func mean(x []byte) float64 {
	sum := 0
	for _, v := range x {
		sum += int(v)
	}
	return float64(sum) / float64(len(x))
}

// pillowColours checks what convert("RGB") and convert("L") make of each mode, and how floats become levels.
func pillowColours(_ context.Context, c *check) {
	for _, name := range []string{"rgba", "gray", "palette"} {
		c.equalPixels(name+".png", hwc(c.picture("images/"+name+".png")), name+"_convert_RGB")
	}
	// What Pillow makes of 16-bit grey follows from its values: clipped at 255.
	var grey []byte
	for _, v := range c.ints(pillowFile, "gray16") {
		level := byte(min(uint16(v), 255))
		grey = append(grey, level, level, level)
	}
	c.that(slices.Equal(hwc(c.picture("images/gray16.png")), grey), "gray16.png: not the reference's values, clipped at 255")
	c.equalPixels("gray_L", picture.Gray(c.picture("images/img0.png")), "gray_L")

	x := c.float32s(pillowFile, "to_uint8.input")
	shape := c.shape(pillowFile, "to_uint8.input", 4)
	for name, rule := range map[string]picture.Rounding{"to_uint8.ldm_truncate_hwc": picture.Truncate, "to_uint8.diffusers_round_hwc": picture.HalfToEven} {
		m, err := picture.FromFloat(x, shape[3], shape[2], rule)
		c.must(err)
		c.equalPixels(name, hwc(m), name)
	}
}

// torchInterpolate compares with torch in float64; a report says how far its own float32 is from that.
func torchInterpolate(_ context.Context, c *check) {
	var report struct {
		Layout string
		F32    map[string]float64 `json:"f32_max_abs_error"`
	}
	c.json("images/torch_interpolate.json", &report)
	in := c.shape(interpolateFile, "input", 4)
	x := c.float32s(interpolateFile, "input")
	st, err := c.set.open(interpolateFile)
	c.must(err)
	for key := range report.F32 {
		_, _, ok := st.Info(key)
		c.that(ok, "images/torch_interpolate.json: %s is no tensor of the set", key)
	}
	for _, key := range st.Names() {
		if key == "input" {
			continue
		}
		parts := strings.Split(key, ".")
		mode, err := picture.ParseMode(parts[0])
		c.must(err)
		out := c.shape(interpolateFile, key, 4)
		var o picture.InterpolateOptions
		for _, p := range parts[1:] {
			switch p {
			case "antialias":
				o.Antialias = true
			case "align_corners":
				o.AlignCorners = true
			case "scale2":
				o.ScaleH, o.ScaleW = 2, 2
			}
		}
		got, err := picture.Interpolate(x, in[0], in[1], in[2], in[3], out[2], out[3], mode, o)
		c.must(err)
		want := c.float32s(interpolateFile, key)
		tol := 1e-5
		if e, ok := report.F32[key]; ok { // the nearest modes copy
			tol = min(tol, tolerance(e, rms(want)))
		}
		if strings.HasPrefix(key, "nearest") {
			c.bits(key, got, want)
			continue
		}
		c.near(key, got, want, tol)
	}
}
