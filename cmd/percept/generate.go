package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"percept"
	"percept/cmd/percept/internal/recipe"
	"percept/fmri/study"
	"percept/internal/cause"
	"percept/scheduler"
)

// generateFlags are the command line of percept generate.
type generateFlags struct {
	model   modelFlags
	prompts []string
	list    string // file of prompts
	images  []string
	out     string
	folder  string
	size    string
	like    string
	latents string
	every   int // steps between previews
	count   int
	recipes []recipe.Recipe // of --like

	percept.Request // Seed is that of a caption's first picture; the rest is filled in by make
}

// exampleCaptions are drawn where neither a caption nor a model is given.
var exampleCaptions = []string{
	"a red house under a blue sky",
	"a white sailboat on the sea at sunset",
	"a big tree on a green field",
	"snowy mountains at night",
}

func newGenerate() *cobra.Command {
	g := &generateFlags{}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make pictures from captions, or from captions and pictures",
		Long: `Make pictures from captions, or from captions and pictures (--image), with any Stable Diffusion v1
model: a folder in the layout of diffusers, or a single .safetensors or .ckpt file. Without
--model it takes the small model that is part of the program, which knows houses, trees, boats,
cars, animals, people, sun and mountains; without --prompt as well it draws a few examples.

The noise of a seed is that of torch's generator on a CPU, bit for bit, or with --noise cuda on
a GPU, to about six digits: a seed gives what diffusers gives for a generator of that seed, and
what the original scripts give for their first picture. Column k of several (--count) has
seed + k - 1, whatever the prompt.

Each picture carries its prompt, seed, sampler, model hash and the program's version in its
metadata; --like takes them from there. With --folder every picture is a file of its own,
written when it is done; the same command again makes only those that are missing.

A model folder's scheduler_config.json is followed as a StableDiffusionPipeline of diffusers that has
loaded the folder follows it, by the samplers that are named after its classes; --sampler auto takes
the class that the folder names. "ddim" and "plms" are the original code's and take from it what is
the model's, the noise schedule and what is predicted.

Samplers:
` + samplerList(),
		Example: `  percept generate
  percept generate --prompt "a white sailboat on the sea at sunset" --out boat.png
  percept generate --prompt "a red house" --prompt "a black cat" --count 4 --out grid.png
  percept generate --model sd-v1-4.ckpt --tokenizer clip-vit-large-patch14 --prompt "an astronaut" --seed 42 --preview-every 10
  percept generate --model stable-diffusion-v1-4 --image photo.jpg --prompt "an oil painting" --strength 0.6
  percept generate --prompts captions.txt --folder pictures
  percept generate --like boat.png --guidance 5 --out other.png`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd) },
	}
	f := cmd.Flags()
	f.StringArrayVar(&g.prompts, "prompt", nil, "caption; may be given several times")
	f.StringVar(&g.list, "prompts", "", "`file` with one caption a line; - is standard input")
	f.StringVar(&g.Negative, "negative", "", "caption to lead away from")
	f.StringArrayVar(&g.images, "image", nil, "`picture` to start from (PNG, JPEG, TIFF): one for all captions, or one for each")
	f.Float64Var(&g.Strength, "strength", 0.8, "share of the diffusion that --image goes through: near 0 keeps it, 1 forgets it")
	f.StringVar(&g.out, "out", "picture.png", "PNG `file` to write: the picture, or a sheet of several")
	f.StringVar(&g.folder, "folder", "", "`folder` to write every picture to as a file of its own, instead of --out")
	f.StringVar(&g.size, "size", "",
		"`WxH` of the pictures in pixels (default: the model's; with --image, that of the picture scaled to the model's)")
	f.IntVar(&g.count, "count", 1, "pictures per caption")
	f.Uint64Var(&g.Seed, "seed", 0, "noise seed; the same seed gives the same picture")
	f.StringVar(&g.Noise, "noise", percept.TorchCPU, "`cpu` or cuda: on what torch would have drawn the noise of the seed")
	f.StringVar(&g.Sampler, "sampler", "ddim", "`name` of the sampler, see above, or auto")
	f.StringVar(&g.model.Scheduler, "scheduler-config", "",
		"scheduler_config.json `file` to follow instead of the model's, to the letter as from_config of diffusers does")
	f.IntVar(&g.Steps, "steps", 0, "denoising steps (default 50; 25 with the embedded model)")
	f.Float64Var(&g.Guidance, "guidance", 0, "scale of classifier-free guidance, 1 is none (default 7.5; 3 with the embedded model)")
	f.Float64Var(&g.Eta, "eta", 0, "noise that a DDIM step adds: 0 is none, 1 is as much as DDPM")
	f.IntVar(&g.Batch, "batch", 0, "pictures denoised together (0: as many as take little memory)")
	f.IntVar(&g.every, "preview-every", 0,
		"every so many `steps` decode what is there and write it to a folder named after --out, with .steps")
	f.StringVar(&g.latents, "save-latents", "", "safetensors `file` for the finished latents and the conditioning")
	f.StringVar(&g.like, "like", "", "`picture` or sheet made by this command; whatever no flag says is taken from it")
	g.model.add(cmd, true)
	addJSON(cmd)
	return cmd
}

