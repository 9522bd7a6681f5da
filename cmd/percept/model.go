package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"percept"
	"percept/clip"
	"percept/weights/packed"
)

// modelFlags say which model a command loads, and how.
type modelFlags struct {
	dir string // folder or file; empty: the embedded model
	percept.Options
}

// add adds the flags to a command. With model it may load a model folder, without only the embedded model.
func (m *modelFlags) add(cmd *cobra.Command, model bool) {
	f := cmd.Flags()
	if model {
		f.StringVar(&m.dir, "model", "",
			"`model`: a folder in the layout of diffusers, or a .safetensors or .ckpt file (default: the embedded model)")
		f.StringVar(&m.Tokenizer, "tokenizer", "",
			"`path` of a folder with tokenizer.json or vocab.json and merges.txt, of a tokenizer.json, or of OpenAI's\n"+
				"bpe_simple_vocab_16e6.txt.gz, for a model that is a single file")
		f.StringVar(&m.Config, "config", "", "`folder` with config.json files for a model that is a single file (default: inferred)")
		f.BoolVar(&m.EMA, "ema", false, "take the moving average of the U-Net's weights from a checkpoint that holds both")
		f.StringVar(&m.Variant, "variant", "", "take the files of a model folder with this `word` in their names, such as fp16")
		f.BoolVar(&m.NoCache, "no-cache", false, "pack the model's weights anew, and keep them only in memory")
	}
	f.StringVar(&m.TextCleaning, "text-cleaning", clip.CleanTransformers.String(),
		fmt.Sprintf("`how` captions are cleaned before they are cut into tokens: %s, %s or %s",
			clip.CleanTransformers, clip.CleanOpenAI, clip.CleanFtfy))
	m.addStorage(cmd)
}

// addStorage adds the flags that say how weights are kept.
func (m *modelFlags) addStorage(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.WeightsDType, "weights-dtype", "float32",
		"`type` of the weights in memory: float32, float16 or bfloat16; computation is in float32")
	f.StringVar(&m.Memory, "memory", percept.MemoryFull, "`full` or low: low takes less memory and more time")
}

// check says which flag has a value that there is not.
func (m *modelFlags) check() error {
	if m.TextCleaning != "" {
		if _, err := clip.ParseCleaning(m.TextCleaning); err != nil {
			return usageError{fmt.Errorf("--text-cleaning: %w", err)}
		}
	}
	if _, err := m.Packing(""); err != nil {
		return usageError{fmt.Errorf("--%s", strings.Replace(err.Error(), "weights dtype", "weights-dtype", 1))}
	}
	return nil
}

// load loads the model.
func (m *modelFlags) load(cmd *cobra.Command) (*percept.Pipeline, error) {
	o := m.Options
	if verbose, err := cmd.Flags().GetBool("verbose"); err == nil && verbose {
		o.Log = logOf(cmd).Say
	}
	if m.dir == "" {
		return percept.LoadEmbedded(cmd.Context(), o)
	}
	pipe, err := percept.Load(cmd.Context(), m.dir, o)
	if err == nil {
		writeNotes(logOf(cmd), m.dir, pipe.Notes)
	}
	return pipe, err
}

// loadSound is load for a command that leaves files of what the model computes: cached weights are verified first.
func (m *modelFlags) loadSound(cmd *cobra.Command) (*percept.Pipeline, error) {
	pipe, err := m.load(cmd)
	if err == nil {
		err = packed.Sound(cmd.Context())
	}
	return pipe, err
}

// writeNotes says what of a model was taken in place of what was asked for.
func writeNotes(out io.Writer, model string, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(out, "percept: %s: %s\n", model, note)
	}
}
