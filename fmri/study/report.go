package study

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/internal/picture"
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
	for _, l := range allLooks {
		names = append(names, l.name)
	}
	return names
}

// shown are the artefacts that people look at parts of.
func (r *Run) shown() []string {
	if r.Config.pictures() {
		return append(r.folders(responsesFolder, picturesFolder), scoresFile, truthFolder)
	}
	return r.folders(responsesFolder)
}

// sheet draws the contact sheet.
func (r *Run) sheet() stage.Stage {
	return stage.Stage{
		Name: "sheet", Title: "contact sheet", Output: sheetFile, Inputs: r.shown(), Params: map[string]any{"images": r.Config.Render.Images},
		Run: func(ctx context.Context, tmp string, _ stage.Progress) error { return r.writeSheet(ctx, tmp) },
	}
}

// report writes the page.
func (r *Run) report() stage.Stage {
	s := stage.Stage{
		Name: "report", Title: "report", Output: reportFile, Inputs: append(r.shown(), r.folders(diagnosisFolder)...), Params: r.Config,
		Extra: r.provenance(),
		Run: func(ctx context.Context, tmp string, _ stage.Progress) error {
			page, err := r.page(ctx)
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
func columns() []string { return append([]string{"seen"}, Methods()...) }

// galleryImages is how many test images of a subject the page shows at most.
const galleryImages = 60

// gallery is a subject's first test images, at most n of them, each with its pictures in the order of columns.
func (r *Run) gallery(ctx context.Context, subject string, n int) (ids []fmri.ImageID, rows [][]report.Picture, err error) {
	if ids, err = r.testImages(subject); err != nil {
		return nil, nil, err
	}
	ids = ids[:min(n, len(ids))]
	for i, id := range ids {
		var row []report.Picture
		add := func(folder, alt string) {
			file := filepath.Join(folder, pictureName(id))
			row = append(row, report.Picture{Alt: alt, File: filepath.ToSlash(file), Read: func() (image.Image, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return picture.Read(r.runner.Path(file))
			}})
		}
		add(filepath.Join(truthFolder, "seen"), fmt.Sprintf("seen image %d, %s", i+1, subject))
		for _, l := range allLooks {
			add(l.of(subject), fmt.Sprintf("reconstruction from %s of image %d, %s", l.name, i+1, subject))
		}
		rows = append(rows, row)
	}
	return ids, rows, nil
}

// writeSheet draws one row per kind of picture and one column per test image; what does not come from
// a brain is drawn for the first subject alone.
func (r *Run) writeSheet(ctx context.Context, path string) error {
	from := map[bool]string{true: "simulated brains", false: "the brain"}[r.Config.Simulate != nil]
	s := report.Sheet{Title: "Seen, decoded from " + from + ", and controls"}
	for k, subject := range r.Config.Subjects {
		_, pictures, err := r.gallery(ctx, subject, sheetImages)
		if err != nil {
			return err
		}
		for i, name := range columns() {
			row := report.SheetRow{Side: name, Divider: k > 0 && i == 1}
			if i > 0 && i <= len(decodedLooks) {
				row.Side = subject + " " + name
			} else if k > 0 {
				continue
			}
			for _, images := range pictures {
				m, err := images[i].Read()
				if err != nil {
					return err
				}
				row.Images = append(row.Images, m)
			}
			s.Rows = append(s.Rows, row)
		}
	}
	m, err := s.Draw()
	if err != nil {
		return err
	}
	return savePicture(path, m)
}

func (r *Run) page(ctx context.Context) (*report.Page, error) {
	c := r.Config
	p := &report.Page{Title: "Percept: what the brain saw", Explain: map[string]string{}, Subjects: c.Subjects,
		DiagnosisColumns: c.diagnosisColumns()}
	if c.Simulate != nil {
		p.Summary = " The subjects are simulated: these numbers say that the pipeline works, not how well a brain can be read."
	}
	var err error
	if p.Diagnoses, err = r.diagnoses(); err != nil {
		return nil, err
	}
	if p.Facts, err = r.facts(); err != nil {
		return nil, err
	}
	if p.Warning, err = r.overlap(); err != nil {
		return nil, err
	}
	if !c.pictures() {
		p.Title = "Percept: what predicts what"
		p.Summary = fmt.Sprintf("Ridge regressions between regions of the brain and features of what was seen, %d for each subject.",
			len(c.fits())) + p.Summary
		return p, nil
	}
	early, higher := "early visual cortex", "higher visual cortex"
	if len(c.Fits) > 0 {
		early, higher = c.renders("z").X, c.renders("c").X
	}
	p.Summary = "Latent z decoded from " + early + ", text conditioning c from " + higher +
		", pictures by image-to-image diffusion (Takagi & Nishimoto, CVPR 2023)." + p.Summary
	p.Methods, p.Metrics, p.Columns = Methods(), r.metrics(), columns()
	if err := readJSON(r.runner.Path(scoresFile), &p.Scores); err != nil {
		return nil, err
	}
	p.Explain["seen"] = "what the subject saw, at the size of the pictures"
	for _, l := range allLooks {
		p.Explain[l.name] = l.explain
	}
	data, err := nsd.Open(r.dataRoot())
	if err != nil {
		return nil, err
	}
	defer data.Close()
	for _, subject := range c.Subjects {
		ids, rows, err := r.gallery(ctx, subject, galleryImages)
		if err != nil {
			return nil, err
		}
		captions, err := data.Captions(ctx, ids...)
		if err != nil {
			return nil, err
		}
		g := report.Gallery{Subject: subject}
		if all, err := r.testImages(subject); err != nil {
			return nil, err
		} else if len(all) > len(ids) {
			g.Note = fmt.Sprintf("The first %d of %d test images; pictures of all are in the folders of the run.", len(ids), len(all))
		}
		for i, pictures := range rows {
			row := report.GalleryRow{Name: fmt.Sprintf("image %d", i+1), Pictures: pictures}
			if c := captions[ids[i]]; len(c) > 0 {
				row.Caption = c[0]
			}
			g.Rows = append(g.Rows, row)
		}
		p.Galleries = append(p.Galleries, g)
	}
	return p, nil
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
	}
	for _, f := range c.fits() {
		ridge := fmt.Sprintf("%d-fold cross-validation, one penalty per target", f.Folds)
		if n := len(f.Alphas); n > 0 {
			ridge += fmt.Sprintf(" out of %d from %.3g to %.3g", n, f.Alphas[0], f.Alphas[n-1])
		}
		if f.Compat != "" {
			ridge += ", as the published code fits"
		}
		x, y := f.operands()
		facts = append(facts, report.Fact{Name: "fit " + f.Name, Value: fmt.Sprintf("%s from %s: ridge, %s", y, x, ridge)})
	}
	if c.pictures() {
		facts = append(facts, report.Fact{Name: "diffusion", Value: fmt.Sprintf("DDIM, %d steps, strength %g, guidance %g, seed %d",
			c.Render.Steps, c.Render.Strength, c.Render.Guidance, c.Seed)})
	}
	regions, _ := c.sides()
	for _, subject := range c.Subjects {
		trained, err := r.openResponses(subject, train)
		if err != nil {
			return nil, err
		}
		tested, err := r.openResponses(subject, test)
		if err != nil {
			return nil, err
		}
		var voxels []string
		for _, name := range regions {
			region, err := trained.Region(name)
			if err != nil {
				return nil, err
			}
			voxels = append(voxels, fmt.Sprintf("%d voxels of %s", region.Width(), name))
		}
		facts = append(facts, report.Fact{Name: subject,
			Value: fmt.Sprintf("%s; %d training and %d test images", strings.Join(voxels, ", "), trained.Len(), tested.Len())})
	}
	return facts, nil
}

// overlap is a line about test images that models were fitted on, or empty.
func (r *Run) overlap() (string, error) {
	var lines []string
	for _, subject := range r.Config.Subjects {
		t, err := r.openResponses(subject, test)
		if err != nil {
			return "", err
		}
		n, err := r.trainedOn(subject, t.Rows.Images)
		if err != nil {
			return "", err
		}
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%d of the %d test images of %s", n, t.Len(), subject))
		}
	}
	if lines == nil {
		return "", nil
	}
	return "The models were fitted on " + strings.Join(lines, ", ") + ": of those, nothing on this page is a test.", nil
}
