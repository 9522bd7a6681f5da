package study

import (
	_ "embed"
	"fmt"

	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/ridge"
)

// Example is a commented configuration for a real tree and a real model.
//
//go:embed example.toml
var Example string

// Config is what was asked of a run. It is written to the run directory as experiment.toml.
type Config struct {
	Model    string   `toml:"model" json:"-" comment:"model folder or file; empty: the embedded model"`
	Load     Load     `toml:"load,omitempty" json:"-"`
	Data     string   `toml:"data" json:"-" comment:"root of the NSD tree; where it is simulated, a folder of the run directory"`
	Subjects []string `toml:"subjects"`
	Seed     uint64   `toml:"seed" comment:"of diffusion noise, shuffles and bootstrap"`

	Simulate  *Simulate `toml:"simulate,omitempty" comment:"make the data tree by simulation"`
	Responses Responses `toml:"responses,omitempty"`
	Features  Features  `toml:"features"`
	Decode    Decode    `toml:"decode"`
	Fits      []Fit     `toml:"fit,omitempty" json:"fit,omitempty" comment:"what is fitted to what, in place of early and higher"`
	Render    Render    `toml:"render"`
	Score     Score     `toml:"score"`
}

// Load says how the model is loaded, as the flags of the same names.
type Load struct {
	Tokenizer    string `toml:"tokenizer,omitempty"`
	Config       string `toml:"config,omitempty"`
	EMA          bool   `toml:"ema,omitempty"`
	Variant      string `toml:"variant,omitempty"`
	TextCleaning string `toml:"text_cleaning,omitempty"`
	WeightsDType string `toml:"weights_dtype,omitempty"`
	Memory       string `toml:"memory,omitempty"`
}

// Responses says what is read of the betas.
type Responses struct {
	Sessions string `toml:"sessions,omitempty" comment:"sessions to use: all, the first so many as \"37\", or a list as \"1-10,12\""`
	Betas    string `toml:"betas,omitempty" comment:"version of the betas"`
	Space    string `toml:"space,omitempty" comment:"of the betas, as func1pt8mm"`
	ZScore   string `toml:"zscore,omitempty" comment:"session: z-score each voxel within each session, or none"`
}

// options is what package prepare needs of it.
func (r Responses) options() (o prepare.Options, err error) {
	if o.Sessions, err = nsd.ParseSessions(r.Sessions); err != nil {
		return o, fmt.Errorf("responses.sessions is %w", err)
	}
	switch r.ZScore {
	case "", "session":
		o.ZScore = true
	case "none":
	default:
		return o, fmt.Errorf("responses.zscore is %q, expected session or none", r.ZScore)
	}
	o.Version, o.Space = r.Betas, r.Space
	return o, nil
}

// Features says what is decoded.
type Features struct {
	From      string `toml:"from,omitempty" json:"-" comment:"folder that percept features has made; empty: made in the run"`
	Size      int    `toml:"size" comment:"pixels that pictures are scaled to for z; 0: the model's own"`
	Posterior string `toml:"posterior,omitempty" comment:"z is the mean of the posterior or a sample"`
	Captions  string `toml:"captions,omitempty" comment:"c is the mean over captions, that of the first, or the mean aligned at the end tokens"`
}

// Simulate sizes a simulated experiment; zeros are the simulation's defaults.
type Simulate struct {
	Seed   uint64 `toml:"seed"`
	Shared int    `toml:"shared_images" comment:"test images that every subject sees"`
	Own    int    `toml:"own_images" comment:"training images of each subject"`
}

// Decode says what is fitted.
type Decode struct {
	Atlas    string    `toml:"atlas,omitempty" comment:"label volume with the regions below"`
	Early    []string  `toml:"early,omitempty" comment:"regions that z is decoded from"`
	Higher   []string  `toml:"higher,omitempty" comment:"regions that c is decoded from"`
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
	Size     int     `toml:"size,omitempty" comment:"pixels of the pictures; 0: the model's own"`
	Z        string  `toml:"z,omitempty" json:"Z,omitempty" comment:"fit that pictures take z from; left out: the first from responses to z"`
	C        string  `toml:"c,omitempty" json:"C,omitempty" comment:"the same of c"`
}

// Score says how intervals are taken.
type Score struct {
	Bootstrap    int `toml:"bootstrap" comment:"resamples of the images for 95 % intervals"`
	Permutations int `toml:"permutations" comment:"random pairings for the chance interval"`
	// Scenes adds what a network that knows drawn scenes sees. It says nothing about photographs.
	Scenes bool `toml:"scenes" comment:"identification by a network that knows the simulation's drawn scenes"`
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
		Score:  Score{Bootstrap: 2000, Permutations: 2000, Scenes: true},
	}
}
