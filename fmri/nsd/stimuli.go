package nsd

import (
	"fmt"
	"image"

	"percept/fmri/internal/hdf5"
)

// Stimuli is the open file of all images, which are read one by one.
type Stimuli struct {
	path          string
	file          *hdf5.File
	bricks        *hdf5.Dataset
	n             int
	Height, Width int
}

// Stimuli opens the images: dataset imgBrick [images, height, width, 3] of uint8, of any size and storage. The file stays
// open until the Dataset is closed.
func (d *Dataset) Stimuli() (*Stimuli, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stimuli != nil {
		return d.stimuli, nil
	}
	s, err := openStimuli(d.Paths.Stimuli())
	if err == nil {
		d.stimuli = s
	}
	return s, err
}

// Stimulus reads one image.
func (d *Dataset) Stimulus(id ImageID) (*image.RGBA, error) {
	s, err := d.Stimuli()
	if err != nil {
		return nil, err
	}
	return s.Image(id)
}

func openStimuli(path string) (*Stimuli, error) {
	if err := need(path, "the images that were shown"); err != nil {
		return nil, err
	}
	f, err := hdf5.Open(path)
	if err != nil {
		return nil, err
	}
	d, err := f.Dataset("imgBrick")
	if err != nil {
		f.Close()
		return nil, err
	}
	s, t8 := d.Shape(), d.Type()
	if len(s) != 4 || s[3] != 3 || t8.Class != hdf5.Fixed || t8.Size != 1 || t8.Signed {
		f.Close()
		return nil, fmt.Errorf("%s: imgBrick of shape %v, %s, expected images, height, width, 3 of uint8", path, s, t8)
	}
	return &Stimuli{path: path, file: f, bricks: d, n: s[0], Height: s[1], Width: s[2]}, nil
}

// Len is the number of images.
func (s *Stimuli) Len() int { return s.n }

// Pixels reads an image into dst [Height, Width, 3], red, green, blue.
func (s *Stimuli) Pixels(dst []uint8, id ImageID) error {
	if id < 0 || int(id) >= s.n {
		return fmt.Errorf("%s: image %d (0-based) of %d", s.path, id, s.n)
	}
	return hdf5.ReadSlab(s.bricks, dst, []int{int(id), 0, 0, 0}, []int{1, s.Height, s.Width, 3})
}

// Image reads an image.
func (s *Stimuli) Image(id ImageID) (*image.RGBA, error) {
	rgb := make([]uint8, s.Height*s.Width*3)
	if err := s.Pixels(rgb, id); err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, s.Width, s.Height))
	for i := range s.Height * s.Width {
		copy(img.Pix[4*i:], rgb[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img, nil
}
