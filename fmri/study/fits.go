package study

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"percept/fmri/fit"
	"percept/fmri/ridge"
)

// A Fit says what is fitted to what, for each subject. X and Y are responses/REGION, as responses/streams:early or
// responses/streams:ventral+lateral, or the name of a feature, as z; one of them has to be responses.
type Fit struct {
	Name   string    `toml:"name,omitempty" json:"name" comment:"of its files; left out: that of the feature y, or responses_from_ and the feature x"`
	X      string    `toml:"x" json:"x" comment:"responses/ATLAS:REGION, or a feature"`
	Y      string    `toml:"y" json:"y" comment:"a feature, or responses/ATLAS:REGION"`
	Folds  int       `toml:"folds,omitempty" json:"folds" comment:"left out: decode.folds"`
	Alphas []float64 `toml:"alphas,omitempty" json:"alphas" comment:"left out: decode.alphas"`
	Compat string    `toml:"compat,omitempty" json:"compat,omitempty" comment:"takagi: fit as the published code does"`
}

// operand is X or Y of a fit: a region as package table names it, or a feature.
type operand struct{ region, feature string }

const responsesPrefix = "responses/"

func parseOperand(text string) (operand, error) {
	if region, ok := strings.CutPrefix(text, responsesPrefix); ok && region != "" {
		return operand{region: strings.Replace(region, ":", "/", 1)}, nil
	}
	if name := strings.TrimPrefix(text, "features/"); fileName.MatchString(name) {
		return operand{feature: name}, nil
	}
	return operand{}, fmt.Errorf("%q, expected responses/REGION, as responses/streams:early, or the name of a feature, as z", text)
}

// longestName leaves room for endings in what file systems take.
const longestName = 100

var fileName = regexp.MustCompile(`^[\p{L}\p{N}_][\p{L}\p{N}_.@=,-]*$`)

// operands are X and Y of a fit that was checked.
func (f Fit) operands() (x, y operand) {
	x, _ = parseOperand(f.X)
	y, _ = parseOperand(f.Y)
	return x, y
}

// String is the operand as people read it: early of responses/streams:early.
func (o operand) String() string {
	if _, names, ok := strings.Cut(o.region, "/"); ok {
		return strings.ReplaceAll(names, "+", ", ")
	}
	return o.region + o.feature
}

// from is where a fit's predictions come from, and what they are where its name does not say it.
func (f Fit) from() string {
	x, y := f.operands()
	if y.feature == f.Name {
		return x.String()
	}
	return fmt.Sprintf("%s from %s", y, x)
}

// fits is the list of fits with everything filled in: that of the file, or else the published pair.
func (c Config) fits() []Fit {
	d := c.Decode
	all := slices.Clone(c.Fits)
	if len(all) == 0 {
		all = []Fit{
			{X: responsesPrefix + d.Atlas + ":" + strings.Join(d.Early, "+"), Y: "z"},
			{X: responsesPrefix + d.Atlas + ":" + strings.Join(d.Higher, "+"), Y: "c"},
		}
	}
	for i := range all {
		f := &all[i]
		x, y := f.operands()
		if f.Name = cmp.Or(f.Name, y.feature); f.Name == "" && x.feature != "" {
			f.Name = "responses_from_" + x.feature
		}
		f.Folds = cmp.Or(f.Folds, d.Folds)
		if f.Alphas == nil && f.Compat == "" {
			f.Alphas = d.Alphas
		}
	}
	return all
}

