package study

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"percept/fmri/nsd"
	"percept/fmri/study/features"
	"percept/scheduler"
)

// Bounds of numbers in an experiment, far beyond what is of use and far below what a machine cannot hold.
const (
	// MaxGuidance is far below where float32 ends.
	MaxGuidance = 1000
	// maxSize is in pixels; Stable Diffusion v1 was made for 512.
	maxSize = 4096
	// maxResamples bounds resamples and permutations, which take time and memory in proportion.
	maxResamples = 1_000_000
	// maxFolds and maxAlphas: each fold and each penalty is a fit of its own.
	maxFolds, maxAlphas = 10_000, 1000
	// maxAlpha keeps sums of a penalty and a squared singular value finite.
	maxAlpha = 1e150
	// maxNCSNR would be a noise ceiling of 99.99 %.
	maxNCSNR = 100
	// maxImages bounds images of a simulation and of pictures. NSD's own subjects saw 9000 of their own and 1000 shared ones.
	maxImages = 1 << 16
	// maxSubjects of a simulation; NSD has as many.
	maxSubjects = 8
	// defaultShared is what the simulation makes of 0 shared images.
	defaultShared = 40
)

// Check tells all values that cannot be run with, whatever the data and the model are. The error is *Faults.
func (c Config) Check() error { return c.faults().err() }

// faults is what is wrong with the configuration by itself.
func (c Config) faults() *Faults {
	f := &Faults{}
	if c.Data == "" {
		f.add("data", "", "the root of an NSD tree")
	}
	c.checkSubjects(f)
	c.checkResponses(f)
	c.checkFeatures(f)
	c.checkFits(f)
	if s := c.Decode.MinNCSNR; !(s >= 0 && s <= maxNCSNR) {
		f.add("decode.min_ncsnr", s, "0 for no cut, or up to %d", maxNCSNR)
	}
	for _, n := range []struct {
		key   string
		value int
	}{{"score.bootstrap", c.Score.Bootstrap}, {"score.permutations", c.Score.Permutations}} {
		if n.value < 100 || n.value > maxResamples {
			f.add(n.key, n.value, "100 to %d", maxResamples)
		}
	}
	c.checkSimulation(f)
	if c.pictures() {
		c.Render.check(f)
	}
	return f
}

// check tells what pictures cannot be made with. What the sampler cannot do is said now, not after minutes of decoding.
func (r Render) check(f *Faults) {
	steps := r.Steps >= 2 && r.Steps <= 1000
	if !steps {
		f.add("render.steps", r.Steps, "2 to 1000")
	} else if _, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: r.Steps}); err != nil {
		f.say("render.steps", "[render] steps = %d: %v", r.Steps, err)
		steps = false
	}
	if !(r.Strength > 0 && r.Strength < 1) {
		f.add("render.strength", r.Strength, "more than 0 and less than 1")
	} else if n, err := scheduler.StepsFor(r.Strength, r.Steps); steps && (err != nil || n < 1) {
		f.add("render.strength", r.Strength, "%.3g or more: it is no whole step of %d", 1/float64(r.Steps), r.Steps)
	}
	if !(r.Guidance >= 1 && r.Guidance <= MaxGuidance) {
		f.add("render.guidance", r.Guidance, "1 to %d", MaxGuidance)
	}
	if r.Size < 0 || r.Size > maxSize {
		f.add("render.size", r.Size, "0 for the model's own, or up to %d", maxSize)
	}
	if r.Images < 0 || r.Images == 1 || r.Images > maxImages {
		f.add("render.images", r.Images, "0 for all, or 2 or more, up to %d, to tell one from another", maxImages)
	}
}

var subjectName = regexp.MustCompile(`^subj[0-9]{2}$`)

