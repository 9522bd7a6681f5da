package experiment

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"percept"
	"percept/fmri"
	"percept/fmri/decode"
	"percept/fmri/nsd"
	"percept/fmri/study/stage"
	"percept/internal/atomicfile"
	"percept/tensor/linalg"
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

// testImages lists the test images of a subject that are rendered.
func (r *Run) testImages(subject string) ([]fmri.ImageID, error) {
	f := openFile(r.runner.Path(decodedFile(subject)))
	ids := f.ids("images")
	if err := f.close(); err != nil {
		return nil, err
	}
	if n := r.Config.Render.Images; n > 0 && n < len(ids) {
		ids = ids[:n]
	}
	return ids, nil
}

// testData is one source of features of test images.
type testData struct {
	ids  []fmri.ImageID
	z, c linalg.Matrix[float32]
}

// testSet reads the test images of a subject and one source of features, cut to the number that is rendered.
func (r *Run) testSet(subject, source string) (t testData, err error) {
	f := openFile(r.runner.Path(decodedFile(subject)))
	t.ids, t.z, t.c = f.ids("images"), f.matrix(source+".z"), f.matrix(source+".c")
	if err = f.close(); err != nil {
		return t, err
	}
	if n := r.Config.Render.Images; n > 0 && n < len(t.ids) {
		t.ids = t.ids[:n]
		t.z, t.c = t.z.Slice(0, n, 0, t.z.Cols), t.c.Slice(0, n, 0, t.c.Cols)
	}
	return t, nil
}

// truth is the test images of all subjects, each once, and their own features.
func (r *Run) truth() (t testData, err error) {
	seen := map[fmri.ImageID]bool{}
	for _, subject := range r.Config.Subjects {
		own, err := r.testSet(subject, "true")
		if err != nil {
			return t, err
		}
		var rows []int
		for i, id := range own.ids {
			if !seen[id] {
				seen[id] = true
				rows, t.ids = append(rows, i), append(t.ids, id)
			}
		}
		z, c := own.z.Take(rows), own.c.Take(rows)
		t.z = linalg.Of(append(t.z.Data, z.Data...), len(t.ids), z.Cols)
		t.c = linalg.Of(append(t.c.Data, c.Data...), len(t.ids), c.Cols)
	}
	return t, nil
}

// renderTruth makes the seen pictures and those of the images' own features, once for all subjects.
func (r *Run) renderTruth() stage.Stage {
	var inputs []string
	for _, s := range r.Config.Subjects {
		inputs = append(inputs, decodedFile(s))
	}
	s := stage.Stage{
		Name: "render-true", Title: "pictures from true features", Output: truthFolder, Resumes: true,
		Inputs: inputs, Params: map[string]any{"render": r.Config.Render, "seed": r.Config.Seed}, Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			truth, err := r.truth()
			if err != nil {
				return err
			}
			data, err := nsd.Open(r.dataRoot())
			if err != nil {
				return err
			}
			defer data.Close()
			for _, id := range truth.ids {
				m, err := r.stimulus(data, id)
				if err != nil {
					return err
				}
				if err := savePicture(filepath.Join(tmp, "seen"), id, m); err != nil {
					return err
				}
			}
			return r.renderLooks(ctx, trueLooks, func(string) (testData, error) { return truth, nil }, tmp, p)
		},
	}
	r.dependOnData(&s, r.paths().Stimuli())
	return s
}

// render makes the pictures of one subject's brain.
func (r *Run) render(subject string) stage.Stage {
	return stage.Stage{
		Name: "render-" + subject, Title: "pictures from " + subject, Output: picturesFolder(subject), Resumes: true,
		Inputs: []string{decodedFile(subject)}, Params: map[string]any{"render": r.Config.Render, "seed": r.Config.Seed}, Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			return r.renderLooks(ctx, decodedLooks, func(source string) (testData, error) { return r.testSet(subject, source) }, tmp, p)
		},
	}
}

// renderLooks makes the pictures that are not there yet, batch by batch.
func (r *Run) renderLooks(ctx context.Context, looks []look, features func(source string) (testData, error), tmp string, p stage.Progress) error {
	o := r.Config.renderOptions()
	o.Size = r.size()
	for k, l := range looks {
		t, err := features(l.source)
		if err != nil {
			return err
		}
		ids := t.ids
		side := int(math.Round(math.Sqrt(float64(t.z.Cols / percept.LatentChannels))))
		dir := filepath.Join(tmp, l.folder)
		there := func(lo, hi int) bool {
			if _, err := loadPictures(dir, ids[lo:hi]); err != nil {
				return false // not made, or of a system that went down before it was on the disk
			}
			p(k*len(ids)+hi, len(looks)*len(ids))
			return true
		}
		err = decode.RenderEach(ctx, r.Model, l.method, t.z, t.c, side, side, o, there, func(lo int, pictures []*image.RGBA) error {
			for i, m := range pictures {
				if err := savePicture(dir, ids[lo+i], m); err != nil {
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

func pictureName(id fmri.ImageID) string { return fmt.Sprintf("%05d.png", id) }

// savePicture writes a picture, which appears whole or not at all.
func savePicture(dir string, id fmri.ImageID, m image.Image) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	path := filepath.Join(dir, pictureName(id))
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := png.Encode(f, m); err != nil {
		return err
	}
	return f.Commit()
}

// sweep removes the files that a killed process was writing.
func sweep(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(filepath.Base(path), atomicfile.Prefix) {
			return os.Remove(path)
		}
		return err
	})
}

func loadPicture(dir string, id fmri.ImageID) (image.Image, error) {
	path := filepath.Join(dir, pictureName(id))
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

func loadPictures(dir string, ids []fmri.ImageID) ([]image.Image, error) {
	out := make([]image.Image, len(ids))
	for i, id := range ids {
		var err error
		if out[i], err = loadPicture(dir, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}
