package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/clip"
	"percept/cmd/percept/internal/progress"
	"percept/weights"
	"percept/weights/safetensors"
)

// weightTypes are the element types of files by the names that flags give them; empty keeps a file's own.
var weightTypes = map[string]safetensors.DType{"": "", "float32": safetensors.F32, "float16": safetensors.F16, "bfloat16": safetensors.BF16}

func weightType(name string) (safetensors.DType, error) {
	d, ok := weightTypes[name]
	if !ok {
		return "", usageError{fmt.Errorf("--dtype %s, expected float32, float16 or bfloat16", name)}
	}
	return d, nil
}

func newWeightsConvert() *cobra.Command {
	var o weights.ModelOptions
	var dtype string
	var force bool
	cmd := &cobra.Command{
		Use:   "convert FILE|DIR OUT",
		Short: "Convert a checkpoint to a model folder of safetensors",
		Long: `Convert a checkpoint (.ckpt, .safetensors and others) or a model folder of any age to one folder
in the layout of diffusers, with safetensors files and all that belongs to them, which percept and
diffusers load. A file of one part alone, such as a VAE, makes a folder with that part.

A checkpoint has no tokenizer: give one with --tokenizer, or put it beside the checkpoint. What it does
not say of its configuration is inferred from its shapes, and else is Stable Diffusion v1's (8 heads in
the U-Net, 32 groups in norms, latents of 64×64, scaling factor 0.18215); --config names a folder that
says otherwise.

OUT appears complete or not at all. Values that are NaN or Inf, or that float16 does not hold, end the
conversion with an error that names the tensor.`,
		Example: `  percept weights convert sd-v1-4.ckpt stable-diffusion-v1-4 --tokenizer bpe_simple_vocab_16e6.txt.gz
  percept weights convert sd-v1-4-full-ema.ckpt sd --ema --dtype float16
  percept weights convert vae-ft-mse-840000-ema-pruned.safetensors vae-ft-mse`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("%d arguments for %q, expected two: a checkpoint or model folder, and a folder to write",
					len(args), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := weightType(dtype)
			if err != nil {
				return err
			}
			o.Partial = true
			f, err := weights.OpenModel(args[0], o)
			if err != nil {
				return err
			}
			defer f.Close()
			if len(f.Parts) == len(weights.Components()) && !f.HasTokenizer() {
				return weights.NoTokenizer(args[0])
			}
			want := map[weights.Component]map[string][]int{}
			for _, c := range weights.Components() {
				p := f.Parts[c]
				if p == nil {
					continue
				}
				if want[c], err = parameters(c, p.Config); err != nil {
					return fmt.Errorf("%s: %w", p.ConfigFile, err)
				}
			}
			writeNotes(logOf(cmd), args[0], f.Notes())
			if p := f.Parts[weights.UNet]; p != nil {
				convertNotes(logOf(cmd), args[0], p.File.Contents(), o)
			}
			show := partBars{log: logOf(cmd), title: "convert "}
			written, err := weights.Export(cmd.Context(), f, args[1],
				weights.ExportOptions{DType: d, Parameters: want, Replace: force, Progress: show.progress})
			if err := show.end(err); err != nil {
				return exportError(err)
			}
			return listExported(cmd, args[1], written)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dtype, "dtype", "", "`type` of the weights written: float32, float16 or bfloat16 (default: as in the file)")
	addOpening(cmd, &o)
	f.BoolVar(&force, "force", false, "replace OUT if it is a model folder")
	addJSON(cmd)
	return cmd
}

// convertNotes says what a person might have meant otherwise.
func convertNotes(out io.Writer, path string, c *weights.Contents, o weights.ModelOptions) {
	if c.EMA && !o.EMA {
		fmt.Fprintf(out, "%s also holds averaged weights of the U-Net, which pictures are better with: --ema takes those\n", path)
	}
	if c.Dialects[weights.UNet] == weights.CompVis && c.Model != "Stable Diffusion v1" && o.Config == "" {
		fmt.Fprintf(out, "%s: not of Stable Diffusion v1's size; 8 heads and 32 groups are taken for granted, --config says otherwise\n",
			path)
	}
}

// addOpening adds the flags that say how a model that is not a whole folder is opened.
func addOpening(cmd *cobra.Command, o *weights.ModelOptions) {
	o.Vocabulary = clip.FilesFromOpenAI
	f := cmd.Flags()
	f.BoolVar(&o.EMA, "ema", false, "take the averaged weights of a checkpoint that has both (model_ema)")
	f.StringVar(&o.Tokenizer, "tokenizer", "",
		"`path` of a tokenizer folder, a tokenizer.json, or bpe_simple_vocab_16e6.txt.gz (default: beside the checkpoint)")
	f.StringVar(&o.Config, "config", "",
		"`folder` with unet/config.json, vae/config.json, text_encoder/config.json in place of what shapes tell")
	f.StringVar(&o.Variant, "variant", "", "take a folder's files with this `word` in their names, such as fp16 or non_ema")
}

// exportError keeps the list of a *weights.CheckError short.
func exportError(err error) error {
	var bad *weights.CheckError
	if !errors.As(err, &bad) {
		return err
	}
	var first string
	switch {
	case len(bad.Missing) > 0:
		first = bad.Missing[0].Name + " is missing"
	case len(bad.Misshapen) > 0:
		m := bad.Misshapen[0]
		first = fmt.Sprintf("%s is %v, expected %v", m.Name, m.Got, m.Want)
	case len(bad.Unreadable) > 0:
		first = fmt.Sprintf("%s cannot be read: %s", bad.Unreadable[0].Name, bad.Unreadable[0].Why)
	default:
		first = bad.Unexpected[0] + " is unexpected"
	}
	return fmt.Errorf("%s: does not fit the model: %s (%s); percept weights inspect lists all", bad.File, bad.Summary(), first)
}

// listExported says what was written.
func listExported(cmd *cobra.Command, dir string, written []weights.Exported) error {
	if asJSON(cmd) {
		type file struct {
			Part    string `json:"part"`
			File    string `json:"file"`
			Tensors int    `json:"tensors"`
			Bytes   int64  `json:"bytes"`
		}
		files := []file{}
		for _, e := range written {
			files = append(files, file{string(e.Component), e.File, e.Tensors, e.Bytes})
		}
		return printJSON(cmd, map[string]any{"folder": dir, "files": files})
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	for _, e := range written {
		fmt.Fprintf(t, "%s\t%d tensors\t%s\n", strings.TrimSuffix(dir, "/")+"/"+e.File, e.Tensors, gibibytes(e.Bytes))
	}
	return t.Flush()
}

// partBars shows a bar for each component in turn.
type partBars struct {
	log     *progress.Log
	title   string
	current string
	bar     *progress.Task
}

// of is the bar of a component.
func (p *partBars) of(part string) *progress.Task {
	if part != p.current {
		p.end(nil)
		p.current, p.bar = part, p.log.Start(p.title+part)
	}
	return p.bar
}

func (p *partBars) progress(c weights.Component, done, total int64) {
	p.of(string(c)).Progress(int(done>>10), int(cmp.Or(total>>10, 1)))
}

// end ends the last one and returns err.
func (p *partBars) end(err error) error {
	if p.bar != nil {
		_ = p.bar.Finish(false, err)
	}
	p.bar = nil
	return err
}
