package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"percept/clip"
	"percept/internal/half"
	"percept/scheduler"
	"percept/unet"
	"percept/vae"
	"percept/weights"
	"percept/weights/synth"
)

const (
	nanoFolder = "tiny/weights"
	nanoLDM    = "tiny/weights/ldm_fp16.safetensors"
	nanoLegacy = "tiny/weights/vae_legacy_names/diffusion_pytorch_model.fp16.safetensors"
	nanoIO     = "tiny/nano_io.safetensors"

	nanoCheckpoint = nanoFolder + "/ldm_f16.ckpt" // holds the three models
	nanoManifest   = nanoFolder + "/checkpoint_manifest.json"
	nanoOldTorch   = nanoFolder + "/legacy_nonzip.ckpt"
)

// nanoCheckpoints are the files of torch that the manifest describes.
var nanoCheckpoints = []string{"ldm_f16.ckpt", "ldm_f32.ckpt", "ldm_lightning_text_vae.ckpt"}

var threeComponents = []weights.Component{weights.UNet, weights.VAE, weights.TextEncoder}

// nanoCases are those of the models whose weights come as files.
func nanoCases(s *set) []Case {
	ok := true
	for _, f := range []string{
		"unet/config.json", "unet/diffusion_pytorch_model.safetensors", "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
		"text_encoder/config.json", "text_encoder/model.safetensors",
	} {
		ok = s.want(nanoFolder+"/"+f) && ok
	}
	ok = s.want(nanoLDM) && ok
	ok = s.want(nanoLegacy) && ok
	if !ok {
		return nil
	}
	cases := []Case{
		{Name: "nano: every tensor under CompVis names, and generated", run: nanoTensors},
		{Name: "nano: legacy VAE names", run: nanoLegacyNames},
		{Name: "nano: models from the diffusers folder", run: func(ctx context.Context, c *check) { nanoModels(ctx, c, "") }},
		{Name: "nano: models from the CompVis file", run: func(ctx context.Context, c *check) { nanoModels(ctx, c, nanoLDM) }},
	}
	manifest := s.want(nanoManifest)
	for _, f := range nanoCheckpoints {
		if s.want(nanoFolder+"/"+f) && manifest {
			cases = append(cases, Case{Name: "nano: " + f, run: func(ctx context.Context, c *check) { nanoTorchFile(ctx, c, f) }})
		}
	}
	if s.want(nanoOldTorch) {
		cases = append(cases, Case{Name: "nano: legacy_nonzip.ckpt", run: nanoOldTorchFile})
	}
	if s.want(nanoCheckpoint) {
		cases = append(cases, Case{Name: "nano: models from ldm_f16.ckpt", run: func(ctx context.Context, c *check) { nanoModels(ctx, c, nanoCheckpoint) }})
	}
	return cases
}

// nanoFiles opens the folder and a file under CompVis names; the caller closes them.
func (c *check) nanoFiles(file string) (folder *weights.Folder, ldm *weights.Store, closeAll func()) {
	folder, err := weights.OpenFolder(c.set.path(nanoFolder))
	c.must(err)
	ldm, err = weights.Open(c.set.path(file))
	if err != nil {
		_ = folder.Close() // the error of Open is the one to show
		c.must(err)
	}
	return folder, ldm, func() {
		_ = folder.Close() // read only
		_ = ldm.Close()
	}
}

