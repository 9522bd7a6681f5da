package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"percept"
	"percept/cmd/percept/internal/progress"
	"percept/cmd/percept/internal/recipe"
	"percept/fmri/study/report"
	"percept/internal/cause"
	"percept/internal/picture"
	"percept/tensor"
	"percept/weights/packed"
	"percept/weights/safetensors"
)

// A drawing is one picture to make: of a caption, with a seed.
type drawing struct {
	prompt int
	start  int // which of the pictures to start from
	recipe recipe.Recipe
	path   string // with --folder
}

// run makes the pictures of a command line.
func (g *generateFlags) run(cmd *cobra.Command) error {
	if err := g.prepare(cmd); err != nil {
		return err
	}
	pipe, err := g.model.load(cmd)
	if err != nil {
		return err
	}
	note := logOf(cmd)
	if err := g.takeScheduler(cmd, pipe); err != nil {
		return err
	}
	if err := g.chooseSampler(note, pipe); err != nil {
		return err
	}
	starts, inits, err := g.starts(pipe)
	if err != nil {
		return err
	}
	g.warnOfOthers(note, pipe, inits)
	pending, err := g.drawings(pipe, starts, inits)
	if err != nil {
		return err
	}
	drawn := pending
	if g.folder != "" {
		pending = slices.Clone(pending)
		all := len(pending)
		pending = slices.DeleteFunc(pending, drawing.made)
		if n := all - len(pending); n > 0 {
			fmt.Fprintf(note, "%d of %d pictures are there already\n", n, all)
		}
	}
	if len(pending) > 0 {
		g.warnOfCuts(pipe, pending, note)
		g.tellNoise(note, pending[0].recipe.Width, pending[0].recipe.Height, pipe)
		if g.folder != "" { // each picture is written when it is made
			if err := packed.Sound(cmd.Context()); err != nil {
				return err
			}
		}
		pictures, err := g.make(cmd.Context(), note, pipe, pending, starts)
		if err == nil {
			err = packed.Sound(cmd.Context())
		}
		if err != nil {
			return err
		}
		if g.latents != "" {
			if err := g.saveLatents(cmd.Context(), pipe, pictures, pending[0].recipe.Scheduler); err != nil {
				return err
			}
		}
		if g.folder == "" {
			if err := g.writeSheet(pending, pictures); err != nil {
				return err
			}
		}
	}
	if asJSON(cmd) {
		return printJSON(cmd, g.document(drawn, pending))
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), cmp.Or(g.folder, g.out))
	return err
}

