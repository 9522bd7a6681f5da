package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/clip"
	"percept/unet"
	"percept/vae"
	"percept/weights"
)

func newModel() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Say what a model can be used for",
		Example: "  percept model check stable-diffusion-v1-4",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelCheck())
	return cmd
}

func newModelCheck() *cobra.Command {
	var o weights.ModelOptions
	cmd := &cobra.Command{
		Use:   "check DIR|FILE",
		Short: "Say what a model folder or checkpoint can be used for, and what is missing",
		Long: `Say what a model folder or checkpoint can be used for, one line for each use, and what is missing
for it. Configurations, names and shapes are looked at; percept weights inspect reads the values as
well. Exit status 1 where no pictures can be made from captions.`,
		Example: `  percept model check stable-diffusion-v1-4
  percept model check sd-v1-4.ckpt --tokenizer bpe_simple_vocab_16e6.txt.gz`,
		Args: oneArg("a model folder or checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := checkModel(args[0], o)
			if err != nil {
				return err
			}
			writeNotes(logOf(cmd), args[0], c.notes)
			if asJSON(cmd) {
				err = printJSON(cmd, c.document(args[0]))
			} else {
				err = c.write(cmd.OutOrStdout())
			}
			if lacks := c.lacks(); err == nil && lacks != "" {
				err = fmt.Errorf("%s: makes no pictures: %s", args[0], lacks)
			}
			return err
		},
	}
	addOpening(cmd, &o)
	addJSON(cmd)
	return cmd
}

// modelCheck says of each thing that uses need why it cannot be had; empty where it can.
type modelCheck struct {
	unet, encode, text, tokenizer, schedule string
	width                                   string // of U-Net and text encoder together
	notes                                   []string
	samplers                                []samplerCheck
}

// A modelUse is something that a model can be used for, or not.
type modelUse struct {
	Use      string `json:"use"`
	Possible bool   `json:"possible"` // by a command
	State    string `json:"state"`    // yes, or why not
}

// pictures are what pictures from captions need.
func (c *modelCheck) pictures() []string {
	return []string{c.unet, c.encode, c.text, c.tokenizer, c.width, c.schedule}
}

// lacks says what is missing for pictures from captions; empty where nothing is.
func (c *modelCheck) lacks() string { return lacking(c.pictures()) }

func lacking(needs []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(needs), func(s string) bool { return s == "" }), "; ")
}

func (c *modelCheck) uses() []modelUse {
	first := c.lacks()
	var uses []modelUse
	for _, use := range []struct {
		name  string
		needs []string
	}{
		{"text to image", c.pictures()},
		{"image to image", c.pictures()},
		{"features z (latents of pictures)", []string{c.encode}},
		{"features c (captions)", []string{c.text, c.tokenizer}},
		{"probing (activations of the U-Net)", []string{c.unet, c.schedule}},
	} {
		state := "yes"
		switch missing := lacking(use.needs); {
		case missing != "":
			state = "no: " + missing
		case first != "":
			state = "from Go; commands load whole models alone"
		}
		uses = append(uses, modelUse{use.name, state == "yes", state})
	}
	return uses
}

func (c *modelCheck) write(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, use := range c.uses() {
		fmt.Fprintf(t, "%s\t%s\n", use.Use, use.State)
	}
	for _, s := range c.samplers {
		fmt.Fprintf(t, "--sampler %s\t%s\n", s.name, s.state)
	}
	return t.Flush()
}

// document is what is written with --json.
func (c *modelCheck) document(path string) any {
	type sampler struct {
		Name  string `json:"name"`
		State string `json:"state"`
	}
	samplers, notes := []sampler{}, c.notes
	for _, s := range c.samplers {
		samplers = append(samplers, sampler{s.name, s.state})
	}
	if notes == nil {
		notes = []string{}
	}
	return map[string]any{"path": path, "uses": c.uses(), "samplers": samplers, "notes": notes}
}