// nanoTensors compares both dialects with one another and with the generator, tensor by tensor.
func nanoTensors(_ context.Context, c *check) {
	folder, ldm, closeAll := c.nanoFiles(nanoLDM)
	defer closeAll()
	seed := c.seed()
	claimed := map[string]bool{}
	for _, part := range threeComponents {
		diffusers := folder.Parts[part].Store
		view, err := ldm.Component(part)
		c.must(err)
		made := &synth.Weights{Component: "nano." + string(part), Seed: seed, Half: true}
		want := map[string][]int{}
		for _, name := range diffusers.Names() {
			_, shape, _ := diffusers.Info(name)
			want[name] = shape
			ref, err := diffusers.Float32(name)
			c.must(err)
			x, err := view.Float32(name, shape...)
			c.must(err)
			c.bits(fmt.Sprintf("%s, %s in the CompVis file", name, view.Source(name)), x, ref)
			x, err = made.Float32(name, shape...)
			c.must(err)
			c.bits(name+", generated", x, ref)
			claimed[view.Source(name)] = true
		}
		c.must(view.CheckAgainst(want))
	}
	tables := map[string][]float64{"betas": scheduler.StableDiffusion().Beta, "alphas_cumprod": scheduler.StableDiffusion().AlphaBar}
	tables["alphas_cumprod_prev"] = append([]float64{1}, tables["alphas_cumprod"][:len(tables["alphas_cumprod"])-1]...)
	for _, name := range ldm.Names() {
		if table, ok := tables[name]; ok {
			x, err := ldm.Float32(name)
			c.must(err)
			ref := make([]float32, len(table))
			for i, v := range table {
				ref[i] = half.FromF16(half.ToF16(float32(v)))
			}
			c.bits(name, x, ref)
		} else if !claimed[name] && !weights.Buffer(name) {
			c.problem("%s: unknown tensor %s", nanoLDM, name)
		}
	}
}

func nanoLegacyNames(_ context.Context, c *check) {
	folder, err := weights.OpenFolder(c.set.path(nanoFolder), weights.VAE)
	c.must(err)
	defer folder.Close()
	legacy, err := weights.Open(c.set.path(nanoLegacy))
	c.must(err)
	defer legacy.Close()
	renamed := slices.ContainsFunc(legacy.Names(), func(n string) bool { return strings.Contains(n, ".query.") })
	c.that(renamed, "the file has no legacy names")
	view, err := legacy.Component(weights.VAE)
	c.must(err)
	want := map[string][]int{}
	diffusers := folder.Parts[weights.VAE].Store
	for _, name := range diffusers.Names() {
		_, want[name], _ = diffusers.Info(name)
		ref, err := diffusers.Float32(name)
		c.must(err)
		x, err := view.Float32(name, want[name]...)
		c.must(err)
		c.bits(name, x, ref)
	}
	c.must(view.CheckAgainst(want))
}

// nanoModels runs the three models with weights from the diffusers folder, or from a file under CompVis names.
func nanoModels(ctx context.Context, c *check, file string) {
	folder, ldm, closeAll := c.nanoFiles(cmp.Or(file, nanoLDM))
	defer closeAll()
	source := map[weights.Component]*weights.Store{}
	for _, part := range threeComponents {
		source[part] = folder.Parts[part].Store
		if file != "" {
			view, err := ldm.Component(part)
			c.must(err)
			source[part] = view
		}
	}
	r := c.tinyReport()

	unetConfig, err := unet.ConfigFromJSON(folder.Parts[weights.UNet].Config)
	c.must(err)
	u, err := unet.New(unetConfig, source[weights.UNet])
	c.must(err)
	c.must(source[weights.UNet].Check())
	for _, run := range c.unetRuns(nanoIO, "unet.") {
		c.runUNet(ctx, u, nanoIO, "unet."+run, "unet."+run, r.tolerance(c, "nano.unet."+run))
	}

	vaeConfig, err := vae.ConfigFromJSON(folder.Parts[weights.VAE].Config)
	c.must(err)
	v, err := vae.New(vaeConfig, source[weights.VAE])
	c.must(err)
	c.must(source[weights.VAE].Check())
	c.runVAE(ctx, v, nanoIO, "vae.", r.tolerance(c, "nano.vae.moments"), r.tolerance(c, "nano.vae.decode"))

	textConfig, err := clip.TextConfigFromJSON(folder.Parts[weights.TextEncoder].Config)
	c.must(err)
	t, err := clip.NewText(textConfig, source[weights.TextEncoder])
	c.must(err)
	c.must(source[weights.TextEncoder].Check())
	got, err := t.Encode(ctx, c.rows(nanoIO, "text.input_ids"))
	c.must(err)
	c.near("text.last_hidden_state", got, c.float32s(nanoIO, "text.last_hidden_state"), r.tolerance(c, "nano.text"))
}