func (c Config) checkSubjects(f *Faults) {
	if len(c.Subjects) == 0 {
		f.say("subjects", "subjects is empty, expected names like subj01")
	}
	for i, s := range c.Subjects {
		switch want := fmt.Sprintf("subj%02d", i+1); {
		case slices.Contains(c.Subjects[:i], s):
			f.say("subjects", "subjects has %s twice, expected each once", s)
		case c.Simulate != nil && s != want:
			f.say("subjects", "subjects has %q, expected %s: simulated subjects are numbered from 1", s, want)
		case !subjectName.MatchString(s):
			f.say("subjects", "subjects has %q, expected names like subj01", s)
		}
	}
	if c.Simulate != nil && len(c.Subjects) > maxSubjects {
		f.say("subjects", "subjects has %d names, expected at most %d where they are simulated", len(c.Subjects), maxSubjects)
	}
}

func (c Config) checkResponses(f *Faults) {
	r := c.Responses
	if _, err := nsd.ParseSessions(r.Sessions); err != nil {
		f.say("responses.sessions", "[responses] sessions = %v", err)
	}
	if r.ZScore != "" && r.ZScore != "session" && r.ZScore != "none" {
		f.add("responses.zscore", r.ZScore, "session or none")
	}
	for _, part := range []struct{ key, value, example string }{{"responses.betas", r.Betas, nsd.DefaultBetas},
		{"responses.space", r.Space, nsd.DefaultSpace}} {
		if part.value != "" && !fileName.MatchString(part.value) {
			f.add(part.key, part.value, "the name of a folder, as %s", part.example)
		}
	}
}

func (c Config) checkFeatures(f *Faults) {
	o := c.Features
	if o.Size < 0 || o.Size > maxSize {
		f.add("features.size", o.Size, "0 for the model's own, or up to %d", maxSize)
	}
	for _, one := range []struct {
		key, value string
		options    features.Options
		expected   string
	}{
		{"features.posterior", o.Posterior, features.Options{Posterior: o.Posterior}, "mean or sample"},
		{"features.captions", o.Captions, features.Options{Captions: o.Captions}, "mean, first or aligned"},
	} {
		if one.options.Check() != nil {
			f.add(one.key, one.value, "%s", one.expected)
		}
	}
}

// checkAlphas tells what is wrong with a list of penalties.
func checkAlphas(f *Faults, key string, alphas []float64) {
	switch name := inFile(key); {
	case len(alphas) == 0:
		f.say(key, "%s is empty, expected penalties to choose from", name)
	case len(alphas) > maxAlphas:
		f.say(key, "%s has %d penalties, expected at most %d", name, len(alphas), maxAlphas)
	default:
		for i, a := range alphas {
			if !(a > 0 && a <= maxAlpha) {
				f.say(key, "%s has %g, expected positive numbers up to %g", name, a, maxAlpha)
			} else if i > 0 && a <= alphas[i-1] {
				f.say(key, "%s has %g after %g, expected ascending numbers", name, a, alphas[i-1])
			}
		}
	}
}

