package experiment

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/tensor"
)

const (
	reportFile  = "report.html"
	sheetFile   = "sheet.png"
	sheetImages = 12 // test images on the contact sheet
)

// Methods lists the rows of the result table.
func Methods() []string {
	var names []string
	for _, l := range append(append([]look{}, decodedLooks...), trueLooks...) {
		names = append(names, l.name)
	}
	return names
}

// shown are the artefacts that people look at parts of.
func (r *Run) shown() []string {
	inputs := []string{scoresFile, truthFolder}
	for _, s := range r.Config.Subjects {
		inputs = append(inputs, picturesFolder(s), decodedFile(s), responsesFile(s))
	}
	return inputs
}

// sheet draws the contact sheet.
func (r *Run) sheet() stage.Stage {
	return stage.Stage{
		Name: "sheet", Title: "contact sheet", Output: sheetFile, Inputs: r.shown(), Params: map[string]any{"images": r.Config.Render.Images},
		Run: func(_ context.Context, tmp string, _ stage.Progress) error { return r.writeSheet(tmp) },
	}
}

// report writes the page.
func (r *Run) report() stage.Stage {
	inputs := r.shown()
	for _, s := range r.Config.Subjects {
		inputs = append(inputs, diagnosisFolder(s))
	}
	s := stage.Stage{
		Name: "report", Title: "report", Output: reportFile, Inputs: inputs, Params: r.Config, Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, _ stage.Progress) error {
			scores, err := r.readScores()
			if err != nil {
				return err
			}
			page, err := r.page(ctx, scores)
			if err != nil {
				return err
			}
			b, err := page.Write()
			if err != nil {
				return err
			}
			return os.WriteFile(tmp, b, 0o666)
		},
	}
	r.dependOnData(&s, r.paths().StimInfo(), r.paths().Captions("train2017"), r.paths().Captions("val2017"))
	return s
}

// columns of the gallery: what was seen, what was decoded, the controls.
func columns() (names []string) {
	names = append(names, "seen")
	return append(names, Methods()...)
}

// galleryImages is how many test images of a subject the page shows at most.
const galleryImages = 60

// gallery loads every column of a subject's first test images, at most n.
func (r *Run) gallery(subject string, n int) (ids []fmri.ImageID, rows [][]image.Image, err error) {
	if ids, err = r.testImages(subject); err != nil {
		return nil, nil, err
	}
	ids = ids[:min(n, len(ids))]
	folders := []string{filepath.Join(truthFolder, "seen")}
	for _, l := range decodedLooks {
		folders = append(folders, filepath.Join(picturesFolder(subject), l.folder))
	}
	for _, l := range trueLooks {
		folders = append(folders, filepath.Join(truthFolder, l.folder))
	}
	rows = make([][]image.Image, len(ids))
	for _, f := range folders {
		pictures, err := loadPictures(r.runner.Path(f), ids)
		if err != nil {
			return nil, nil, err
		}
		for i, m := range pictures {
			rows[i] = append(rows[i], m)
		}
	}
	return ids, rows, nil
}

// writeSheet draws one row per kind of picture and one column per test image; what does not come from
// a brain is drawn for the first subject alone.
func (r *Run) writeSheet(path string) error {
	s := report.Sheet{Title: "Seen, decoded from simulated brains, and controls"}
	if r.Config.Simulate == nil {
		s.Title = "Seen, decoded from the brain, and controls"
	}
	names := columns()
	for k, subject := range r.Config.Subjects {
		_, pictures, err := r.gallery(subject, sheetImages)
		if err != nil {
			return err
		}
		shown := names
		if k > 0 {
			shown = names[1 : 1+len(decodedLooks)]
		}
		for i, name := range names {
			if !slices.Contains(shown, name) {
				continue
			}
			row := report.SheetRow{Side: name, Divider: k > 0 && i == 1}
			if i > 0 && i <= len(decodedLooks) {
				row.Side = subject + " " + name
			}
			for _, images := range pictures {
				row.Images = append(row.Images, images[i])
			}
			s.Rows = append(s.Rows, row)
		}
	}
	m, err := s.Draw()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o666)
}

func (r *Run) page(ctx context.Context, scores []Row) (*report.Page, error) {
	p := &report.Page{
		Title:    "Percept: what the brain saw",
		Methods:  Methods(),
		Explain:  map[string]string{},
		Metrics:  r.metrics(),
		Subjects: r.Config.Subjects,
		Scores:   scores,
		Columns:  columns(),
	}
	p.Summary = "Latent z decoded from early visual cortex, text conditioning c from higher visual cortex, " +
		"pictures by image-to-image diffusion (Takagi & Nishimoto, CVPR 2023)."
	if r.Config.Simulate != nil {
		p.Summary += " The subjects are simulated: these numbers say that the pipeline works, not how well a brain can be read."
	}
	for _, l := range append(append([]look{}, decodedLooks...), trueLooks...) {
		p.Explain[l.name] = l.explain
	}
	var err error
	if p.Diagnoses, err = r.diagnoses(); err != nil {
		return nil, err
	}
	p.DiagnosisColumns = diagnosisColumns
	data, err := nsd.Open(r.dataRoot())
	if err != nil {
		return nil, err
	}
	defer data.Close()
	for _, subject := range r.Config.Subjects {
		ids, rows, err := r.gallery(subject, galleryImages)
		if err != nil {
			return nil, err
		}
		captions, err := data.Captions(ctx, ids...)
		if err != nil {
			return nil, err
		}
		for i, images := range rows {
			label := ""
			if c := captions[ids[i]]; len(c) > 0 {
				label = c[0]
			}
			p.Rows = append(p.Rows, report.PageRow{Subject: subject, Label: label, Images: images})
		}
	}
	p.Facts, err = r.facts()
	return p, err
}

// facts say how the numbers were made.
func (r *Run) facts() ([]report.Fact, error) {
	c := r.Config
	facts := []report.Fact{
		{Name: "version", Value: r.runner.Version},
		{Name: "model", Value: fmt.Sprintf("%s, sha256 %s", r.Model.Name, r.Model.Hash)},
		{Name: "weights", Value: r.Model.Storage},
		{Name: "kernels", Value: tensor.KernelSet()},
		{Name: "forms of convolutions", Value: tensor.Forms().Name() + ", sha256 " + tensor.Forms().Hash()[:12]},
		{Name: "z from", Value: strings.Join(c.Decode.Early, ", ")},
		{Name: "c from", Value: strings.Join(c.Decode.Higher, ", ")},
		{Name: "ridge", Value: fmt.Sprintf("%d-fold cross-validation, one penalty per target out of %d from %.3g to %.3g",
			c.Decode.Folds, len(c.Decode.Alphas), c.Decode.Alphas[0], c.Decode.Alphas[len(c.Decode.Alphas)-1])},
		{Name: "diffusion", Value: fmt.Sprintf("DDIM, %d steps, strength %g, guidance %g, seed %d", c.Render.Steps, c.Render.Strength, c.Render.Guidance, c.Seed)},
	}
	for _, subject := range c.Subjects {
		f := openFile(r.runner.Path(responsesFile(subject)))
		early, higher := f.matrix("early"), f.matrix("higher")
		test := 0
		for _, t := range f.ids("is_test") {
			test += int(t)
		}
		if err := f.close(); err != nil {
			return nil, err
		}
		facts = append(facts, report.Fact{Name: subject, Value: fmt.Sprintf("%d early and %d higher voxels, %d training and %d test images",
			early.Cols, higher.Cols, early.Rows-test, test)})
	}
	return facts, nil
}
