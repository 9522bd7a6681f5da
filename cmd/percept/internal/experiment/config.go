// Package experiment runs a decoding experiment from a data tree to pictures, scores and a report,
// stage by stage in a run directory.
//
//	data tree ──► responses ─┐
//	   └───────► features ───┴─► decode ──► render ──► score ──► report
package experiment

import (
	"bytes"
	"fmt"
	"os"

	"github.com/pelletier/go-toml/v2"

	"percept/fmri/decode"
	"percept/fmri/ridge"
	"percept/scheduler"
)

// Config is what was asked of a run. It is written to the run directory as experiment.toml.
type Config struct {
	Model    string   `toml:"model" comment:"model folder; empty: the embedded model"`
	Data     string   `toml:"data" comment:"root of the NSD tree; a relative path counts from the run directory"`
	Subjects []string `toml:"subjects"`
	Seed     uint64   `toml:"seed" comment:"of diffusion noise, shuffles and bootstrap"`

	Simulate *Simulate `toml:"simulate,omitempty" comment:"make the data tree by simulation"`
	Decode   Decode    `toml:"decode"`
	Render   Render    `toml:"render"`
	Score    Score     `toml:"score"`
}

// Simulate sizes a simulated experiment; zeros are the simulation's defaults.
type Simulate struct {
	Seed   uint64 `toml:"seed"`
	Shared int    `toml:"shared_images" comment:"test images that every subject sees"`
	Own    int    `toml:"own_images" comment:"training images of each subject"`
}

// Decode says what is fitted.
type Decode struct {
	Atlas    string    `toml:"atlas" comment:"label volume with the regions below"`
	Early    []string  `toml:"early" comment:"regions that z is decoded from"`
	Higher   []string  `toml:"higher" comment:"regions that c is decoded from"`
	Folds    int       `toml:"folds"`
	Alphas   []float64 `toml:"alphas" comment:"ridge penalties to choose from, in units of X'X"`
	MinNCSNR float64   `toml:"min_ncsnr" comment:"voxels below this noise-ceiling SNR are left out"`
}

// Render says how pictures are made.
type Render struct {
	Steps    int     `toml:"steps" comment:"DDIM steps of a whole diffusion"`
	Strength float64 `toml:"strength" comment:"share of the diffusion that z is noised by"`
	Guidance float64 `toml:"guidance"`
	Images   int     `toml:"images" comment:"test images to render; 0: all"`
}

// Score says how intervals are taken.
type Score struct {
	Bootstrap    int `toml:"bootstrap" comment:"resamples of the images for 95 % intervals"`
	Permutations int `toml:"permutations" comment:"random pairings for the chance interval"`
}

// Demo is the configuration of percept demo.
func Demo() Config {
	return Config{
		Data:     "nsd",
		Subjects: []string{"subj01", "subj02"},
		Seed:     1,
		Simulate: &Simulate{Seed: 1},
		Decode: Decode{
			Atlas: "streams", Early: []string{"early"}, Higher: []string{"ventral", "lateral", "parietal"},
			Folds: 5, Alphas: ridge.LogSpace(1, 5, 9),
		},
		Render: Render{Steps: 20, Strength: 0.7, Guidance: 3},
		Score:  Score{Bootstrap: 2000, Permutations: 2000},
	}
}

// Check tells the first value that cannot be run with.
func (c Config) Check() error {
	switch {
	case c.Data == "":
		return fmt.Errorf("data is empty, expected the root of an NSD tree")
	case len(c.Subjects) == 0:
		return fmt.Errorf("subjects is empty, expected names like subj01")
	case len(c.Decode.Early) == 0 || len(c.Decode.Higher) == 0:
		return fmt.Errorf("decode.early and decode.higher name no region, expected at least one each")
	case c.Decode.Folds < 2:
		return fmt.Errorf("decode.folds is %d, expected 2 or more", c.Decode.Folds)
	case c.Render.Steps < 2 || c.Render.Steps > 1000:
		return fmt.Errorf("render.steps is %d, expected 2 to 1000", c.Render.Steps)
	case !(c.Render.Strength > 0 && c.Render.Strength < 1):
		return fmt.Errorf("render.strength is %g, expected more than 0 and less than 1", c.Render.Strength)
	case !(c.Render.Guidance >= 1 && c.Render.Guidance <= MaxGuidance):
		return fmt.Errorf("render.guidance is %g, expected 1 to %d", c.Render.Guidance, MaxGuidance)
	case c.Render.Images < 0 || c.Render.Images == 1:
		return fmt.Errorf("render.images is %d, expected 0 for all, or 2 or more to tell one from another", c.Render.Images)
	case c.Score.Bootstrap < 100 || c.Score.Permutations < 100:
		return fmt.Errorf("score.bootstrap and score.permutations are %d and %d, expected 100 or more", c.Score.Bootstrap, c.Score.Permutations)
	}
	if err := c.Simulate.check(c.Decode.Folds, c.Render.Images); err != nil {
		return err
	}
	// What the sampler cannot do is said now, not after minutes of decoding.
	if _, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: c.Render.Steps}); err != nil {
		return fmt.Errorf("render.steps is %d: %w", c.Render.Steps, err)
	}
	if n, err := scheduler.StepsFor(c.Render.Strength, c.Render.Steps); err != nil || n < 1 {
		return fmt.Errorf("render.strength is %g, which is no whole step of %d, expected %.3g or more", c.Render.Strength, c.Render.Steps, 1/float64(c.Render.Steps))
	}
	return nil
}

// MaxGuidance is far above every useful scale and far below where float32 ends.
const MaxGuidance = 1000

// defaultShared is what the simulation makes of 0 shared images.
const defaultShared = 40

// Bounds of a simulation. NSD's own subjects saw 9000 images of their own and 1000 shared ones.
const maxImages = 1 << 16

func (s *Simulate) check(folds, rendered int) error {
	if s == nil {
		return nil
	}
	if s.Own != 0 && (s.Own < 2*folds || s.Own > maxImages) {
		return fmt.Errorf("simulate.own_images is %d, expected 0 for the default, or %d to %d: two for each of the %d folds of cross-validation", s.Own, 2*folds, maxImages, folds)
	}
	if s.Shared != 0 && (s.Shared < 2 || s.Shared > maxImages) {
		return fmt.Errorf("simulate.shared_images is %d, expected 0 for the default, or 2 to %d: one is told from another", s.Shared, maxImages)
	}
	shared := s.Shared
	if shared == 0 {
		shared = defaultShared
	}
	if rendered > shared {
		return fmt.Errorf("render.images is %d, expected at most the %d test images", rendered, shared)
	}
	return nil
}

// Read reads a configuration file. An unknown key is an error.
func Read(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("%s: cannot be read, expected an experiment file", path)
	}
	var c Config
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.Check(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// renderOptions is what package decode needs of the configuration.
func (c Config) renderOptions() decode.RenderOptions {
	o := decode.RenderOptions{Strength: c.Render.Strength, Seed: c.Seed}
	o.Sampling.Steps, o.Sampling.Guidance = c.Render.Steps, c.Render.Guidance
	return o
}
