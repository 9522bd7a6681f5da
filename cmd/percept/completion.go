package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"percept"
	"percept/clip"
	"percept/fmri/fit"
	"percept/fmri/nsd"
	"percept/fmri/nsd/prepare"
	"percept/fmri/ridge"
	"percept/fmri/study/features"
	"percept/scheduler"
	"percept/weights"
)

// flagValues are the values of flags that a shell completes; where a flag means something else with one command, its path
// stands before the name. Flags that name folders have none.
func flagValues() map[string][]string {
	var subjects, sizes []string
	for i := range 8 {
		subjects = append(subjects, fmt.Sprintf("subj%02d", i+1))
	}
	for _, s := range weights.Sizes() {
		sizes = append(sizes, s.Name)
	}
	return map[string][]string{
		"beta-version":               {nsd.DefaultBetas, "betas_fithrf", "betas_assumehrf"},
		"captions":                   {features.Mean, "first", "aligned"},
		"compat":                     {"takagi"},
		"dtype":                      {"float32", "float16", "bfloat16"},
		"percept features dtype":     {"float32", "float16"},
		"feature":                    featureNames,
		"form":                       {"auto", "primal", "dual"},
		"groups":                     {fit.ByImage, fit.NoGroups},
		"log-format":                 {logText, logJSON},
		"memory":                     {percept.MemoryFull, "low"},
		"noise":                      {percept.TorchCPU, percept.TorchCUDA},
		"part":                       {"test", "train"},
		"posterior":                  {features.Mean, "sample"},
		"sampler":                    append(scheduler.Names(), percept.SamplerAuto),
		"score":                      {ridge.L2.String(), "r2", "correlation"},
		"percept weights synth size": sizes,
		"space":                      {nsd.DefaultSpace, "func1mm", "fsaverage"},
		"split":                      {prepare.SplitShared, "none"},
		"subject":                    subjects,
		"text-cleaning":              {clip.CleanTransformers.String(), clip.CleanOpenAI.String(), clip.CleanFtfy.String()},
		"voxels":                     {"all", "brain"},
		"weights-dtype":              {"float32", "float16", "bfloat16"},
		"zscore":                     {"session", "none"},
	}
}

// folderFlags name folders; all other flags without values of their own name files or are free.
var folderFlags = []string{"data", "folder", "pictures", "config", "dir"}

// addCompletions has shells complete the values of all commands' flags.
func addCompletions(root *cobra.Command) {
	values := flagValues()
	var add func(cmd *cobra.Command)
	add = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			list, ok := values[cmd.CommandPath()+" "+f.Name]
			if !ok {
				list, ok = values[f.Name]
			}
			var err error
			switch {
			case cmd.Flags().Lookup(f.Name) == nil && cmd.PersistentFlags().Lookup(f.Name) == nil:
			case ok:
				err = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
			case slices.Contains(folderFlags, f.Name):
				err = cmd.MarkFlagDirname(f.Name)
			}
			if err != nil {
				panic(err) // a flag twice, which a test of any command would find
			}
		})
		for _, c := range cmd.Commands() {
			add(c)
		}
	}
	add(root)
}