// samplerList is the list of samplers for the help.
func samplerList() string {
	var b strings.Builder
	for _, name := range scheduler.Names() {
		fmt.Fprintf(&b, "  %-16s %s\n", name, scheduler.Describe(name))
	}
	fmt.Fprintf(&b, "  %-16s %s\n", percept.SamplerAuto, "that of the class that the model's folder names")
	return strings.TrimSuffix(b.String(), "\n")
}

// prepare checks everything that can be checked before a model is loaded, and fills in what depends on other flags.
func (g *generateFlags) prepare(cmd *cobra.Command) error {
	if err := g.takeRecipe(cmd); err != nil {
		return err
	}
	if g.list != "" {
		more, err := readPrompts(cmd.InOrStdin(), g.list)
		if err != nil {
			return err
		}
		g.prompts = append(g.prompts, more...)
	}
	for _, caption := range append(g.prompts[:len(g.prompts):len(g.prompts)], g.Negative) {
		if err := checkText(caption); err != nil {
			return usageError{fmt.Errorf("caption %w", err)}
		}
	}
	if len(g.images) == 0 && cmd.Flags().Changed("strength") {
		return usageError{errors.New("--strength is of --image, which is missing")}
	}
	if len(g.prompts) == 0 {
		if g.model.dir != "" || len(g.images) > 0 {
			return usageError{errors.New("--prompt is missing, expected a caption (an empty one will do)")}
		}
		g.prompts = exampleCaptions
	}
	steps, guidance := 50, 7.5
	if g.model.dir == "" {
		steps, guidance = 25, 3
	}
	if !cmd.Flags().Changed("steps") {
		g.Steps = cmp.Or(g.Steps, steps)
	}
	if !cmd.Flags().Changed("guidance") {
		g.Guidance = cmp.Or(g.Guidance, guidance)
	}
	if err := g.checkNumbers(); err != nil {
		return usageError{err}
	}
	if err := g.model.check(); err != nil {
		return err
	}
	if err := g.checkSize(); err != nil {
		return err
	}
	for _, name := range g.images {
		if _, err := os.Stat(name); err != nil {
			return fmt.Errorf("%s: cannot be read, expected a picture: %w", name, cause.Of(err))
		}
	}
	return g.checkOutputs(cmd)
}

