package main

import (
	"cmp"
	"slices"

	"percept/cmd/percept/internal/recipe"
)

// generated is what percept generate prints with --json.
type generated struct {
	Out      string             `json:"out"` // the picture or sheet, or the folder
	Latents  string             `json:"latents,omitempty"`
	Previews string             `json:"previews,omitempty"` // their folder
	Pictures []generatedPicture `json:"pictures"`
}

type generatedPicture struct {
	File   string        `json:"file"` // of several on one sheet the sheet
	New    bool          `json:"new"`  // not there already with the same recipe
	Recipe recipe.Recipe `json:"recipe"`
}

// document says what was asked for, drawn, and which of it was made now.
func (g *generateFlags) document(drawn, made []drawing) generated {
	d := generated{Out: cmp.Or(g.folder, g.out), Pictures: []generatedPicture{}}
	if len(made) > 0 {
		d.Latents = g.latents
		if g.every > 0 {
			d.Previews = g.previews()
		}
	}
	for _, p := range drawn {
		same := func(q drawing) bool {
			return q.path == p.path && q.prompt == p.prompt && q.recipe.Seed == p.recipe.Seed
		}
		d.Pictures = append(d.Pictures, generatedPicture{cmp.Or(p.path, g.out), slices.ContainsFunc(made, same), p.recipe})
	}
	return d
}