// checkModel looks at everything that a pipeline is made of, without reading weights.
func checkModel(path string, o weights.ModelOptions) (*modelCheck, error) {
	file, err := weights.Locate(path)
	if err != nil {
		return nil, err
	}
	c := &modelCheck{}
	parts := map[weights.Component]*string{weights.UNet: &c.unet, weights.VAE: &c.encode, weights.TextEncoder: &c.text}
	folders := map[weights.Component]*weights.Folder{}
	defer func() {
		for _, f := range folders {
			f.Close()
		}
	}()
	var any *weights.Folder
	for _, part := range weights.Components() {
		one := o
		one.Components, one.Partial = []weights.Component{part}, true
		f, err := weights.OpenModel(path, one)
		if err != nil {
			*parts[part] = missingPart(path, file, part, err)
			continue
		}
		folders[part], any = f, f
		c.notes = append(c.notes, f.Notes()...)
		*parts[part] = checkPart(f, part)
	}
	if any == nil {
		_, err := weights.OpenModel(path, o) // says what it is, or what is wrong with all of it
		return nil, err
	}
	c.checkScheduler(any)
	c.tokenizer = checkTokenizer(any, folders[weights.TextEncoder])
	if c.unet == "" && c.text == "" {
		c.width = checkWidths(folders)
	}
	return c, nil
}

// missingPart says why a part cannot be opened.
func missingPart(path, file string, part weights.Component, err error) string {
	text := strings.TrimPrefix(oneLine(err), "weights: ")
	switch {
	case file != "":
		return strings.TrimPrefix(text, path+": ")
	case strings.Contains(text, "no weights in unet/"):
		return "there is no " + string(part) + "/"
	}
	return text
}

// checkPart compares names and shapes with the model's own list.
func checkPart(f *weights.Folder, part weights.Component) string {
	p := f.Parts[part]
	if p == nil {
		return "there is no " + string(part) + "/"
	}
	want, err := parameters(part, p.Config)
	if err != nil {
		return fmt.Sprintf("%s: %s", p.ConfigFile, oneLine(err))
	}
	if bad := p.Store.Compare(want); !bad.Empty() {
		return strings.TrimPrefix(oneLine(exportError(bad)), "weights: ")
	}
	return ""
}

// checkTokenizer says whether captions can be turned into ids that the text encoder has.
func checkTokenizer(f, text *weights.Folder) string {
	if !f.HasTokenizer() {
		return "there is no tokenizer (tokenizer.json, or vocab.json and merges.txt, or --tokenizer)"
	}
	files, err := f.TokenizerFiles()
	if err != nil {
		return oneLine(err)
	}
	t, err := clip.NewTokenizerFolder(files)
	if err != nil {
		return oneLine(err)
	}
	if text == nil || text.Parts[weights.TextEncoder] == nil {
		return ""
	}
	cfg, err := clip.TextConfigFromJSON(text.Parts[weights.TextEncoder].Config)
	if err == nil && t.Size() > cfg.VocabSize {
		return fmt.Sprintf("the tokenizer has ids up to %d, the text encoder takes them below %d", t.Size()-1, cfg.VocabSize)
	}
	return ""
}

// checkWidths says whether the parts fit one another.
func checkWidths(folders map[weights.Component]*weights.Folder) string {
	u, err := unet.ConfigFromJSON(folders[weights.UNet].Parts[weights.UNet].Config)
	if err != nil {
		return ""
	}
	t, err := clip.TextConfigFromJSON(folders[weights.TextEncoder].Parts[weights.TextEncoder].Config)
	if err == nil && t.HiddenSize != u.CrossAttentionDim {
		return fmt.Sprintf("the text encoder gives tokens %d wide, the U-Net takes %d", t.HiddenSize, u.CrossAttentionDim)
	}
	if f := folders[weights.VAE]; f != nil && f.Parts[weights.VAE] != nil {
		v, err := vae.ConfigFromJSON(f.Parts[weights.VAE].Config)
		if err == nil && v.LatentChannels != u.InChannels {
			return fmt.Sprintf("the VAE's latents have %d channels, the U-Net takes %d", v.LatentChannels, u.InChannels)
		}
	}
	return ""
}
