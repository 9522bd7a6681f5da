package study

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"percept/fmri/fit"
	"percept/fmri/ridge"
	"percept/internal/memlimit"
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
	bound, _ := memlimit.Bound(fitMemory)
	return fit.Options{Takagi: f.Compat == "takagi", Program: program,
		Ridge: ridge.Options{Alphas: f.Alphas, Folds: f.Folds, MaxMemory: bound}}
}
