package verify

import (
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
func imageCases(*set) []testCase {
	return []testCase{
		{"images: Pillow resize and load_img", pillowResize},
		{"images: colour conversion and to_uint8", pillowColours},
		{"images: torch interpolate", torchInterpolate},
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
func pillowResize(c *check) {
	for _, p := range fromJSON[pillowImages](c, "images/pil.json").Images {
		m := c.picture("images/" + p.Name + ".png")
		c.equalPixels(p.Name, hwc(m), p.Name)
		c.that(m.Rect.Size() == image.Pt(p.SizeWH[0], p.SizeWH[1]), "%s: %v, the reference has %v", p.Name, m.Rect.Size(), p.SizeWH)
		for key, want := range p.Resizes {
			f, w, h := c.resizeKey(key)
			got := picture.Resize(m, w, h, f)
			name := p.Name + "." + key
			c.that(sha256Of(hwc(got)) == want.SHA256, "%s: SHA-256 of the pixels differs from the reference's", name)
			if mean := mean(hwc(got)); mean-want.Mean > 1e-9 || want.Mean-mean > 1e-9 {
				c.problem("%s: mean %.6f, the reference has %.6f", name, mean, want.Mean)
			}
			c.resized(name, got)
		}
		x, w, h, err := picture.Load(m, picture.LoadOptions{})
		c.must(err)
		c.that(slices.Equal([]int{1, 3, h, w}, p.LoadShape), "%s.load_img: 1×3×%d×%d, the reference has %v", p.Name, h, w, p.LoadShape)
		near(c, p.Name+".load_img", x, c.float32s(pillowFile, p.Name+".load_img"), 1.2e-7)
	}
}

// resizeKey takes a key such as "lanczos_37x91" apart.
func (c *check) resizeKey(key string) (f picture.Filter, w, h int) {
	name, size, _ := strings.Cut(key, "_")
	if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil {
		c.must(fmt.Errorf("images/pil.json: key %q, expected filter_WxH", key))
	}
	return must(picture.ParseFilter(name)), w, h
}

// resized compares a result with what a set holds of it: all, or every n-th pixel and the centre.
func (c *check) resized(name string, m *image.RGBA) {
	if c.holds(pillowFile, name) {
		c.equalPixels(name, hwc(m), name)
		return
	}
	w, h, pixels := m.Rect.Dx(), m.Rect.Dy(), hwc(m)
	for _, tensor := range c.open(pillowFile).Names() {
		part, ok := strings.CutPrefix(tensor, name+".")
		stride, every := strings.CutPrefix(part, "stride")
		switch {
		case ok && every:
			step := must(strconv.Atoi(stride))
			c.equalPixels(tensor, crop(pixels, w, 0, 0, (w+step-1)/step, (h+step-1)/step, step), tensor)
		case ok && part == "crop32":
			c.equalPixels(tensor, crop(pixels, w, (w-32)/2, (h-32)/2, 32, 32, 1), tensor)
		}
	}
}

// crop takes cols×rows pixels of a picture w wide, from (left, top) on, every step-th.
func crop(pixels []byte, w, left, top, cols, rows, step int) []byte {
	var out []byte
	for y := range rows {
		for x := range cols {
			out = append(out, pixels[3*((top+y*step)*w+left+x*step):][:3]...)
		}
	}
	return out
}

// equalPixels compares 8-bit values with those of a tensor.
func (c *check) equalPixels(label string, got []byte, tensor string) {
	whole(c, label, got, c.ints(pillowFile, tensor))
}

// picture reads a picture of the set.
func (c *check) picture(file string) *image.RGBA {
	return must(picture.Decode(c.set.path(file), must(c.set.read(file))))
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
func pillowColours(c *check) {
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
	for name, rule := range map[string]picture.Rounding{"to_uint8.ldm_truncate_hwc": picture.Truncate,
		"to_uint8.diffusers_round_hwc": picture.HalfToEven} {
		m := must(picture.FromFloat(x, shape[3], shape[2], rule))
		c.equalPixels(name, hwc(m), name)
	}
}

// torchInterpolate compares with torch in float64; a report says how far its own float32 is from that.
func torchInterpolate(c *check) {
	report := fromJSON[struct {
		Layout string
		F32    map[string]float64 `json:"f32_max_abs_error"`
	}](c, "images/torch_interpolate.json")
	in := c.shape(interpolateFile, "input", 4)
	x := c.float32s(interpolateFile, "input")
	for key := range report.F32 {
		c.that(c.holds(interpolateFile, key), "images/torch_interpolate.json: %s is no tensor of the set", key)
	}
	for _, key := range c.open(interpolateFile).Names() {
		if key == "input" {
			continue
		}
		parts := strings.Split(key, ".")
		mode := must(picture.ParseMode(parts[0]))
		out := c.shape(interpolateFile, key, 4)
		o := picture.InterpolateOptions{Antialias: slices.Contains(parts, "antialias"),
			AlignCorners: slices.Contains(parts, "align_corners")}
		if slices.Contains(parts, "scale2") {
			o.ScaleH, o.ScaleW = 2, 2
		}
		got := must(picture.Interpolate(x, in[0], in[1], in[2], in[3], out[2], out[3], mode, o))
		want := c.float32s(interpolateFile, key)
		if strings.HasPrefix(key, "nearest") { // which copies
			c.bits(key, got, want)
			continue
		}
		tol := 1e-5
		if e, ok := report.F32[key]; ok {
			tol = min(tol, tolerance(e, rms(want)))
		}
		near(c, key, got, want, tol)
	}
}
