package study

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/ridge"
	"percept/internal/cause"
	"percept/scheduler"
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
	Features  Features  `toml:"features,omitempty"`
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
	Size      int    `toml:"size,omitempty" comment:"pixels that pictures are scaled to for z; 0: the model's own"`
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

// Check tells the first value that cannot be run with.
func (c Config) Check() error {
	switch {
	case c.Data == "":
		return fmt.Errorf("data is empty, expected the root of an NSD tree")
	case len(c.Subjects) == 0:
		return fmt.Errorf("subjects is empty, expected names like subj01")
	case len(c.Fits) == 0 && c.Decode.Folds < 2:
		return fmt.Errorf("decode.folds is %d, expected 2 or more", c.Decode.Folds)
	case c.Decode.MinNCSNR < 0:
		return fmt.Errorf("decode.min_ncsnr is %g, expected 0 for no cut, or more", c.Decode.MinNCSNR)
	case c.Features.Size < 0 || c.Features.Size > maxSize:
		return fmt.Errorf("features.size is %d, expected 0 for the model's own, or up to %d", c.Features.Size, maxSize)
	case c.Score.Bootstrap < 100 || c.Score.Permutations < 100:
		return fmt.Errorf("score.bootstrap and score.permutations are %d and %d, expected 100 or more", c.Score.Bootstrap,
			c.Score.Permutations)
	}
	if err := checkAlphas(c.Decode.Alphas); err != nil && len(c.Fits) == 0 {
		return fmt.Errorf("decode.%w", err)
	}
	_, err := c.Responses.options()
	if err = cmp.Or(c.checkSubjects(), c.checkFits(), err, c.Simulate.check(c.folds(), c.Render.Images)); err != nil {
		return err
	}
	if err := c.featureOptions().Check(); err != nil {
		return fmt.Errorf("features.%w", err)
	}
	if c.pictures() {
		return c.Render.check()
	}
	return nil
}

// check tells the first value that pictures cannot be made with. What the sampler cannot do is said now, not after minutes of
// decoding.
func (r Render) check() error {
	switch {
	case r.Steps < 2 || r.Steps > 1000:
		return fmt.Errorf("render.steps is %d, expected 2 to 1000", r.Steps)
	case !(r.Strength > 0 && r.Strength < 1):
		return fmt.Errorf("render.strength is %g, expected more than 0 and less than 1", r.Strength)
	case !(r.Guidance >= 1 && r.Guidance <= MaxGuidance):
		return fmt.Errorf("render.guidance is %g, expected 1 to %d", r.Guidance, MaxGuidance)
	case r.Size < 0 || r.Size > maxSize:
		return fmt.Errorf("render.size is %d, expected 0 for the model's own, or up to %d", r.Size, maxSize)
	case r.Images < 0 || r.Images == 1:
		return fmt.Errorf("render.images is %d, expected 0 for all, or 2 or more to tell one from another", r.Images)
	}
	if _, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: r.Steps}); err != nil {
		return fmt.Errorf("render.steps is %d: %w", r.Steps, err)
	}
	if n, err := scheduler.StepsFor(r.Strength, r.Steps); err != nil || n < 1 {
		return fmt.Errorf("render.strength is %g, which is no whole step of %d, expected %.3g or more", r.Strength, r.Steps,
			1/float64(r.Steps))
	}
	return nil
}

// maxSize is far beyond the pictures that Stable Diffusion v1 was made for.
const maxSize = 4096

func (c Config) checkSubjects() error {
	for i, s := range c.Subjects {
		want := fmt.Sprintf("subj%02d", i+1)
		switch {
		case c.Simulate != nil && s != want:
			return fmt.Errorf("subjects has %q, expected %s: simulated subjects are numbered from 1", s, want)
		case !subjectName.MatchString(s):
			return fmt.Errorf("subjects has %q, expected names like subj01", s)
		case slices.Contains(c.Subjects[:i], s):
			return fmt.Errorf("subjects has %s twice, expected each once", s)
		}
	}
	if c.Simulate != nil && len(c.Subjects) > 8 {
		return fmt.Errorf("subjects has %d names, expected at most 8 where they are simulated", len(c.Subjects))
	}
	if c.Simulate != nil && (!filepath.IsLocal(c.Data) || filepath.Clean(c.Data) != c.Data || c.Data == "." ||
		strings.ContainsAny(c.Data, `/\`) || strings.HasPrefix(c.Data, ".")) {
		return fmt.Errorf("data is %q, expected the name of a folder of the run directory, as nsd, where it is simulated", c.Data)
	}
	return nil
}

var subjectName = regexp.MustCompile(`^subj[0-9]{2}$`)

func checkAlphas(alphas []float64) error {
	if len(alphas) == 0 {
		return fmt.Errorf("alphas is empty, expected penalties to choose from")
	}
	for i, a := range alphas {
		if !(a > 0) || math.IsInf(a, 0) {
			return fmt.Errorf("alphas has %g, expected positive numbers", a)
		}
		if i > 0 && a <= alphas[i-1] {
			return fmt.Errorf("alphas has %g after %g, expected ascending numbers", a, alphas[i-1])
		}
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
		return fmt.Errorf("simulate.shared_images is %d, expected 0 for the default, or 2 to %d: one is told from another", s.Shared,
			maxImages)
	}
	if shared := cmp.Or(s.Shared, defaultShared); rendered > shared {
		return fmt.Errorf("render.images is %d, expected at most the %d test images", rendered, shared)
	}
	return nil
}

// Read reads a configuration file. A key that there is not is an error with its line. Paths in it count from its folder.
func Read(path string) (Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w, expected an experiment file", path, cause.Of(err))
	}
	c, err := Parse(b)
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	paths := []*string{&c.Model, &c.Load.Tokenizer, &c.Load.Config, &c.Features.From}
	if c.Simulate == nil {
		paths = append(paths, &c.Data)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return c, nil
}

// Parse reads a configuration.
func Parse(text []byte) (Config, error) {
	var c Config
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c)
	var strict *toml.StrictMissingError
	var at *toml.DecodeError
	switch {
	case errors.As(err, &strict):
		e := strict.Errors[0]
		line, _ := e.Position()
		key := e.Key()
		return Config{}, fmt.Errorf("line %d: unknown key %s, expected %s", line, strings.Join(key, "."),
			strings.Join(keys(reflect.TypeFor[Config](), key), ", "))
	case errors.As(err, &at):
		line, column := at.Position()
		what := strings.TrimPrefix(at.Error(), "toml: ")
		found, field, ok := strings.Cut(what, " into struct field ")
		if _, want, typed := strings.Cut(field, " of type "); ok && typed {
			what = fmt.Sprintf("%s: found a%s, expected %s", strings.Join(at.Key(), "."),
				strings.TrimPrefix(found, "cannot decode TOML"), want)
		}
		return Config{}, fmt.Errorf("line %d, column %d: %s", line, column, what)
	case err != nil:
		return Config{}, err
	}
	return c, c.Check()
}

// keys lists what could stand in place of the last part of a key.
func keys(t reflect.Type, key []string) (names []string) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("toml"), ",")
		if len(key) > 1 && name == key[0] {
			return keys(t.Field(i).Type, key[1:])
		}
		names = append(names, name)
	}
	return names
}
