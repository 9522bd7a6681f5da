package percept

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"percept/clip"
	"percept/internal/offheap"
	"percept/internal/pyjson"
	"percept/scheduler"
	"percept/tensor"
	"percept/unet"
	"percept/vae"
	"percept/weights"
	"percept/weights/embedded"
	"percept/weights/packed"
)

// Pipeline is a loaded model: U-Net, VAE, text encoder and tokenizer. It is safe for concurrent
// use.
type Pipeline struct {
	UNet      *unet.Model
	VAE       *vae.Model
	Text      *clip.Text
	Tokenizer *clip.Tokenizer

	// Size is the width and height of the pictures that the model was made for, in pixels.
	Size int
	// Scale is what latents are multiplied with after encoding (0.18215 for Stable Diffusion v1).
	Scale float32
	// Tokens and Width are the two dimensions of the conditioning c.
	Tokens, Width int
	// Name is the folder or file that the model came from, Hash the sha256 over the files it consists of.
	Name, Hash string
	// Scheduler is how the model's folder says that it is sampled (scheduler_config.json), as a loaded StableDiffusionPipeline of
	// diffusers takes it, or the file of Options.Scheduler as it is. nil is as Stable Diffusion v1. Samplings follow it: see
	// scheduler.Options.
	Scheduler *scheduler.Config
	// Storage says how the weights are kept, as far as results depend on it: Options.WeightsDType and Options.Memory.
	Storage string
	// Notes says what was taken in place of what was asked for, one line each.
	Notes []string
}

// Options says how a model is loaded. The zero value is what most want.
type Options struct {
	// Tokenizer is a folder with tokenizer.json or with vocab.json and merges.txt, a tokenizer.json, or OpenAI's
	// bpe_simple_vocab_16e6.txt[.gz]: a single file of weights has none. Empty takes what lies in the model's folder or beside its file.
	Tokenizer string
	// Config is a folder of diffusers' config.json files for a single file of weights, instead of those inferred from it.
	Config string
	// Scheduler is a scheduler_config.json to follow instead of the model's, as diffusers' from_config does: what a loaded
	// StableDiffusionPipeline would override in it counts.
	Scheduler string
	// EMA takes the moving average of the U-Net's weights from a checkpoint that holds both.
	EMA bool
	// Variant takes the files of a folder that have this word in their names, such as "fp16"; of a part that has none, those
	// without, which Pipeline.Notes says.
	Variant string
	// TextCleaning is how captions are cleaned before they are cut into tokens, "transformers", "openai" or "ftfy"; empty is as
	// transformers does it.
	TextCleaning string
	// SkipHash leaves Pipeline.Hash empty: reading a large model only for its sum takes seconds.
	SkipHash bool
	// WeightsDType is the element type of the matrices in memory: float32, which is what empty means, float16 or bfloat16.
	// Computation is in float32 either way.
	WeightsDType string
	// Memory is "full", which is what empty means, or "low": no convolution is computed in a form that takes more memory
	// than its weights.
	Memory string
	// NoCache keeps packed weights out of the cache folder, and does not look for them there.
	NoCache bool
	// CacheDir is the folder for packed weights; empty is packed.Dir.
	CacheDir string
	// Log, unless nil, is told what becomes of the cache, one line at a time, possibly from another goroutine.
	Log func(line string)
}

// Packing returns how the weights called name (a component, such as "unet") are packed and kept. The error says which
// option has a value that there is not.
func (o Options) Packing(name string) (packed.Options, error) {
	dtype, low := cmp.Or(o.WeightsDType, tensor.Float32.String()), false
	if _, err := tensor.ParseFormat(dtype); err != nil {
		return packed.Options{}, fmt.Errorf("weights dtype %q, expected float32, float16 or bfloat16", o.WeightsDType)
	}
	switch o.Memory {
	case "", MemoryFull:
	case MemoryLow:
		low = true
	default:
		return packed.Options{}, fmt.Errorf("memory %q, expected %s or %s", o.Memory, MemoryFull, MemoryLow)
	}
	variant := tensor.KernelSet() + " kernels"
	if !low {
		variant += ", forms " + tensor.Forms().Hash()[:8]
	}
	return packed.Options{Name: name, Variant: variant, DType: dtype, Low: low, NoCache: o.NoCache, Dir: o.CacheDir, Log: o.Log}, nil
}

