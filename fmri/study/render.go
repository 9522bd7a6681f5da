package study

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/nsd"
	"percept/fmri/study/features"
	"percept/fmri/study/stage"
	"percept/fmri/table"
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
	allLooks = slices.Concat(decodedLooks, trueLooks)
)

const truthFolder = "pictures_true"

func picturesFolder(subject string) string { return "pictures_" + subject }

// of is the folder of the run directory with a subject's pictures of that kind.
func (l look) of(subject string) string {
	if l.source == "true" {
		return filepath.Join(truthFolder, l.folder)
	}
	return filepath.Join(picturesFolder(subject), l.folder)
}

// testImages lists the test images of a subject that are rendered.
func (r *Run) testImages(subject string) ([]fmri.ImageID, error) {
	t, err := r.openResponses(subject, test)
	if err != nil {
		return nil, err
	}
	ids := t.Rows.Images
	if n := r.Config.Render.Images; n > 0 && n < len(ids) {
		ids = ids[:n]
	}
	return ids, nil
}

// testSet is one source of features of test images.
type testSet struct {
	ids  []fmri.ImageID
	z, c *table.Table
}

// testSetOf is the test images of subjects that are rendered, each once, with z and c of them from the tables that open has.
func (r *Run) testSetOf(subjects []string, open func(feature string) (*table.Table, error)) (t testSet, err error) {
	for _, subject := range subjects {
		ids, err := r.testImages(subject)
		if err != nil {
			return t, err
		}
		t.ids = table.Rows{Images: append(t.ids, ids...)}.Distinct()
	}
	z, err := open("z")
	if err != nil {
		return t, err
	}
	c, err := open("c")
	if err != nil {
		return t, err
	}
	if t.z, err = z.ByImage(t.ids); err != nil {
		return t, err
	}
	t.c, err = c.ByImage(t.ids)
	return t, err
}

// renderTruth makes the seen pictures and those of the images' own features, once for all subjects.
func (r *Run) renderTruth() (stage.Stage, error) {
	s := stage.Stage{
		Name: "render-true", Title: "pictures from true features", Output: truthFolder, Resumes: true,
		Inputs: r.folders(responsesFolder), Params: r.renderParams(), Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			truth, err := r.testSetOf(r.Config.Subjects, r.openFeature)
			if err != nil {
				return err
			}
			h, w, err := r.pictureSize(truth.z)
			if err != nil {
				return err
			}
			data, err := nsd.Open(r.dataRoot())
			if err != nil {
				return err
			}
			defer data.Close()
			for _, id := range truth.ids {
				m, err := data.Stimulus(id)
				if err != nil {
					return err
				}
				if err := savePicture(filepath.Join(tmp, "seen", pictureName(id)), features.Resize(m, w, h)); err != nil {
					return err
				}
			}
			return r.renderLooks(ctx, trueLooks, func(string) (testSet, error) { return truth, nil }, tmp, p)
		},
	}
	r.dependOnData(&s, r.paths().Stimuli())
	return s, r.dependOnFeatures(&s)
}

func (r *Run) renderParams() map[string]any {
	return map[string]any{"render": r.Config.Render, "seed": r.Config.Seed}
}

// render makes the pictures of one subject's brain.
func (r *Run) render(subject string) stage.Stage {
	folders := map[string]string{"decoded": decodedFolder(subject), "shuffled": controlFolder(subject)}
	return stage.Stage{
		Name: "render-" + subject, Title: "pictures from " + subject, Output: picturesFolder(subject), Resumes: true,
		Inputs: []string{decodedFolder(subject), controlFolder(subject)}, Params: r.renderParams(), Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			return r.renderLooks(ctx, decodedLooks, func(source string) (testSet, error) {
				return r.testSetOf([]string{subject}, func(feature string) (*table.Table, error) {
					return r.decoded(folders[source], *r.Config.renders(feature))
				})
			}, tmp, p)
		},
	}
}

// pictureSize is the height and width of the pictures, in pixels: square as the model's own, or the sides of a latent that is not
// square.
func (r *Run) pictureSize(z *table.Table) (h, w int, err error) {
	if s := z.Cols.Shape; len(s) == 3 && s[1] != s[2] {
		if r.Config.Render.Size != 0 {
			return 0, 0, fmt.Errorf("render.size is %d, expected 0: z of %s is not square, and pictures have its sides",
				r.Config.Render.Size, z.Cols)
		}
		f := r.Model.VAE.Config.Downscale()
		return s[1] * f, s[2] * f, nil
	}
	side := cmp.Or(r.Config.Render.Size, r.Model.Size)
	return side, side, nil
}

// renderLooks makes the pictures that are not there yet, batch by batch.
func (r *Run) renderLooks(ctx context.Context, looks []look, features func(source string) (testSet, error), tmp string,
	p stage.Progress) error {
	o := decode.RenderOptions{Strength: r.Config.Render.Strength, Seed: r.Config.Seed}
	o.Sampling.Steps, o.Sampling.Guidance = r.Config.Render.Steps, r.Config.Render.Guidance
	for k, l := range looks {
		t, err := features(l.source)
		if err != nil {
			return err
		}
		if o.Height, o.Width, err = r.pictureSize(t.z); err != nil {
			return err
		}
		ids := t.ids
		dir := filepath.Join(tmp, l.folder)
		there := func(lo, hi int) bool {
			if _, err := loadPictures(dir, ids[lo:hi]); err != nil {
				return false // not made, or of a system that went down before it was on the disk
			}
			p(k*len(ids)+hi, len(looks)*len(ids))
			return true
		}
		err = decode.RenderEach(ctx, r.Model, l.method, t.z, t.c, o, there, func(lo int, pictures []*image.RGBA) error {
			for i, m := range pictures {
				if err := savePicture(filepath.Join(dir, pictureName(ids[lo+i])), m); err != nil {
					return err
				}
			}
			p(k*len(ids)+lo+len(pictures), len(looks)*len(ids))
			return nil
		})
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return sweep(tmp)
}
