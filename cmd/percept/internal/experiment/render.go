package experiment

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"percept/cmd/percept/internal/stage"
	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/nsd"
	"percept/fmri/ridge"
)

// A look is one kind of picture of a test image.
type look struct {
	name    string // of the method in tables, and of its folder
	folder  string
	explain string
	source  string // "decoded", "shuffled" or "true"
	method  decode.Method
}

// Shuffled names the control whose decoders were fitted on shuffled pairs.
const Shuffled = "shuffled z+c"

// decodedLooks come from a brain, trueLooks from the image's own features.
var (
	decodedLooks = []look{
		{"z", "z", "decoded z alone, without diffusion", "decoded", decode.ZOnly},
		{"c", "c", "decoded c alone, from noise", "decoded", decode.COnly},
		{"z+c", "zc", "decoded z, noised and denoised under decoded c", "decoded", decode.ZC},
		{Shuffled, "shuffled_zc", "decoders fitted on shuffled pairs of brain and image", "shuffled", decode.ZC},
	}
	trueLooks = []look{
		{"true z", "true_z", "the image's own z: what the VAE can show", "true", decode.ZOnly},
		{"true c", "true_c", "the image's own c, from noise", "true", decode.COnly},
		{"true z+c", "true_zc", "the image's own z and c: the ceiling of z+c", "true", decode.ZC},
	}
)

const truthFolder = "pictures_true"

func picturesFolder(subject string) string { return "pictures_" + subject }

// testSet reads the test images of a subject and one source of features, cut to the number that is rendered.
func (r *Run) testSet(subject, source string) (ids []fmri.ImageID, z, c ridge.Matrix, err error) {
	f := openFile(r.stages.Path(decodedFile(subject)))
	ids, z, c = f.ids("images"), f.matrix(source+".z"), f.matrix(source+".c")
	if err = f.close(); err != nil {
		return nil, z, c, err
	}
	if n := r.Config.Render.Images; n > 0 && n < len(ids) {
		first := make([]int, n)
		for i := range first {
			first[i] = i
		}
		ids, z, c = ids[:n], z.Take(first), c.Take(first)
	}
	return ids, z, c, nil
}

// renderTruth makes the seen pictures and those of the images' own features, once for all subjects.
func (r *Run) renderTruth(ctx context.Context) error {
	first := r.Config.Subjects[0]
	s := stage.Stage{
		Name: "render-true", Title: "pictures from true features", Output: truthFolder,
		Inputs: []string{decodedFile(first)}, Params: []any{r.Config.Render, r.Config.Seed}, Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			ids, _, _, err := r.testSet(first, "true")
			if err != nil {
				return err
			}
			data, err := nsd.Open(r.dataRoot())
			if err != nil {
				return err
			}
			seen, err := r.stimuli(data, ids)
			if err != nil {
				return err
			}
			if err := savePictures(filepath.Join(tmp, "seen"), ids, seen); err != nil {
				return err
			}
			return r.renderLooks(ctx, first, trueLooks, tmp, p)
		},
	}
	if err := r.dependOnData(&s); err != nil {
		return err
	}
	return r.stages.Do(ctx, s)
}

// render makes the pictures of one subject's brain.
func (r *Run) render(ctx context.Context, subject string) error {
	return r.stages.Do(ctx, stage.Stage{
		Name: "render-" + subject, Title: "pictures from " + subject, Output: picturesFolder(subject),
		Inputs: []string{decodedFile(subject)}, Params: []any{r.Config.Render, r.Config.Seed}, Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			return r.renderLooks(ctx, subject, decodedLooks, tmp, p)
		},
	})
}

func (r *Run) renderLooks(ctx context.Context, subject string, looks []look, dir string, p stage.Progress) error {
	side := r.Model.Size / r.Model.VAE.Config.Downscale()
	for k, l := range looks {
		ids, z, c, err := r.testSet(subject, l.source)
		if err != nil {
			return err
		}
		pictures, err := decode.Render(ctx, r.Model, l.method, z, c, side, side, r.Config.renderOptions(),
			func(done, total int) { p(k*total+done, len(looks)*total) })
		if err != nil {
			return fmt.Errorf("%s, %s: %w", subject, l.name, err)
		}
		images := make([]image.Image, len(pictures))
		for i, m := range pictures {
			images[i] = m
		}
		if err := savePictures(filepath.Join(dir, l.folder), ids, images); err != nil {
			return err
		}
	}
	return nil
}

func pictureName(id fmri.ImageID) string { return fmt.Sprintf("%05d.png", id) }

func savePictures(dir string, ids []fmri.ImageID, pictures []image.Image) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for i, id := range ids {
		f, err := os.Create(filepath.Join(dir, pictureName(id)))
		if err != nil {
			return err
		}
		if err := png.Encode(f, pictures[i]); err != nil {
			f.Close()
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

func loadPictures(dir string, ids []fmri.ImageID) ([]image.Image, error) {
	out := make([]image.Image, len(ids))
	for i, id := range ids {
		path := filepath.Join(dir, pictureName(id))
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		out[i], err = png.Decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out, nil
}
