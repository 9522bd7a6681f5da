package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"percept"
	"percept/cmd/percept/internal/recipe"
	"percept/scheduler"
)

// takeRecipe fills in the flags that are not given from the picture of --like, which may be a sheet of several.
func (g *generateFlags) takeRecipe(cmd *cobra.Command) error {
	if g.like == "" {
		return nil
	}
	var err error
	if g.recipes, err = recipe.Read(g.like); err != nil {
		return err
	}
	r := g.recipes[0]
	unset := func(flag string) bool { return !cmd.Flags().Changed(flag) }
	perCaption := columns(g.recipes)
	if unset("prompt") && unset("prompts") {
		for one := range slices.Chunk(g.recipes, perCaption) {
			g.prompts = append(g.prompts, one[0].Prompt)
		}
	}
	take(cmd, "count", &g.count, perCaption)
	take(cmd, "negative", &g.Negative, r.Negative)
	take(cmd, "seed", &g.Seed, r.Seed)
	take(cmd, "sampler", &g.Sampler, r.Sampler)
	take(cmd, "noise", &g.Noise, r.Noise)
	take(cmd, "steps", &g.Steps, r.Steps)
	take(cmd, "guidance", &g.Guidance, r.Guidance)
	take(cmd, "eta", &g.Eta, r.Eta)
	take(cmd, "text-cleaning", &g.model.TextCleaning, cmp.Or(r.Text, g.model.TextCleaning))
	if dtype, memory, ok := strings.Cut(r.Storage, ", memory "); ok {
		take(cmd, "weights-dtype", &g.model.WeightsDType, dtype)
		take(cmd, "memory", &g.model.Memory, memory)
	}
	// A picture to start from that was only scaled has that size again.
	if unset("size") && (r.Init == nil && unset("image") || r.Init != nil && r.Init.Fill) {
		g.size = fmt.Sprintf("%dx%d", r.Width, r.Height)
	}
	if r.Init != nil {
		if unset("image") {
			return usageError{fmt.Errorf("--image is missing: %s was made from %s", g.like, strings.Join(startNames(g.recipes), ", "))}
		}
		take(cmd, "strength", &g.Strength, r.Init.Strength)
	}
	return nil
}

// takeScheduler has the sampler of --like use the settings that it used there, unless a flag says which.
func (g *generateFlags) takeScheduler(cmd *cobra.Command, pipe *percept.Pipeline) error {
	if len(g.recipes) == 0 || g.recipes[0].ModelHash != pipe.Hash || cmd.Flags().Changed("sampler") ||
		cmd.Flags().Changed("scheduler-config") {
		return nil
	}
	if g.recipes[0].Scheduler == nil { // the model has none, or the program that made the picture did not follow it
		pipe.Scheduler = nil
		return nil
	}
	c, err := scheduler.ParseConfig(g.like+" (settings of its sampler)", g.recipes[0].Scheduler)
	if err != nil {
		return err
	}
	pipe.Scheduler = c
	return nil
}

// take sets what a flag that is not given would have set.
func take[T any](cmd *cobra.Command, flag string, value *T, to T) {
	if !cmd.Flags().Changed(flag) {
		*value = to
	}
}

// columns is the number of pictures per caption of a sheet: after so many the seeds begin again.
func columns(all []recipe.Recipe) int {
	for i := 1; i < len(all); i++ {
		if all[i].Seed == all[0].Seed {
			return i
		}
	}
	return len(all)
}

// startNames lists the pictures that others were made from, each once.
func startNames(all []recipe.Recipe) []string {
	var names []string
	for _, r := range all {
		if r.Init != nil && !slices.Contains(names, r.Init.File) {
			names = append(names, r.Init.File)
		}
	}
	return names
}

// warnOfOthers says what keeps a picture from being that of --like, although no flag does.
func (g *generateFlags) warnOfOthers(note io.Writer, pipe *percept.Pipeline, inits []recipe.Init) {
	if len(g.recipes) == 0 {
		return
	}
	if hash := g.recipes[0].ModelHash; hash != pipe.Hash {
		fmt.Fprintf(note, "percept: %s was made with another model (%.10s, this is %.10s): the picture will differ\n",
			g.like, hash, pipe.Hash)
	}
	sums := map[string]bool{}
	for _, r := range g.recipes {
		if r.Init != nil {
			sums[r.Init.SHA256] = true
		}
	}
	for _, from := range inits {
		if len(sums) > 0 && !sums[from.SHA256] {
			fmt.Fprintf(note, "percept: %s was not made from this %s: the picture will differ\n", g.like, from.File)
		}
	}
}
