// Package recipe is what a picture carries of how it was made: enough to make it again, and to say which model, sampler
// and program made it.
package recipe

import (
	"encoding/json"
	"fmt"
	"strings"

	"percept/internal/picture"
)

// A Recipe is everything that the pixels of a generated picture depend on.
type Recipe struct {
	Program  string `json:"program"` // name, version and commit
	Prompt   string `json:"prompt"`
	Negative string `json:"negative,omitempty"`
	Seed     uint64 `json:"seed"`
	Noise    string `json:"noise"` // on what torch would have drawn it: "cpu" or "cuda"
	Sampler  string `json:"sampler"`
	// Scheduler is what the sampler took from the model's scheduler_config.json; nil where the model has none.
	Scheduler json.RawMessage `json:"scheduler,omitempty"`
	Steps     int             `json:"steps"`
	Guidance  float64         `json:"guidance"`
	Eta       float64         `json:"eta,omitempty"`
	Width     int             `json:"width"`
	Height    int             `json:"height"`
	Model     string          `json:"model"`
	ModelHash string          `json:"model_sha256"`
	Text      string          `json:"text_cleaning"`
	Storage   string          `json:"weights"` // type and memory mode
	Kernels   string          `json:"kernels"`
	Forms     string          `json:"forms"`
	Init      *Init           `json:"init,omitempty"` // nil for text to image
}

// Init is the picture that an image-to-image run began with.
type Init struct {
	File     string  `json:"file"`   // name without folder
	SHA256   string  `json:"sha256"` // of the file
	Strength float64 `json:"strength"`
	Fill     bool    `json:"fill,omitempty"` // it was scaled to fill a size asked for, and what stood over cut off
}

// key is that of the recipes in a PNG's text.
const key = "percept"

// Text returns the recipes of a picture, or of a sheet of several, as text of a PNG.
func Text(recipes ...Recipe) ([]picture.Text, error) {
	if len(recipes) == 0 {
		return nil, nil
	}
	var value any = recipes
	if len(recipes) == 1 {
		value = recipes[0]
	}
	b, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return []picture.Text{
		{Key: "Software", Value: recipes[0].Program},
		{Key: "parameters", Value: recipes[0].parameters()}, // read by the common tools for generated pictures
		{Key: key, Value: string(b)},
	}, nil
}

// parameters is the recipe in the words that other tools look for.
func (r Recipe) parameters() string {
	var b strings.Builder
	b.WriteString(r.Prompt + "\n")
	if r.Negative != "" {
		fmt.Fprintf(&b, "Negative prompt: %s\n", r.Negative)
	}
	fmt.Fprintf(&b, "Steps: %d, Sampler: %s, CFG scale: %g, Seed: %d, Size: %dx%d, Model hash: %.10s, Model: %s",
		r.Steps, r.Sampler, r.Guidance, r.Seed, r.Width, r.Height, r.ModelHash, r.Model)
	if r.Eta != 0 {
		fmt.Fprintf(&b, ", Eta: %g", r.Eta)
	}
	if r.Init != nil {
		fmt.Fprintf(&b, ", Denoising strength: %g", r.Init.Strength)
	}
	fmt.Fprintf(&b, ", Version: %s", r.Program)
	return b.String()
}

// Read returns the recipes in a PNG file; none is an error.
func Read(path string) ([]Recipe, error) {
	texts, err := picture.ReadText(path)
	if err != nil {
		return nil, err
	}
	for _, t := range texts {
		if t.Key != key {
			continue
		}
		var all []Recipe
		var one Recipe
		if err := json.Unmarshal([]byte(t.Value), &all); err == nil && len(all) > 0 {
			return all, nil
		}
		if err := json.Unmarshal([]byte(t.Value), &one); err != nil {
			return nil, fmt.Errorf("%s: its text %q is not a recipe: %w", path, key, err)
		}
		return []Recipe{one}, nil
	}
	return nil, fmt.Errorf("%s: carries no recipe, expected a picture that percept generate made", path)
}

// Same reports whether two recipes make the same pixels with the same program.
func (r Recipe) Same(o Recipe) bool {
	a, errA := json.Marshal(r)
	b, errB := json.Marshal(o)
	return errA == nil && errB == nil && string(a) == string(b)
}