// drawings lists what is to be made: caption by caption, seed by seed.
func (g *generateFlags) drawings(pipe *percept.Pipeline, starts []image.Image, inits []recipe.Init) ([]drawing, error) {
	width, height := cmp.Or(g.Width, pipe.Size), cmp.Or(g.Height, pipe.Size)
	if len(starts) > 0 {
		size := starts[0].Bounds().Size()
		width, height = size.X, size.Y
	}
	var settings json.RawMessage
	if pipe.Scheduler != nil {
		var err error
		if settings, err = pipe.Scheduler.Used(g.Sampler); err != nil {
			return nil, err
		}
	}
	var all []drawing
	for i, prompt := range g.prompts {
		for k := range g.count {
			d := drawing{prompt: i, recipe: recipe.Recipe{
				Program: "percept " + version + revision(), Prompt: prompt, Negative: g.Negative, Seed: g.Seed + uint64(k), Noise: g.Noise,
				Sampler: g.Sampler, Scheduler: settings, Steps: g.Steps, Guidance: g.Guidance, Eta: g.Eta, Width: width, Height: height,
				Model: pipe.Name, ModelHash: pipe.Hash, Text: pipe.Tokenizer.Cleaning().String(), Storage: pipe.Storage,
				Kernels: tensor.KernelSet(), Forms: tensor.Forms().Hash(),
			}}
			if len(inits) > 0 {
				d.start = min(i, len(inits)-1)
				d.recipe.Init = &inits[d.start]
			}
			if g.folder != "" {
				d.path = filepath.Join(g.folder, fmt.Sprintf("%04d-seed%d.png", i+1, d.recipe.Seed))
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// made says whether an earlier run has made the picture with the same recipe.
func (d drawing) made() bool {
	made, err := recipe.Read(d.path)
	return err == nil && len(made) == 1 && made[0].Same(d.recipe)
}

// warnOfCuts names what the text encoder will not see, once for each caption.
func (g *generateFlags) warnOfCuts(pipe *percept.Pipeline, pending []drawing, note io.Writer) {
	last := -1
	for _, d := range pending {
		if d.prompt == last {
			continue
		}
		last = d.prompt
		if lost := pipe.Lost(d.recipe.Prompt); lost != "" {
			fmt.Fprintf(note, "percept: caption %d is longer than the text encoder's %d tokens; left out: %s\n",
				d.prompt+1, pipe.Tokens, lost)
		}
	}
	if lost := pipe.Lost(g.Negative); lost != "" {
		fmt.Fprintf(note, "percept: --negative is longer than the text encoder's %d tokens; left out: %s\n", pipe.Tokens, lost)
	}
}

// make draws what is to be done and writes each picture of --folder as soon as it is there.
func (g *generateFlags) make(
	ctx context.Context, note *progress.Log, pipe *percept.Pipeline, pending []drawing, starts []image.Image,
) ([]percept.Picture, error) {
	bar := note.Start("generate")
	r := g.Request
	r.Progress = bar.Progress
	for _, d := range pending {
		r.Prompts = append(r.Prompts, d.recipe.Prompt)
		r.Seeds = append(r.Seeds, d.recipe.Seed)
		if len(starts) > 1 {
			r.Init = append(r.Init, starts[d.start])
		}
	}
	if len(starts) == 1 {
		r.Init = starts
	}
	if g.folder != "" {
		r.Done = func(i int, p percept.Picture) error { return writePicture(pending[i].path, p.Image, pending[i].recipe) }
	}
	if g.every > 0 {
		r.Watch = func(s percept.Step) error { return g.preview(ctx, pipe, pending, s) }
	}
	pictures, err := pipe.Generate(ctx, r)
	return pictures, bar.Finish(false, err)
}

// previews is the folder of previews.
func (g *generateFlags) previews() string {
	if g.folder != "" {
		return filepath.Join(g.folder, "steps")
	}
	return strings.TrimSuffix(g.out, filepath.Ext(g.out)) + ".steps"
}

// preview writes the pictures that a step's guess of the result makes, every so many steps and at the last.
func (g *generateFlags) preview(ctx context.Context, pipe *percept.Pipeline, pending []drawing, s percept.Step) error {
	if (s.Index+1)%g.every != 0 && s.Index+1 != s.Of {
		return nil
	}
	dir := g.previews()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("%s: cannot be made: %w", dir, cause.Of(err))
	}
	pictures, err := pipe.Decode(ctx, s.X0)
	if err != nil {
		return err
	}
	for i, m := range pictures {
		d := pending[s.First+i]
		name := fmt.Sprintf("%04d-seed%d-step%03d.png", d.prompt+1, d.recipe.Seed, s.Index+1)
		if err := writePicture(filepath.Join(dir, name), m); err != nil {
			return err
		}
	}
	return nil
}

// starts reads the pictures of --image and brings them to a size that the model can take.
func (g *generateFlags) starts(pipe *percept.Pipeline) ([]image.Image, []recipe.Init, error) {
	var starts []image.Image
	var inits []recipe.Init
	for _, name := range g.images {
		b, err := picture.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		m, err := picture.Decode(name, b)
		if err != nil {
			return nil, nil, err
		}
		fitted, err := g.fit(m, pipe)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(starts) > 0 && fitted.Bounds() != starts[0].Bounds() {
			return nil, nil, fmt.Errorf("%s: would be %v after scaling, expected %v as %s; --size gives all one size",
				name, fitted.Bounds().Size(), starts[0].Bounds().Size(), g.images[0])
		}
		starts = append(starts, fitted)
		inits = append(inits, recipe.Init{
			File: filepath.Base(name), SHA256: fmt.Sprintf("%x", sha256.Sum256(b)), Strength: g.Strength, Fill: g.Width > 0,
		})
	}
	return starts, inits, nil
}

// fit scales a picture as the original scripts do, with Pillow's LANCZOS. With --size it fills that size, and what
// stands over is cut off on both sides; otherwise its shorter side becomes the model's, and both sides are brought to
// the multiples that the model can take.
func (g *generateFlags) fit(m *image.RGBA, pipe *percept.Pipeline) (*image.RGBA, error) {
	size := m.Bounds().Size()
	if g.Width == 0 {
		step := pipe.Granularity()
		side := func(n int) int { // as long as it becomes, cut down to a multiple, at least the model's
			long := n * pipe.Size / min(size.X, size.Y)
			return max(long-long%step, pipe.Size-pipe.Size%step)
		}
		w, h := side(size.X), side(size.Y)
		if max(w, h) > maxSide {
			return nil, fmt.Errorf("%d×%d pixels, which would be %d×%d, expected sides of at most %d; --size cuts", size.X, size.Y, w, h, maxSide)
		}
		if err := pipe.FitsToGenerate(1, h, w, g.Guidance != 1, true); err != nil {
			return nil, err
		}
		return picture.Resize(m, w, h, picture.Lanczos), nil
	}
	// The scale that fills both sides is the larger of the two.
	w, h := g.Width, max(g.Height, (size.Y*g.Width+size.X/2)/size.X)
	if size.Y*g.Width < size.X*g.Height {
		w, h = max(g.Width, (size.X*g.Height+size.Y/2)/size.Y), g.Height
	}
	if int64(w)*int64(h) > 4*maxSide*maxSide {
		return nil, fmt.Errorf("%d×%d pixels, which would be %d×%d before it is cut, expected a shape nearer to %d×%d", size.X, size.Y, w, h,
			g.Width, g.Height)
	}
	scaled := picture.Resize(m, w, h, picture.Lanczos)
	at := image.Pt((w-g.Width)/2, (h-g.Height)/2)
	cut := scaled.SubImage(image.Rectangle{at, at.Add(image.Pt(g.Width, g.Height))})
	return picture.ToRGB(cut), nil
}

// writeSheet writes the picture, or all pictures with one row per caption.
func (g *generateFlags) writeSheet(pending []drawing, pictures []percept.Picture) error {
	recipes := make([]recipe.Recipe, len(pending))
	for i, d := range pending {
		recipes[i] = d.recipe
	}
	if len(pictures) == 1 {
		return writePicture(g.out, pictures[0].Image, recipes...)
	}
	columns := make([]string, g.count)
	for k := range columns {
		columns[k] = fmt.Sprintf("seed %d", g.Seed+uint64(k))
	}
	scale := 1
	if pictures[0].Image.Bounds().Dx() < 128 {
		scale = 2
	}
	s := report.Sheet{Title: "percept generate", Columns: columns, Scale: scale}
	for i, p := range g.prompts {
		row := report.SheetRow{Label: p}
		for _, m := range pictures[i*g.count : (i+1)*g.count] {
			row.Images = append(row.Images, m.Image)
		}
		s.Rows = append(s.Rows, row)
	}
	m, err := s.Draw()
	if err != nil {
		return err
	}
	return writePicture(g.out, m, recipes...)
}

// saveLatents writes the finished latents [pictures,4,h,w], the conditioning of each picture [pictures,tokens,width]
// and that of the negative caption [tokens,width], with what the sampler took from the model's scheduler_config.json.
func (g *generateFlags) saveLatents(
	ctx context.Context, pipe *percept.Pipeline, pictures []percept.Picture, settings json.RawMessage,
) error {
	var z []float32
	var prompts, seeds []string
	for _, p := range pictures {
		z = append(z, p.Latents.Data...)
		prompts = append(prompts, p.Prompt)
		seeds = append(seeds, fmt.Sprint(p.Seed))
	}
	c, err := pipe.TextEmbed(ctx, append(prompts, g.Negative))
	if err != nil {
		return err
	}
	n, at := len(prompts), len(prompts)*pipe.Tokens*pipe.Width
	l := pictures[0].Latents
	about := map[string]string{
		"percept": version + revision(), "model_sha256": pipe.Hash, "seeds": strings.Join(seeds, " "),
		"noise": g.Noise, "sampler": g.Sampler, "steps": fmt.Sprint(g.Steps), "guidance": fmt.Sprint(g.Guidance), "eta": fmt.Sprint(g.Eta),
	}
	if settings != nil {
		about["scheduler"] = string(settings)
	}
	return safetensors.Write(g.latents, []safetensors.Named{
		safetensors.NamedF32("latents", z, n, percept.LatentChannels, l.H, l.W),
		safetensors.NamedF32("conditioning", c[:at], n, pipe.Tokens, pipe.Width),
		safetensors.NamedF32("unconditional", c[at:], pipe.Tokens, pipe.Width),
	}, about)
}