// Values of Options.Memory.
const (
	MemoryFull = "full"
	MemoryLow  = "low"
)

// Load opens a model: a folder in the layout of diffusers (unet/, vae/, text_encoder/, tokenizer/), or a single file of
// all weights, .safetensors or .ckpt, with the names of the original code. The error lists every missing, unexpected or
// misshapen tensor of a part by name.
func Load(ctx context.Context, path string, o Options) (*Pipeline, error) {
	folder, err := o.open(path)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return build(ctx, folder, path, o)
}

func (o Options) open(path string) (*weights.Folder, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%s: no such model, expected a folder with unet/, vae/, text_encoder/ and tokenizer/, or a file of all weights (.safetensors, .ckpt)", path)
	}
	return weights.OpenModel(path, weights.ModelOptions{EMA: o.EMA, Variant: o.Variant, Tokenizer: o.Tokenizer,
		Vocabulary: clip.FilesFromOpenAI, Config: o.Config})
}

// Embedded loads the small model that is part of the program: the same architecture, trained on
// scenes that package fmri/sim/scene draws.
func Embedded(ctx context.Context) (*Pipeline, error) { return LoadEmbedded(ctx, Options{}) }

// LoadEmbedded is Embedded with options. The model is small: it is packed anew each time.
func LoadEmbedded(ctx context.Context, o Options) (*Pipeline, error) {
	const name = "embedded"
	folder, err := weights.OpenFolderFS(embedded.FS(), name)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return build(ctx, folder, name, o)
}

func build(ctx context.Context, folder *weights.Folder, name string, o Options) (*Pipeline, error) {
	cleaning, err := clip.ParseCleaning(cmp.Or(o.TextCleaning, clip.CleanTransformers.String()))
	if err != nil {
		return nil, err
	}
	packing, err := o.Packing("")
	if err != nil {
		return nil, err
	}
	p := &Pipeline{Name: filepath.Base(name), Notes: folder.Notes(),
		Storage: fmt.Sprintf("%s, memory %s", packing.DType, cmp.Or(o.Memory, MemoryFull))}
	if p.Scheduler, err = schedulerOf(folder, o.Scheduler); err != nil {
		return nil, err
	}
	if _, err := packPart(folder, weights.UNet, packing, p.buildUNet); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := packPart(folder, weights.VAE, packing, p.buildVAE); err != nil {
		return nil, err
	}
	if _, err := packPart(folder, weights.TextEncoder, packing, p.buildText); err != nil {
		return nil, err
	}
	p.Tokenizer = p.Tokenizer.WithCleaning(cleaning)
	if o.SkipHash {
		return p, nil
	}
	p.Hash, err = hashFiles(ctx, folder, packing, o.EMA, p.textSettings())
	return p, err
}

// packPart builds one network from its packed weights, and keeps those that had to be packed when the network and its
// file are as they should be.
func packPart(folder *weights.Folder, c weights.Component, o packed.Options,
	build func(*weights.Folder, *packed.Pack) error) (*packed.Pack, error) {
	o.Name = string(c)
	pack := packed.New(folder.Parts[c].Store, o)
	built := func() (err error) {
		defer offheap.Catch(&err)
		return build(folder, pack)
	}
	if err := built(); err != nil {
		if full := (*offheap.Error)(nil); errors.As(err, &full) {
			err = fmt.Errorf("weights of %s: %w: expected a higher limit, memory low or weights of half precision", c, err)
		}
		pack.Release()
		return nil, err
	}
	pack.Keep()
	return pack, nil
}

