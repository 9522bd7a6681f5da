package percept

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"

	"percept/clip"
	"percept/unet"
	"percept/vae"
	"percept/weights"
	"percept/weights/embedded"
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
	// Name is the folder the model came from, Hash the sha256 over its files.
	Name, Hash string
}

// Options says how a model is loaded. The zero value is what most want.
type Options struct {
	// SkipHash leaves Pipeline.Hash empty: reading a large model only for its sum takes seconds.
	SkipHash bool
}

// Load opens a model folder in the layout of diffusers: unet/, vae/, text_encoder/, tokenizer/.
// The error lists every missing, unexpected or misshapen tensor of a part by name.
func Load(ctx context.Context, dir string, o Options) (*Pipeline, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("%s: no such model folder, expected one with unet/, vae/, text_encoder/ and tokenizer/", dir)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: is a file, expected a model folder with unet/, vae/, text_encoder/ and tokenizer/", dir)
	}
	folder, err := weights.OpenFolder(dir)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return build(ctx, folder, os.DirFS(dir), dir, o)
}

// Embedded loads the small model that is part of the program: the same architecture, trained on
// scenes that package fmri/sim/scene draws.
func Embedded(ctx context.Context) (*Pipeline, error) {
	const name = "embedded"
	fsys := embedded.FS()
	folder, err := weights.OpenFolderFS(fsys, name)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return build(ctx, folder, fsys, name, Options{})
}

func build(ctx context.Context, folder *weights.Folder, fsys fs.FS, name string, o Options) (*Pipeline, error) {
	p := &Pipeline{Name: filepath.Base(name)}
	if err := checkSchedule(folder, fsys); err != nil {
		return nil, err
	}
	if err := p.buildUNet(folder); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := p.buildVAE(folder); err != nil {
		return nil, err
	}
	if err := p.buildText(folder); err != nil {
		return nil, err
	}
	if o.SkipHash {
		return p, nil
	}
	var err error
	p.Hash, err = hashFolder(ctx, fsys)
	return p, err
}

// maxSampleSize is a latent of pictures of 8192 pixels, far beyond what Stable Diffusion v1 was made for.
const maxSampleSize = 1024

// checkSchedule refuses a model of another noise schedule or prediction than the samplers have: its
// pictures would be wrong without a word. A folder without a scheduler is taken for Stable Diffusion v1.
func checkSchedule(folder *weights.Folder, fsys fs.FS) error {
	const name = "scheduler/scheduler_config.json"
	if _, err := fs.Stat(fsys, name); err != nil {
		return nil
	}
	b, err := folder.Read(name)
	if err != nil {
		return err
	}
	// The defaults are the values that are supported, for keys that older files lack.
	c := struct {
		Start      float64 `json:"beta_start"`
		End        float64 `json:"beta_end"`
		Schedule   string  `json:"beta_schedule"`
		Steps      int     `json:"num_train_timesteps"`
		Prediction string  `json:"prediction_type"`
	}{0.00085, 0.012, "scaled_linear", 1000, "epsilon"}
	want := c
	if err := json.Unmarshal(b, &c); err != nil {
		return fmt.Errorf("%s/%s: %w", folder.Dir, name, err)
	}
	if c != want {
		return fmt.Errorf("%s/%s: %d timesteps, %s from %g to %g, prediction %s; supported are %d timesteps, %s from %g to %g, prediction %s", folder.Dir, name,
			c.Steps, c.Schedule, c.Start, c.End, c.Prediction, want.Steps, want.Schedule, want.Start, want.End, want.Prediction)
	}
	return nil
}

func (p *Pipeline) buildUNet(folder *weights.Folder) error {
	part := folder.Parts[weights.UNet]
	cfg, err := unet.ConfigFromJSON(part.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if p.UNet, err = unet.New(cfg, part.Store); err != nil {
		return firstCheck(part.Store, err)
	}
	var extra struct {
		SampleSize int `json:"sample_size"`
	}
	if err := json.Unmarshal(part.Config, &extra); err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if extra.SampleSize < 0 || extra.SampleSize > maxSampleSize {
		return fmt.Errorf("%s: sample_size is %d, expected 1 to %d", part.ConfigFile, extra.SampleSize, maxSampleSize)
	}
	p.Size = extra.SampleSize
	p.Width = cfg.CrossAttentionDim
	return part.Store.Check()
}

func (p *Pipeline) buildVAE(folder *weights.Folder) error {
	part := folder.Parts[weights.VAE]
	cfg, err := vae.ConfigFromJSON(part.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if p.VAE, err = vae.New(cfg, part.Store); err != nil {
		return firstCheck(part.Store, err)
	}
	p.Scale = float32(cfg.ScalingFactor)
	if p.Size == 0 {
		p.Size = 64 // of Stable Diffusion v1
	}
	p.Size *= p.VAE.Config.Downscale()
	return part.Store.Check()
}

func (p *Pipeline) buildText(folder *weights.Folder) error {
	part := folder.Parts[weights.TextEncoder]
	cfg, err := clip.TextConfigFromJSON(part.Config)
	if err != nil {
		return fmt.Errorf("%s: %w", part.ConfigFile, err)
	}
	if p.Text, err = clip.NewText(cfg, part.Store); err != nil {
		return firstCheck(part.Store, err)
	}
	if cfg.HiddenSize != p.Width {
		return fmt.Errorf("%s: hidden_size is %d, but the U-Net's cross_attention_dim is %d", part.ConfigFile, cfg.HiddenSize, p.Width)
	}
	p.Tokens = cfg.MaxPositionEmbeddings
	vocab, err := folder.Read("tokenizer/vocab.json")
	if err != nil {
		return err
	}
	merges, err := folder.Read("tokenizer/merges.txt")
	if err != nil {
		return err
	}
	if p.Tokenizer, err = clip.NewTokenizer(vocab, merges); err != nil {
		return fmt.Errorf("%s/tokenizer: %w", folder.Dir, err)
	}
	if n := p.Tokenizer.Size(); n > cfg.VocabSize {
		return fmt.Errorf("%s/tokenizer/vocab.json: ids up to %d, expected below %d, the vocab_size of %s", folder.Dir, n-1, cfg.VocabSize, part.ConfigFile)
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

// hashFolder is the sha256 over the names and contents of a model's files.
func hashFolder(ctx context.Context, fsys fs.FS) (string, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	sort.Strings(names)
	all := sha256.New()
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%x %s\n", sha256.Sum256(b), name)
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}
