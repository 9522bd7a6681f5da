package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Sampler carries a latent from noise to data. One may be shared: a run leaves nothing in it.
type Sampler interface {
	// Name is what New knows it by.
	Name() string
	// Steps is the number of denoising steps of a whole run. A run of the last n makes n.
	Steps() int
	// Start returns what a whole run begins with: standard normal noise, scaled as this sampler wants it,
	// in new memory.
	Start(noise []float32) []float32
	// Noised returns what a run of the last n steps begins with, as image to image makes it of the latent x0
	// and standard normal noise, by the rule of the sampler's original.
	Noised(x0, noise []float32, last int) ([]float32, error)
	// Sample makes the run and returns its result in new memory. The context is looked at before each call of
	// the model.
	Sample(ctx context.Context, model Model, x []float32, r Run) ([]float32, error)
}

// Options choose a sampler. The zero value is the original's: 50 deterministic DDIM steps.
type Options struct {
	Name     string    // one of Names; "" means "ddim"
	Steps    int       // 0 means 50
	Eta      float64   // for the DDIM samplers: 0 is deterministic, 1 as random as DDPM
	Schedule *Schedule // nil means the configuration's tables as the sampler's original computes them
	// Config is followed as the class that the sampler is named after follows it, so "ddim" and "plms", which are no class's,
	// take what is the model's: betas and prediction. nil means that of Stable Diffusion v1.
	Config *Config
}

// kinds lists the samplers in the order of the documentation.
var kinds = []struct {
	name, describe string
	eta            bool
	make           func(Options) (Sampler, error)
}{
	{"ddim", "DDIM as the original code (CompVis) makes it", true, func(o Options) (Sampler, error) {
		return NewDDIM(DDIMOptions{Steps: o.Steps, Eta: o.Eta, Schedule: o.Schedule, Config: o.Config})
	}},
	{"ddim-diffusers", "DDIM as diffusers makes it", true, func(o Options) (Sampler, error) {
		return NewDDIM(DDIMOptions{Steps: o.Steps, Eta: o.Eta, Convention: Diffusers, Schedule: o.Schedule, Config: o.Config})
	}},
	{"plms", "PLMS as the original code (CompVis) makes it; the first step asks the model twice", false, newPLMS},
	{"pndm", "PLMS as diffusers' PNDMScheduler makes it: the sampler that Stable Diffusion v1 is published with", false, newPNDM},
	{"dpmpp-2m", "DPM-Solver++(2M) as diffusers makes it: second order, good from 20 steps on", false, func(o Options) (Sampler, error) {
		return newDPM(o, "dpmpp-2m")
	}},
	{"dpmpp-2m-karras", "DPM-Solver++(2M) on the noise levels of Karras et al.", false, func(o Options) (Sampler, error) {
		return newDPM(o, "dpmpp-2m-karras")
	}},
	{"euler", "Euler's method in sigma as diffusers makes it", false, func(o Options) (Sampler, error) {
		return newEuler(o, false)
	}},
	{"euler-a", "ancestral Euler as diffusers makes it: new noise in every step", false, func(o Options) (Sampler, error) {
		return newEuler(o, true)
	}},
}

// Names lists the samplers.
func Names() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

// Describe says in one line what the sampler of that name is, or "" where there is none.
func Describe(name string) string {
	for _, k := range kinds {
		if k.name == name {
			return k.describe
		}
	}
	return ""
}

// New prepares a sampler. It refuses an unknown name, an eta where the sampler has none, and a number of
// steps whose timesteps leave the schedule.
func New(o Options) (Sampler, error) {
	if o.Name == "" {
		o.Name = "ddim"
	}
	if o.Steps == 0 {
		o.Steps = 50
	}
	for _, k := range kinds {
		if k.name != o.Name {
			continue
		}
		if o.Eta != 0 && !k.eta {
			return nil, fmt.Errorf("scheduler: eta %g, but %s has no eta", o.Eta, o.Name)
		}
		s, err := k.make(o)
		if err != nil {
			return nil, err // and no sampler: s may hold a nil pointer
		}
		return s, nil
	}
	return nil, fmt.Errorf("scheduler: sampler %q is unknown, expected one of %s", o.Name, strings.Join(Names(), ", "))
}

// Original reports whether a sampler is the original code's and has settings of its own: of a configuration it takes the noise
// schedule and what is predicted.
func Original(name string) bool { return originals[name] != nil }