// checkFits tells the first fit that cannot be made.
func (c Config) checkFits() error {
	d := c.Decode
	preset := d.Atlas != "" || len(d.Early) > 0 || len(d.Higher) > 0
	switch {
	case len(c.Fits) > 0 && preset:
		return fmt.Errorf("decode.atlas, early and higher are a list of fits of their own, expected them or [[fit]], not both")
	case len(c.Fits) == 0 && d.Atlas == "":
		return fmt.Errorf("decode.atlas is empty, expected the name of a label volume, as streams")
	case len(c.Fits) == 0 && (len(d.Early) == 0 || len(d.Higher) == 0):
		return fmt.Errorf("decode.early and decode.higher name no region, expected at least one each")
	}
	names := map[string]bool{}
	for i, f := range c.fits() {
		fail := func(format string, args ...any) error {
			return fmt.Errorf("fit %d (%s): %s", i+1, f.Name, fmt.Sprintf(format, args...))
		}
		x, err := parseOperand(f.X)
		if err != nil {
			return fail("x is %v", err)
		}
		y, err := parseOperand(f.Y)
		switch {
		case err != nil:
			return fail("y is %v", err)
		case x.region == "" && y.region == "":
			return fail("neither x nor y is of responses, expected one of them as responses/streams:early")
		case x == y:
			return fail("x and y are the same, expected one to be predicted from the other")
		case f.Name == "":
			return fail("has no name, expected one as early_from_ventral, since neither x nor y is a feature")
		case !fileName.MatchString(f.Name) || len(f.Name) > longestName:
			return fail("name %q, expected letters and digits, as early_z, at most %d", f.Name, longestName)
		case names[f.Name]:
			return fail("the name is there twice, expected each fit to have one of its own")
		case f.Folds < 2:
			return fail("folds is %d, expected 2 or more, here or in decode.folds", f.Folds)
		case f.Compat != "" && f.Compat != "takagi":
			return fail("compat is %q, expected takagi", f.Compat)
		}
		names[f.Name] = true
		if f.Alphas != nil || f.Compat == "" {
			if err := checkAlphas(f.Alphas); err != nil {
				return fail("%v", err)
			}
		}
		for _, o := range []operand{x, y} {
			if o.feature != "" && o.feature != "z" && o.feature != "c" && c.Features.From == "" {
				return fail("feature %s is none that a run makes, expected z, c or a folder in features.from", o.feature)
			}
		}
	}
	for _, p := range []struct{ key, name, of string }{{"render.z", c.Render.Z, "z"}, {"render.c", c.Render.C, "c"}} {
		if p.name != "" && c.renders(p.of) == nil {
			return fmt.Errorf("%s is %q, expected the name of a fit from responses to %s", p.key, p.name, p.of)
		}
	}
	return nil
}

// renders is the fit that pictures take z or c from: the named one, or else the first from responses to it; nil without any.
func (c Config) renders(feature string) *Fit {
	name := map[string]string{"z": c.Render.Z, "c": c.Render.C}[feature]
	for _, f := range c.fits() {
		if x, y := f.operands(); x.region != "" && y.feature == feature && (name == "" || f.Name == name) {
			return &f
		}
	}
	return nil
}

// pictures says whether pictures are made: where both z and c are decoded.
func (c Config) pictures() bool { return c.renders("z") != nil && c.renders("c") != nil }

// sides is every region and every feature that is fitted, each once; of features z and c come first.
func (c Config) sides() (regions, features []string) {
	for _, f := range c.fits() {
		x, y := f.operands()
		for _, o := range []operand{x, y} {
			if o.region != "" && !slices.Contains(regions, o.region) {
				regions = append(regions, o.region)
			}
			if o.feature != "" && !slices.Contains(features, o.feature) {
				features = append(features, o.feature)
			}
		}
	}
	rank := func(name string) int { return -slices.Index([]string{"c", "z"}, name) }
	slices.SortStableFunc(features, func(a, b string) int { return rank(a) - rank(b) })
	return regions, features
}

// folds is the most folds of any fit: each takes a training image.
func (c Config) folds() (most int) {
	for _, f := range c.fits() {
		most = max(most, f.Folds)
	}
	return most
}

// fitMemory bounds a fit with its data, in bytes: c of a whole subject of NSD takes about that much. Where targets do not fit
// into it together they are fitted in parts.
const fitMemory = 6 << 30

// options is what package fit needs of it.
func (f Fit) options(program string) fit.Options {
	return fit.Options{Takagi: f.Compat == "takagi", Program: program,
		Ridge: ridge.Options{Alphas: f.Alphas, Folds: f.Folds, MaxMemory: fitMemory}}
}