func (g *generateFlags) checkNumbers() error {
	switch {
	case g.count < 1 || g.count > 10_000:
		return fmt.Errorf("--count %d, expected 1 to 10000", g.count)
	case g.Seed+uint64(g.count-1) < g.Seed:
		return fmt.Errorf("--seed %d with --count %d, expected seeds below 2^64", g.Seed, g.count)
	case g.Steps < 1 || g.Steps > 1000:
		return fmt.Errorf("--steps %d, expected 1 to 1000", g.Steps)
	case !(g.Guidance >= 1 && g.Guidance <= study.MaxGuidance):
		return fmt.Errorf("--guidance %g, expected 1 to %d", g.Guidance, study.MaxGuidance)
	case g.Batch < 0 || g.Batch > 64:
		return fmt.Errorf("--batch %d, expected 0 to 64", g.Batch)
	case g.every < 0:
		return fmt.Errorf("--preview-every %d, expected 0 or more", g.every)
	case g.Noise != percept.TorchCPU && g.Noise != percept.TorchCUDA:
		return fmt.Errorf("--noise %q, expected %s or %s", g.Noise, percept.TorchCPU, percept.TorchCUDA)
	case len(g.images) > 1 && len(g.images) != len(g.prompts):
		return fmt.Errorf("--image: %d pictures for %d captions, expected one, or one for each", len(g.images), len(g.prompts))
	case len(g.images) > 0 && !(g.Strength > 0 && g.Strength <= 1):
		return fmt.Errorf("--strength %g, expected more than 0 and at most 1", g.Strength)
	}
	if err := g.Sampling.Check(); err != nil {
		return g.samplingError(err)
	}
	if len(g.images) > 0 {
		if _, err := scheduler.StepsFor(g.Strength, g.Steps); err != nil {
			return fmt.Errorf("--strength %g: %w", g.Strength, err)
		}
	}
	if g.size != "" {
		var tail string
		n, _ := fmt.Sscanf(g.size+" ", "%dx%d%s", &g.Width, &g.Height, &tail)
		if n != 2 || min(g.Width, g.Height) < 1 || max(g.Width, g.Height) > maxSide {
			return fmt.Errorf("--size %s, expected WIDTHxHEIGHT in pixels, each from 1 to %d, such as 512x512", g.size, maxSide)
		}
	}
	return nil
}

// checkOutputs says before long work whether the results can be written.
func (g *generateFlags) checkOutputs(cmd *cobra.Command) error {
	if g.latents != "" {
		if filepath.Ext(g.latents) != ".safetensors" {
			return usageError{fmt.Errorf("--save-latents %s, expected a file name that ends in .safetensors", g.latents)}
		}
		if err := writable(g.latents); err != nil {
			return err
		}
	}
	if g.folder != "" {
		if cmd.Flags().Changed("out") {
			return usageError{errors.New("--out and --folder, expected one of them")}
		}
		if err := os.MkdirAll(g.folder, 0o777); err != nil {
			return fmt.Errorf("%s: cannot be made: %w", g.folder, cause.Of(err))
		}
		return writable(filepath.Join(g.folder, "picture.png"))
	}
	if filepath.Ext(g.out) != ".png" {
		return usageError{fmt.Errorf("--out %s, expected a file name that ends in .png", g.out)}
	}
	if n := len(g.prompts) * g.count; n > maxSheet {
		return usageError{fmt.Errorf("%d captions of %d pictures, expected at most %d pictures on one sheet; use --folder",
			len(g.prompts), g.count, maxSheet)}
	}
	return writable(g.out)
}

const (
	maxSide  = 8192 // of a picture, in pixels
	maxSheet = 256  // pictures of a sheet
)

// checkText says whether a picture's metadata can hold a caption.
func checkText(caption string) error {
	if !utf8.ValidString(caption) || strings.ContainsRune(caption, 0) {
		return fmt.Errorf("%.40q, expected text in UTF-8", caption)
	}
	return nil
}

// readPrompts reads one caption a line; empty lines are left out.
func readPrompts(stdin io.Reader, name string) ([]string, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%s: cannot be read, expected a file with one caption a line: %w", name, cause.Of(err))
		}
		defer f.Close()
		in = f
	}
	var prompts []string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	n := 1
	for ; lines.Scan(); n++ {
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // what editors on Windows begin a file with would be a word of the caption
		}
		if err := checkText(text); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", name, n, err)
		}
		if line := strings.TrimSpace(text); line != "" {
			prompts = append(prompts, line)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: line %d: %w", name, n, cause.Of(err))
	}
	if len(prompts) == 0 {
		return nil, fmt.Errorf("%s: no caption, expected one a line", name)
	}
	return prompts, nil
}