// checkSimulation tells what no data can be simulated with.
func (c Config) checkSimulation(f *Faults) {
	s := c.Simulate
	if s == nil {
		return
	}
	if c.Data != "" && (!filepath.IsLocal(c.Data) || filepath.Clean(c.Data) != c.Data || strings.ContainsAny(c.Data, `/\`) ||
		strings.HasPrefix(c.Data, ".")) {
		f.add("data", c.Data, "the name of a folder of the run directory, as nsd, where it is simulated")
	}
	if folds := c.folds(); s.Own != 0 && (s.Own < 2*folds || s.Own > maxImages) {
		f.add("simulate.own_images", s.Own, "0 for the default, or %d to %d: two for each of the %d folds of cross-validation",
			2*folds, maxImages, folds)
	}
	shared := cmp.Or(s.Shared, defaultShared)
	if shared < 2 || shared > maxImages {
		f.add("simulate.shared_images", s.Shared, "0 for the default, or 2 to %d: one is told from another", maxImages)
	} else if c.Render.Images > shared && c.Render.Images <= maxImages && c.pictures() {
		f.add("render.images", c.Render.Images, "at most the %d test images", shared)
	}
}

// checkFits tells what fits cannot be made.
func (c Config) checkFits(f *Faults) {
	d := c.Decode
	preset := d.Atlas != "" || len(d.Early) > 0 || len(d.Higher) > 0
	switch {
	case len(c.Fits) > 0 && preset:
		f.say("decode", "[decode] atlas, early and higher are a list of fits of their own, expected them or [[fit]], not both")
	case len(c.Fits) == 0:
		c.checkPair(f)
	}
	names := map[string]bool{}
	for i, fit := range c.fits() {
		if len(c.Fits) > 0 {
			c.checkFit(f, fmt.Sprintf("fit.%d", i+1), fit, names)
		}
		names[fit.Name] = true
	}
	for _, p := range []struct{ key, name, of string }{{"render.z", c.Render.Z, "z"}, {"render.c", c.Render.C, "c"}} {
		if p.name != "" && c.renders(p.of) == nil {
			f.add(p.key, p.name, "the name of a fit from responses to %s", p.of)
		}
	}
}

// checkPair tells what the two decoders of early and higher regions cannot be made with.
func (c Config) checkPair(f *Faults) {
	d := c.Decode
	if d.Atlas == "" {
		f.say("decode.atlas", "[decode] atlas is empty, expected the name of a label volume, as streams")
	} else if !fileName.MatchString(d.Atlas) {
		f.add("decode.atlas", d.Atlas, "the name of a label volume, as streams")
	}
	for _, list := range []struct {
		key   string
		names []string
	}{{"decode.early", d.Early}, {"decode.higher", d.Higher}} {
		if len(list.names) == 0 {
			f.say(list.key, "%s names no region, expected at least one", inFile(list.key))
		}
		for i, name := range list.names {
			if !fileName.MatchString(name) {
				f.say(list.key, "%s has %q, expected names of regions, as early", inFile(list.key), name)
			} else if slices.Contains(list.names[:i], name) {
				f.say(list.key, "%s has %s twice, expected each region once", inFile(list.key), name)
			}
		}
	}
	checkFolds(f, "decode.folds", d.Folds)
	checkAlphas(f, "decode.alphas", d.Alphas)
}

func checkFolds(f *Faults, key string, folds int) {
	if folds < 2 || folds > maxFolds {
		f.add(key, folds, "2 to %d", maxFolds)
	}
}

// checkFit tells what is wrong with a fit, whose options are filled in, and whose name none of the fits before it has.
func (c Config) checkFit(f *Faults, key string, fit Fit, names map[string]bool) {
	name := key + ".name"
	x, errX := parseOperand(fit.X)
	if errX != nil {
		f.say(key+".x", "%s = %v", inFile(key+".x"), errX)
	}
	y, errY := parseOperand(fit.Y)
	if errY != nil {
		f.say(key+".y", "%s = %v", inFile(key+".y"), errY)
	}
	if errX == nil && errY == nil {
		switch {
		case x.region == "" && y.region == "":
			f.say(key, "%s (%s): neither x nor y is of responses, expected one of them as responses/streams:early", inFile(key), fit.Name)
		case x == y:
			f.say(key, "%s (%s): x and y are the same, expected one to be predicted from the other", inFile(key), fit.Name)
		case fit.Name == "":
			f.say(name, "%s: no name, expected one as early_from_ventral, since neither x nor y is a feature", inFile(key))
		}
	}
	switch {
	case fit.Name == "": // said, or x and y are to blame
	case !fileName.MatchString(fit.Name) || len(fit.Name) > longestName:
		f.add(name, fit.Name, "letters and digits, as early_z, at most %d", longestName)
	case names[fit.Name]:
		f.say(name, "%s = %q is there twice, expected each fit to have a name of its own", inFile(name), fit.Name)
	}
	checkFolds(f, key+".folds", fit.Folds)
	if fit.Compat != "" && fit.Compat != "takagi" {
		f.add(key+".compat", fit.Compat, "takagi")
	} else if fit.Alphas != nil || fit.Compat == "" {
		checkAlphas(f, key+".alphas", fit.Alphas)
	}
	for _, o := range []struct {
		key string
		operand
	}{{key + ".x", x}, {key + ".y", y}} {
		if n := o.feature; n != "" && n != "z" && n != "c" && c.Features.From == "" {
			f.say(o.key, "%s = %q: no feature that a run makes, expected z, c or a folder in [features] from", inFile(o.key), n)
		}
	}
}
