package features_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"percept/fmri/study/features"
	"percept/fmri/table"
)

// An extractor of one's own, the mean brightness of a picture between 0 and 1, of two pictures of a folder.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "features")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	for name, v := range map[string]uint8{"dark.png": 51, "light.png": 204} {
		m := image.NewGray(image.Rect(0, 0, 8, 8))
		for i := range m.Pix {
			m.Pix[i] = v
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			fmt.Println(err)
			return
		}
		defer f.Close()
		if err := png.Encode(f, m); err != nil {
			fmt.Println(err)
			return
		}
	}
	source, err := features.Folder(dir, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	brightness := features.Extractor{Name: "brightness", Shape: []int{1}, Pictures: true,
		Of: func(_ context.Context, images []features.Image) ([]float32, error) {
			var values []float32
			for _, m := range images {
				picture, err := m.Picture()
				if err != nil {
					return nil, err
				}
				size, sum := picture.Bounds().Size(), 0.0
				for y := range size.Y {
					for x := range size.X {
						sum += float64(color.GrayModel.Convert(picture.At(x, y)).(color.Gray).Y) / 255
					}
				}
				values = append(values, float32(sum/float64(size.X*size.Y)))
			}
			return values, nil
		}}
	path := filepath.Join(dir, table.FileName(brightness.Name, table.Shard{}))
	for range 2 {
		upToDate, err := features.Write(context.Background(), path, brightness, source, features.WriteOptions{})
		fmt.Println("up to date:", upToDate, err)
	}
	f, err := table.OpenFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	values, err := f.Table().Matrix(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, name := range f.Names {
		fmt.Printf("%s %.1f\n", name, values.At(i, 0))
	}
	// Output:
	// up to date: false <nil>
	// up to date: true <nil>
	// dark.png 0.2
	// light.png 0.8
}