// Check says what is wrong with a sampler's name, number of steps and eta whatever the configuration is.
func Check(name string, steps int, eta float64) error {
	o := Options{Name: name, Steps: steps, Eta: eta}
	if name != "" && !Original(name) && steps >= 1 && steps <= maxTimesteps {
		o.Steps = 1 // how many there may be depends on the spacing
	}
	_, err := New(o)
	return err
}

// LastFor returns Run.Last of an image-to-image run of that strength with a sampler that was asked for so many steps. A
// sampler of diffusers that has another number of steps passes over as many of the first as one with the number asked for.
func LastFor(s Sampler, strength float64, asked int) (int, error) {
	n, err := StepsFor(strength, asked)
	if err != nil || Original(s.Name()) {
		return n, err
	}
	if n += s.Steps() - asked; n < 1 {
		return 0, fmt.Errorf("scheduler: strength %g of %d steps leaves none of the %d that there are", strength, asked, s.Steps())
	}
	return n, nil
}

// StepsFor returns how many of the last steps an image-to-image run of that strength makes, for a sampler
// asked for the given number of steps: int(strength·steps), as the original and diffusers count.
func StepsFor(strength float64, steps int) (int, error) {
	n := int(strength * float64(steps))
	if !(strength >= 0 && strength <= 1) || n < 1 {
		return 0, fmt.Errorf("scheduler: strength %g with %d steps, expected 0 to 1 and at least one step", strength, steps)
	}
	return n, nil
}

// A Step is what a run shows of itself after each step. Its slices are valid during the call.
type Step struct {
	Index, Of int       // 0-based number of the step and their count
	Timestep  float64   // at which the model was asked, first where the step asks twice
	X         []float32 // latent after the step; Euler's is x_0 + σ·noise
	PredX0    []float32 // the model's guess of x_0 during the step
	Eps       []float32 // what the model returned, last where the step asks twice
}

// Run says how a sampler runs. The zero value makes all steps and shows none.
type Run struct {
	Last   int               // make only the last so many steps (image to image); 0 means all
	Images int               // how many latents x consists of, which thresholding takes one by one; 0 means one
	Noise  func(x []float32) // fills x with standard normal values; needed by euler-a, by DDIM where eta > 0, and by SDE solvers
	OnStep func(Step) error  // called after each step; an error stops the run and is returned
}

// first returns the number of the first step that is made, of so many.
func (r Run) first(steps int) (int, error) {
	if r.Last == 0 {
		return 0, nil
	}
	return steps - r.Last, checkLast(r.Last, steps)
}

// walk is the state that every run has.
type walk struct {
	ctx    context.Context
	model  Model
	images int       // in x
	x      []float32 // latent, replaced by each step
	pred   []float32 // the step's guess of x_0
	eps    []float32 // what the model returned last
	noise  func() []float32
}

// ask gives the model's prediction; it is valid until the next call.
func (w *walk) ask(x []float32, t float64) ([]float32, error) {
	if err := w.ctx.Err(); err != nil {
		return nil, err
	}
	eps, err := w.model(w.ctx, x, t)
	if err != nil {
		return nil, err
	}
	if len(eps) != len(x) {
		return nil, fmt.Errorf("scheduler: the model returned %d values for %d", len(eps), len(x))
	}
	w.eps = eps
	return eps, nil
}

// run makes the steps of r out of so many. step does number i in place and says at which timestep.
func run(
	ctx context.Context, model Model, x []float32, r Run, steps int, random bool, step func(w *walk, i int) (float64, error),
) ([]float32, error) {
	first, err := r.first(steps)
	if err != nil {
		return nil, err
	}
	if random && r.Noise == nil {
		return nil, errors.New("scheduler: a sampler that adds noise needs a source of noise")
	}
	images := max(r.Images, 1)
	if len(x)%images != 0 {
		return nil, fmt.Errorf("scheduler: %d values for %d images", len(x), images)
	}
	w := &walk{ctx: ctx, model: model, images: images, x: slices.Clone(x), pred: make([]float32, len(x))}
	if random {
		noise := make([]float32, len(x))
		w.noise = func() []float32 {
			r.Noise(noise)
			return noise
		}
	}
	for i := first; i < steps; i++ {
		t, err := step(w, i)
		if err != nil {
			return nil, err
		}
		if r.OnStep == nil {
			continue
		}
		if err := r.OnStep(Step{i - first, steps - first, t, w.x, w.pred, w.eps}); err != nil {
			return nil, err
		}
	}
	return w.x, nil
}

// checkLast says whether a run can make its last n of so many steps.
func checkLast(n, steps int) error {
	if n < 1 || n > steps {
		return fmt.Errorf("scheduler: the last %d of %d steps, expected 1 to %d", n, steps, steps)
	}
	return nil
}
