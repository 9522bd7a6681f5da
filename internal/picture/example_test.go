package picture_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"

	"percept/internal/picture"
)

// A stimulus of 425×425 becomes the input of a model at 320×320, and a picture again.
func Example() {
	stimulus := image.NewRGBA(image.Rect(0, 0, 425, 425))
	for i := range 425 * 425 {
		stimulus.Set(i%425, i/425, color.RGBA{uint8(i % 425 / 2), 100, 200, 255})
	}
	x, w, h, err := picture.Load(stimulus, picture.LoadOptions{Width: 320, Height: 320})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d values, %d×%d, green %.4f\n", len(x), w, h, x[w*h])
	m, err := picture.FromFloat(x, w, h, picture.HalfToEven)
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if err := picture.EncodePNG(&file, m, []picture.Text{{Key: "Source", Value: "a gradient"}}); err != nil {
		fmt.Println(err)
		return
	}
	text, err := picture.DecodeText("gradient.png", file.Bytes())
	fmt.Println(m.RGBAAt(0, 0), text, err)
	// Output:
	// 307200 values, 320×320, green -0.2157
	// {0 100 200 255} [{Source a gradient}] <nil>
}
