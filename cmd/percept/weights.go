package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"percept"
	"percept/internal/cause"
	"percept/weights/packed"
)

func newWeights() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "weights",
		Short: "Inspect, convert and generate weights; pack them for a fast start",
		Long: `Inspect checkpoints, convert them to model folders, and generate weights for tests.

Weights are computed with in an order of their own. Every command that loads a model keeps large
ones packed like that in a cache folder, from which later starts map them instead of reading
and packing the model again. pack does so ahead of time, list shows what is kept, and remove removes
it. Removing costs nothing but the time to pack again.

The folder is the user's cache folder, or what the environment variable PERCEPT_CACHE or --dir
names. It keeps nine files, those that were last used.`,
		Example: `  percept weights inspect sd-v1-4.ckpt
  percept weights convert sd-v1-4.ckpt stable-diffusion-v1-4 --tokenizer bpe_simple_vocab_16e6.txt.gz
  percept weights pack stable-diffusion-v1-4
  percept weights remove --all`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	packing := []*cobra.Command{newWeightsPack(&dir), newWeightsList(&dir), newWeightsRemove(&dir)}
	for _, c := range packing {
		c.Flags().StringVar(&dir, "dir", "", "cache `folder` (default: PERCEPT_CACHE, or the user's cache folder)")
	}
	cmd.AddCommand(newWeightsInspect(), newWeightsConvert(), newWeightsExport(), newWeightsSynth())
	cmd.AddCommand(packing...)
	return cmd
}

func newWeightsPack(dir *string) *cobra.Command {
	var model modelFlags
	cmd := &cobra.Command{
		Use:   "pack MODEL",
		Short: "Pack the weights of a model folder",
		Long: `Pack the weights of a model folder for this processor and write them to the cache folder, a file
for each network. A U-Net of Stable Diffusion v1 takes about 5.4 GiB there, 3.2 with
--memory low and 1.6 with --weights-dtype float16 as well; commands that are given the same
--memory and --weights-dtype find it.`,
		Example: `  percept weights pack stable-diffusion-v1-4
  percept weights pack stable-diffusion-v1-4 --memory low --weights-dtype float16`,
		Args: oneArg("a model folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := model.check(); err != nil {
				return err
			}
			o := model.Options
			o.CacheDir = *dir
			show := partBars{log: logOf(cmd), title: "pack "}
			parts, err := percept.PackWeights(cmd.Context(), args[0], o, func(part string, done, total int64) {
				show.of(part).Progress(int(done*100/total), 100)
			})
			if err := show.end(err); err != nil {
				return err
			}
			if asJSON(cmd) {
				return printJSON(cmd, packedParts(parts))
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, p := range parts {
				what := "written"
				if p.Found {
					what = "up to date"
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Name, gibibytes(p.Bytes), what, p.Path)
			}
			return t.Flush()
		},
	}
	model.addStorage(cmd)
	addJSON(cmd)
	return cmd
}

func newWeightsList(dir *string) *cobra.Command {
	var verify bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List packed weights, the last used first",
		Example: "  percept weights list --verify",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, packs, err := packsIn(*dir)
			if err != nil {
				return err
			}
			list := packList{Folder: folder, Files: []packFile{}}
			damaged := 0
			for _, p := range packs {
				if verify && p.Err == nil {
					p.Err = packed.Verify(p.Path)
				}
				f := packFile{filepath.Base(p.Path), p.Size, p.Used, p.Name, ""}
				if p.Err != nil {
					damaged++
					f.Problem = oneLine(p.Err)
				}
				list.Files, list.Bytes = append(list.Files, f), list.Bytes+p.Size
			}
			if asJSON(cmd) {
				err = printJSON(cmd, list)
			} else {
				err = list.print(cmd.OutOrStdout())
			}
			if err != nil {
				return err
			}
			if damaged > 0 && verify {
				return fmt.Errorf("%s: %d of %d files are unusable; they are made anew when they are needed", folder, damaged, len(packs))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "read every file and compare its checksums; exit status 1 if one is damaged")
	addJSON(cmd)
	return cmd
}

// packList is what percept weights list finds, as it is written with --json.
type packList struct {
	Folder string     `json:"folder"`
	Files  []packFile `json:"files"`
	Bytes  int64      `json:"bytes"`
}

type packFile struct {
	File    string    `json:"file"`
	Bytes   int64     `json:"bytes"`
	Used    time.Time `json:"used"`
	Model   string    `json:"model"`
	Problem string    `json:"problem,omitempty"` // why it is unusable
}

func (l packList) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, f := range l.Files {
		what := f.Model
		if f.Problem != "" {
			what = "unusable: " + f.Problem
		}
		fmt.Fprintf(t, "%s\t%s\tused %s\t%s\n", f.File, gibibytes(f.Bytes), f.Used.Format("2006-01-02 15:04"), what)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s: %d files, %s\n", l.Folder, len(l.Files), gibibytes(l.Bytes))
	return err
}

// packedParts is what percept weights pack prints with --json.
func packedParts(parts []percept.PackedPart) any {
	type part struct {
		Name     string `json:"name"`
		Path     string `json:"path"`
		Bytes    int64  `json:"bytes"`
		UpToDate bool   `json:"up_to_date"`
	}
	all := []part{}
	for _, p := range parts {
		all = append(all, part{p.Name, p.Path, p.Bytes, p.Found})
	}
	return map[string]any{"parts": all}
}

func newWeightsRemove(dir *string) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "remove [FILE ...]",
		Short: "Remove packed weights",
		Example: `  percept weights remove unet-0525d8db92a18e66.pack
  percept weights remove --all`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usageError{errors.New("expected either names of files, as list shows them, or --all")}
			}
			folder, packs, err := packsIn(*dir)
			if err != nil {
				return err
			}
			chosen := packs
			if !all {
				chosen = nil
			}
			for _, name := range args {
				i := slices.IndexFunc(packs, func(p packed.Info) bool { return filepath.Base(p.Path) == name })
				if i < 0 {
					return fmt.Errorf("%s: no packed weights called %s, expected a name that percept weights list shows", folder, name)
				}
				chosen = append(chosen, packs[i])
			}
			for _, p := range chosen {
				if err := os.Remove(p.Path); err != nil {
					return fmt.Errorf("%s: cannot be removed: %w", p.Path, cause.Of(err))
				}
				fmt.Fprintln(cmd.OutOrStdout(), "removed", p.Path)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove all")
	return cmd
}

func packsIn(dir string) (folder string, packs []packed.Info, err error) {
	folder = cmp.Or(dir, packed.Dir())
	if folder == "" {
		return "", nil, errors.New("no folder for packed weights: the system names no cache folder, " +
			"and neither --dir nor PERCEPT_CACHE is given")
	}
	packs, err = packed.List(folder)
	return folder, packs, err
}

// gibibytes writes a size as people read it.
func gibibytes(n int64) string {
	if n < 1<<30/10 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
}
