package fit

import (
	"fmt"

	"percept/fmri/ridge"
	"percept/fmri/table"
)

// Options of a fit. The zero value fits an intercept, standardises X by the training rows of each fold, chooses a penalty for
// each target out of ridge.DefaultAlphas by five folds that do not split the repeats of an image, and has no bound of memory.
type Options struct {
	Ridge  ridge.Options // MaxMemory, in bytes, bounds data, model and work together; Groups are set from Groups below
	Groups string        // what no fold splits: ByImage, also if empty; NoGroups; or an array FILE[:ARRAY] with a number for each row
	// Takagi fits as the code released with Takagi & Nishimoto (2023) does: no intercept, X standardised once over all rows,
	// contiguous folds whatever is repeated, its rule for ties, and TakagiAlphas where Ridge.Alphas is nil.
	Takagi  bool
	Program string            // name and version, for the model's file
	Note    func(line string) // told what is worth a line while the fit runs; may be nil
}

// What Options.Groups may be, other than an array.
const (
	ByImage  = "image" // repeats of an image are in one fold, where images are known
	NoGroups = "none"
)

// Description is the options of a fit in words, as a model's file has them.
type Description struct {
	Part        string `json:"part"` // of the responses
	Folds       int    `json:"folds"`
	Groups      string `json:"groups"` // what is never split by a fold: image, none or file
	Score       string `json:"score"`
	Global      bool   `json:"global"` // one penalty for all targets
	Intercept   bool   `json:"intercept"`
	Standardise string `json:"standardise"` // fold, once or none
	Form        string `json:"form"`        // auto, primal or dual
	Slabs       int    `json:"slabs"`       // in which targets were fitted
	Compat      string `json:"compat,omitempty"`
}

// TakagiAlphas are the penalties that the code released with Takagi & Nishimoto (2023) compares for a feature.
func TakagiAlphas(feature string) []float64 {
	if feature == "z" || feature == "c" {
		return ridge.LogSpace(-6, 0, 7)
	}
	return []float64{10000, 20000, 40000}
}

// resolve fills in what the options leave open for x and y, and says in m what was meant.
func (o Options) resolve(x, y *table.Table, m *Model) (ridge.Options, error) {
	r, d := o.Ridge, &m.Options
	if o.Takagi {
		r.NoIntercept, r.StandardiseOnce, r.UnscaledTies = true, true, true
		if r.Alphas == nil {
			r.Alphas = TakagiAlphas(y.Name)
		}
		d.Compat = "takagi"
	}
	if r.Alphas == nil {
		r.Alphas = ridge.DefaultAlphas()
	}
	if r.Folds == 0 {
		r.Folds = 5
	}
	m.Made["grid"] = fmt.Sprint(r.Alphas)
	if x.Cols.Voxels != nil || y.Cols.Voxels == nil {
		d.Part = x.Name
	} else {
		d.Part = y.Name
	}
	d.Folds, d.Score, d.Global, d.Intercept = r.Folds, r.Score.String(), r.Global, !r.NoIntercept
	d.Standardise = map[bool]string{false: "fold", true: "once"}[r.StandardiseOnce]
	if r.NoStandardise {
		d.Standardise = "none"
	}
	d.Form = map[ridge.Form]string{ridge.Auto: "auto", ridge.Primal: "primal", ridge.Dual: "dual"}[r.Form]
	images := x.Rows.Images
	if images == nil {
		images = y.Rows.Images
	}
	var err error
	switch {
	case (o.Groups == ByImage || o.Groups == "") && images != nil && !o.Takagi:
		d.Groups, r.Groups = ByImage, make([]int, len(images))
		for i, id := range images {
			r.Groups[i] = int(id)
		}
	case o.Groups == ByImage || o.Groups == "" || o.Groups == NoGroups:
		d.Groups, r.Groups = NoGroups, nil
	default:
		d.Groups = "file"
		r.Groups, m.Made["groups"], err = table.ReadNumbers(o.Groups, x.Len())
	}
	return r, err
}
