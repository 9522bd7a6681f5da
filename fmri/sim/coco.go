package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"percept/fmri/sim/scene"
)

// cocoImage is a picture as the Microsoft COCO data set knows it.
type cocoImage struct {
	id       int
	split    string // train2017 or val2017
	crop     string // cut away before showing: (top, bottom, left, right), parts of the picture
	loss     float64
	captions []string
}

// captionsPerImage is COCO's usual number.
const captionsPerImage = 5

// drawCOCO gives every picture of the experiment its COCO identity and captions. One picture in
// eight more, at the end, belongs to COCO alone, as most of COCO does: who reads captions has to go
// by the id.
func (t *tree) drawCOCO() []cocoImage {
	n := t.design.images
	all := n + n/8
	r := stream(t.options.Seed, forCOCO)
	images := make([]cocoImage, all)
	taken := map[int]bool{}
	for i := range images {
		id := 1 + r.IntN(581929)
		for taken[id] {
			id = 1 + r.IntN(581929)
		}
		taken[id] = true
		c := cocoImage{id: id, split: "train2017", loss: math.Round(1e6*r.Float64()) / 1e6}
		if r.Float64() < 0.2 {
			c.split = "val2017"
		}
		side := math.Round(1e6*0.2*r.Float64()) / 1e6
		switch r.IntN(3) {
		case 0:
			c.crop = fmt.Sprintf("(%s, 0.0, 0.0, 0.0)", float(side))
		case 1:
			c.crop = fmt.Sprintf("(0.0, 0.0, %s, %s)", float(side), float(side))
		default:
			c.crop = "(0.0, 0.0, 0.0, 0.0)"
		}
		s := scene.Scene{}
		if i < n {
			s = t.stimuli[i].scene
		} else {
			s = sceneOf(t.options.Seed, i)
		}
		c.captions = s.Captions(stream(t.options.Seed, forCaptions, uint64(i)), captionsPerImage)
		images[i] = c
	}
	return images
}

// float prints as Python does, with a point in every number.
func float(v float64) string {
	if v == math.Trunc(v) {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprint(v)
}

// The members of a COCO captions file, in COCO's order.
type (
	cocoFile struct {
		Info        cocoInfo         `json:"info"`
		Licenses    []cocoLicense    `json:"licenses"`
		Images      []cocoFileImage  `json:"images"`
		Annotations []cocoAnnotation `json:"annotations"`
	}
	cocoInfo struct {
		Description string `json:"description"`
		Version     string `json:"version"`
		Year        int    `json:"year"`
	}
	cocoLicense struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	cocoFileImage struct {
		License  int    `json:"license"`
		FileName string `json:"file_name"`
		Height   int    `json:"height"`
		Width    int    `json:"width"`
		ID       int    `json:"id"`
	}
	cocoAnnotation struct {
		ImageID int    `json:"image_id"`
		ID      int    `json:"id"`
		Caption string `json:"caption"`
	}
)

// writeCaptions writes the captions of both splits; annotations come in no order of images.
func (t *tree) writeCaptions() error {
	r := stream(t.options.Seed, forCOCO, 1)
	for _, split := range []string{"train2017", "val2017"} {
		f := cocoFile{
			Info:        cocoInfo{"captions of drawn scenes, in the layout of COCO", "1.0", 2017},
			Licenses:    []cocoLicense{{1, "Apache-2.0"}},
			Images:      []cocoFileImage{},
			Annotations: []cocoAnnotation{},
		}
		for _, c := range t.coco {
			if c.split != split {
				continue
			}
			f.Images = append(f.Images, cocoFileImage{1, fmt.Sprintf("%012d.jpg", c.id), t.options.ImageSize, t.options.ImageSize, c.id})
			for _, caption := range c.captions {
				f.Annotations = append(f.Annotations, cocoAnnotation{ImageID: c.id, Caption: caption})
			}
		}
		r.Shuffle(len(f.Images), func(i, j int) { f.Images[i], f.Images[j] = f.Images[j], f.Images[i] })
		r.Shuffle(len(f.Annotations), func(i, j int) { f.Annotations[i], f.Annotations[j] = f.Annotations[j], f.Annotations[i] })
		for i := range f.Annotations {
			f.Annotations[i].ID = 37 + 3*i
		}
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(f); err != nil {
			return err
		}
		name := t.path("nsddata_stimuli/stimuli/nsd/annotations/captions_%s.json", split)
		if err := writeFile(name, bytes.TrimSpace(b.Bytes())); err != nil {
			return err
		}
	}
	return nil
}