// maxSampleSize is a latent of pictures of 8192 pixels, far beyond what Stable Diffusion v1 was made for.
const maxSampleSize = 1024

func (p *Pipeline) buildUNet(folder *weights.Folder, pack *packed.Pack) error {
	part := folder.Parts[weights.UNet]
	cfg, err := unet.ConfigFromJSON(part.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if p.UNet, err = unet.New(cfg, pack); err != nil {
		return firstCheck(part.Store, err)
	}
	var extra struct {
		SampleSize int `json:"sample_size"`
	}
	if err := json.Unmarshal(pyjson.Standard(part.Config), &extra); err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if extra.SampleSize < 0 || extra.SampleSize > maxSampleSize {
		return fmt.Errorf("%s: sample_size is %d, expected 1 to %d", part.ConfigFile, extra.SampleSize, maxSampleSize)
	}
	p.Size = extra.SampleSize
	p.Width = cfg.CrossAttentionDim
	return part.Store.Check()
}

func (p *Pipeline) buildVAE(folder *weights.Folder, pack *packed.Pack) error {
	part := folder.Parts[weights.VAE]
	cfg, err := vae.ConfigFromJSON(part.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if p.VAE, err = vae.New(cfg, pack); err != nil {
		return firstCheck(part.Store, err)
	}
	p.Scale = float32(cfg.ScalingFactor)
	if p.Size == 0 {
		p.Size = 64 // of Stable Diffusion v1
	}
	p.Size *= p.VAE.Config.Downscale()
	return part.Store.Check()
}

func (p *Pipeline) buildText(folder *weights.Folder, pack *packed.Pack) error {
	part := folder.Parts[weights.TextEncoder]
	cfg, err := clip.TextConfigFromJSON(part.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if p.Text, err = clip.NewText(cfg, pack); err != nil {
		return firstCheck(part.Store, err)
	}
	if cfg.HiddenSize != p.Width {
		return fmt.Errorf("%s: hidden_size is %d, but the U-Net's cross_attention_dim is %d", part.ConfigFile, cfg.HiddenSize, p.Width)
	}
	files, err := folder.TokenizerFiles()
	if err != nil {
		return err
	}
	if p.Tokenizer, err = clip.NewTokenizerFolder(files); err != nil {
		return fmt.Errorf("%s/tokenizer: %w", folder.Dir, err)
	}
	p.Tokens = cfg.MaxPositionEmbeddings
	if n := p.Tokenizer.Length(); n > 0 && n < p.Tokens {
		p.Tokens = n // what diffusers pads to
	}
	if n := p.Tokenizer.Size(); n > cfg.VocabSize {
		return fmt.Errorf("%s/tokenizer: ids up to %d, expected below %d, the vocab_size of %s", folder.Dir, n-1,
			cfg.VocabSize, part.ConfigFile)
	}
	return part.Store.Check()
}

// firstCheck prefers the full list of what is wrong with a file over the first complaint.
func firstCheck(s *weights.Store, err error) error {
	if all := s.Check(); all != nil {
		return all
	}
	return fmt.Errorf("%s: %w", s.File(), err)
}

// textSettings says what of a text's ids neither the vocabulary nor the text encoder's configuration decide; usually nothing.
func (p *Pipeline) textSettings() string {
	s := p.Tokenizer.Settings()
	if p.Tokens != p.Text.Config.MaxPositionEmbeddings {
		s += fmt.Sprintf(" length %d", p.Tokens)
	}
	return s
}

// hashFiles is the sha256 over the names and contents of a model's files, and over the settings of its tokenizer.
func hashFiles(ctx context.Context, folder *weights.Folder, o packed.Options, ema bool, text string) (string, error) {
	all := sha256.New()
	if text != "" {
		fmt.Fprintln(all, "tokenizer", text)
	}
	if ema {
		fmt.Fprintln(all, "moving average")
	}
	for _, f := range folder.Files() {
		sum, err := o.FileSum(ctx, f.FS, f.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%x %s\n", sum, f.Name)
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}
