package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"percept/clip"
	"percept/internal/cause"
	"percept/weights"
	"percept/weights/synth"
)

// referenceSeed is the seed of the project's reference values.
const referenceSeed = 0x53445f31

func newWeightsSynth() *cobra.Command {
	var size, like, seedText, dtype, tokenizer string
	var force bool
	cmd := &cobra.Command{
		Use:   "synth OUT",
		Short: "Make a model folder with generated weights, for tests at any size",
		Long: `Make a model folder with weights from a formula: a counter-based generator keyed by each tensor's
name, with variances that keep activations near 1. The same name, shape and seed give the same bits
everywhere, so that two programs can be compared at full size without a checkpoint. The pictures
are noise.

Sizes:
` + sizeList() + `
A model of the first size takes 4 GiB. Without --tokenizer the folder has no tokenizer, and no captions can
be given. With one, the text encoder of a size whose vocabulary is smaller gets that of the tokenizer; its other
tensors keep their bits.`,
		Example: `  percept weights synth synth-sd14 --tokenizer bpe_simple_vocab_16e6.txt.gz
  percept weights synth small --size nano --dtype float16
  percept weights synth mine --like stable-diffusion-v1-4 --seed 7`,
		Args: oneArg("a folder to write"),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := weightType(dtype)
			if err != nil {
				return err
			}
			seed, err := strconv.ParseUint(seedText, 0, 64)
			if err != nil {
				return usageError{fmt.Errorf("--seed %s, expected a number from 0 to 2^64-1", seedText)}
			}
			if like != "" && cmd.Flags().Changed("size") {
				return usageError{errors.New("--size and --like exclude one another")}
			}
			made := synth.Weights{Seed: seed}
			var configs map[weights.Component][]byte
			if like != "" {
				configs, err = configsIn(like)
			} else {
				configs, err = configsOf(size, &made)
			}
			if err != nil {
				return err
			}
			if tokenizer != "" && like == "" {
				if err := takeVocabulary(configs, tokenizer); err != nil {
					return err
				}
			}
			want := map[weights.Component]map[string][]int{}
			for c, config := range configs {
				if want[c], err = parameters(c, config); err != nil {
					return fmt.Errorf("%s: %w", filepath.Join(like, string(c), "config.json"), err)
				}
			}
			show := partBars{log: logOf(cmd), title: "generate "}
			o := weights.ModelOptions{Tokenizer: tokenizer, Vocabulary: clip.FilesFromOpenAI}
			written, err := weights.ExportSynth(cmd.Context(), made, configs, o, args[0],
				weights.ExportOptions{DType: d, Parameters: want, Replace: force, Progress: show.progress})
			if err := show.end(err); err != nil {
				return err
			}
			if tokenizer == "" {
				fmt.Fprintln(logOf(cmd), "no tokenizer was written: --tokenizer gives one")
			}
			return listExported(cmd, args[0], written)
		},
	}
	f := cmd.Flags()
	f.StringVar(&size, "size", "sd14", "`name` of a size")
	f.StringVar(&like, "like", "", "model `folder` with the config.json files to make weights for")
	f.StringVar(&seedText, "seed", fmt.Sprintf("%#x", referenceSeed), "seed of the generator")
	f.StringVar(&dtype, "dtype", "", "`type` of the weights written: float32, float16 or bfloat16 (default: float32)")
	f.StringVar(&tokenizer, "tokenizer", "", "`path` of a tokenizer folder, a tokenizer.json, or bpe_simple_vocab_16e6.txt.gz")
	f.BoolVar(&force, "force", false, "replace OUT if it is a model folder")
	addJSON(cmd)
	return cmd
}

// takeVocabulary makes room in the text encoder for the ids of a tokenizer, so that captions can be given.
func takeVocabulary(configs map[weights.Component][]byte, tokenizer string) error {
	files, err := weights.ReadTokenizer(tokenizer, weights.ModelOptions{Vocabulary: clip.FilesFromOpenAI})
	if err != nil {
		return err
	}
	t, err := clip.NewTokenizerFolder(files)
	if err != nil {
		return fmt.Errorf("%s: %w", tokenizer, err)
	}
	var config map[string]any
	if err := json.Unmarshal(configs[weights.TextEncoder], &config); err != nil {
		return err // of our own making
	}
	if size, ok := config["vocab_size"].(float64); !ok || int(size) >= t.Size() {
		return nil
	}
	config["vocab_size"] = t.Size()
	configs[weights.TextEncoder], err = json.MarshalIndent(config, "", "  ")
	return err
}

func sizeList() string {
	var b strings.Builder
	for _, s := range weights.Sizes() {
		fmt.Fprintf(&b, "  %-5s %s\n", s.Name, s.What)
	}
	return b.String()
}

// configsOf returns the configurations of a size.
func configsOf(size string, made *synth.Weights) (map[weights.Component][]byte, error) {
	var names []string
	for _, s := range weights.Sizes() {
		names = append(names, s.Name)
		if s.Name != size {
			continue
		}
		made.Component, made.Half = s.Prefix, s.Half
		configs := map[weights.Component][]byte{}
		for _, c := range weights.Components() {
			var err error
			if configs[c], err = s.Config(c); err != nil {
				return nil, err
			}
		}
		return configs, nil
	}
	return nil, usageError{fmt.Errorf("--size %s, expected %s", size, strings.Join(names, ", "))}
}

// configsIn reads the configurations of a model folder.
func configsIn(dir string) (map[weights.Component][]byte, error) {
	configs := map[weights.Component][]byte{}
	for _, c := range weights.Components() {
		path := filepath.Join(dir, string(c), "config.json")
		b, err := os.ReadFile(path)
		if err == nil {
			configs[c] = b
		} else if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: cannot be read: %w", path, cause.Of(err))
		}
	}
	if len(configs) == 0 {
		return nil, fmt.Errorf("%s: no unet/config.json, vae/config.json or text_encoder/config.json, expected one at least", dir)
	}
	return configs, nil
}
