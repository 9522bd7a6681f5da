package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/fmri/nsd"
	"percept/fmri/study/features"
	"percept/fmri/table"
	"percept/internal/cause"
	"percept/weights/safetensors"
)

// featureNames are what percept features can make, in order.
var featureNames = []string{"z", "c"}

// featureFlags are those of percept features.
type featureFlags struct {
	data, subjects, images, pictures, captions string
	out, shard, dtype                          string
	names                                      []string
	options                                    features.Options
	write                                      features.WriteOptions
	model                                      modelFlags
}

func newFeatures() *cobra.Command {
	var f featureFlags
	cmd := &cobra.Command{
		Use:   "features",
		Short: "Make z and c of images and their captions, in one file each",
		Long: `Make the features that decoders are fitted on, of images of an NSD tree or of a folder of pictures:
  z   the VAE's latent of the picture, scaled to --size by Pillow's Lanczos, times the model's scale:
      the mean of the posterior, or a sample with torch's noise of --seed plus the image's number
  c   the text encoder's last hidden state: the mean over the image's captions position by position
      (as published), of the first caption alone, or the mean with all end tokens aligned

Each feature is one file, OUT/z.safetensors and OUT/c.safetensors: images [n], values [n, …], a
sha256 of every 32 rows, and in its metadata the model's sha256 and all options. Nothing of it has
to be in memory at once. Interrupted in whatever way, the same command goes on where it was.

Several machines can share the work: with --shard 2/8 one makes the second of eight parts, and
percept features merge puts them together into the bytes that one machine would have made.

In Python: safetensors.safe_open("OUT/c.safetensors", "np").get_slice("values")[100:200]`,
		Example: `  percept features --data /data/nsd --subject subj01 --model sd-v1-4.ckpt --size 320 --out features
  percept features --data /data/nsd --images all --dtype float16 --shard 2/8 --model sd-v1-4.ckpt --out features
  percept features merge features
  percept features --pictures photos --captions-file captions.tsv --feature c --captions aligned --out mine`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			if err := f.model.check(); err != nil {
				return err
			}
			return f.run(cmd)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", "", "root `folder` of an NSD tree")
	fl.StringVar(&f.subjects, "subject", "", "subjects whose images are taken, as `subj01,subj02`")
	fl.StringVar(&f.images, "images", "", "`images` by 0-based number: all, a list as 0-99,512, or @FILE with one a line")
	fl.StringVar(&f.pictures, "pictures", "", "`folder` of pictures, in place of an NSD tree")
	fl.StringVar(&f.captions, "captions-file", "", "`file` with lines of picture, tab, caption; a picture may have several lines")
	fl.StringSliceVar(&f.names, "feature", featureNames, "features to make")
	fl.IntVar(&f.options.Size, "size", 0, "`pixels` that pictures are scaled to for z (0: the model's own; published: 320)")
	fl.StringVar(&f.options.Posterior, "posterior", features.Mean, "z is the mean of the posterior, or a `sample`")
	fl.Uint64Var(&f.options.Seed, "seed", 42, "of samples")
	fl.StringVar(&f.options.Captions, "captions", features.Mean,
		"c is the mean over captions, that of the first, or the mean aligned at end tokens: `mean`, first or aligned")
	fl.StringVar(&f.dtype, "dtype", "float32", "`type` of the values in the file: float32 or float16")
	fl.StringVar(&f.shard, "shard", "", "make only this part, as `2/8`")
	fl.StringVar(&f.out, "out", "", "`folder`, made if it is not there")
	f.model.add(cmd, true)
	addJSON(cmd)
	cmd.AddCommand(newFeaturesMerge())
	return cmd
}

// check says what is wrong with the flags.
func (f *featureFlags) check() error {
	switch {
	case f.out == "":
		return errors.New("--out is missing, expected a folder")
	case (f.data == "") == (f.pictures == ""):
		return errors.New("expected one of --data, an NSD tree, and --pictures, a folder")
	case f.data != "" && (f.subjects == "") == (f.images == ""):
		return errors.New("expected one of --subject and --images to say which images of the tree")
	case f.pictures != "" && (f.subjects != "" || f.images != ""):
		return errors.New("--subject and --images are of an NSD tree, expected neither with --pictures")
	case f.data != "" && f.captions != "":
		return errors.New("--captions-file is for --pictures; an NSD tree has captions")
	case f.pictures != "" && f.captions == "" && slices.Contains(f.names, "c"):
		return errors.New("--captions-file is missing, which c is made of; --feature z does without")
	case len(f.names) == 0:
		return errors.New("--feature is empty, expected z, c or both")
	}
	if f.subjects != "" {
		for s := range strings.SplitSeq(f.subjects, ",") {
			if err := checkSubject(s); err != nil {
				return err
			}
		}
	}
	for _, name := range f.names {
		if !slices.Contains(featureNames, name) {
			return fmt.Errorf("--feature %q, expected z or c", name)
		}
	}
	var ok bool
	if f.write.DType, ok = map[string]safetensors.DType{"float32": safetensors.F32, "float16": safetensors.F16}[f.dtype]; !ok {
		return fmt.Errorf("--dtype %q, expected float32 or float16", f.dtype)
	}
	if f.shard != "" {
		var err error
		if f.write.Shard, err = table.ParseShard(f.shard); err != nil {
			return fmt.Errorf("--shard %w", err)
		}
	}
	if err := f.options.Check(); err != nil {
		return fmt.Errorf("--%w", err)
	}
	return nil
}

func (f *featureFlags) run(cmd *cobra.Command) error {
	source, done, err := f.source()
	if err != nil {
		return err
	}
	defer done()
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return fmt.Errorf("%s: cannot be made, expected a folder: %w", f.out, cause.Of(err))
	}
	pipe, err := f.model.loadSound(cmd)
	if err != nil {
		return err
	}
	files := []featureFile{}
	for _, name := range f.names {
		e, err := features.New(name, pipe, f.options)
		if err != nil {
			return err
		}
		title := name + " of the images"
		if f.shard != "" {
			title += ", part " + f.shard
		}
		b := logOf(cmd).Start(title)
		f.write.Program, f.write.Progress = "percept "+version, b.Progress
		path := filepath.Join(f.out, table.FileName(name, f.write.Shard))
		upToDate, err := features.Write(cmd.Context(), path, e, source, f.write)
		if err := b.Finish(upToDate, err); err != nil {
			return err
		}
		made, err := openFeature(path, upToDate)
		if err != nil {
			return err
		}
		if files = append(files, made); !asJSON(cmd) {
			if err := made.print(cmd); err != nil {
				return err
			}
		}
	}
	return printFeatures(cmd, files)
}

// source is where the images come from; call the function at the end.
func (f *featureFlags) source() (features.Source, func(), error) {
	if f.pictures != "" {
		s, err := features.Folder(f.pictures, f.captions)
		return s, func() {}, err
	}
	data, err := nsd.Open(f.data)
	if err != nil {
		return features.Source{}, nil, err
	}
	stimuli, err := data.Stimuli()
	if err != nil {
		return features.Source{}, nil, err
	}
	var ids []nsd.ImageID
	if f.images != "" {
		if ids, err = features.ParseImages(f.images, stimuli.Len()); err != nil {
			err = usageError{fmt.Errorf("--images %w", err)}
		}
	} else {
		ids, err = features.SeenBy(data, strings.Split(f.subjects, ","))
	}
	if err != nil {
		data.Close()
		return features.Source{}, nil, err
	}
	return features.NSD(data, ids), func() { data.Close() }, nil
}

// featureFile is what a file of features holds, as it is written with --json.
type featureFile struct {
	File     string `json:"file"`
	Images   int    `json:"images"`
	Shape    []int  `json:"shape"`
	DType    string `json:"dtype"`
	Model    string `json:"model"`
	UpToDate bool   `json:"up_to_date"`
}

func openFeature(path string, upToDate bool) (featureFile, error) {
	f, err := table.OpenFile(path)
	if err != nil {
		return featureFile{}, err
	}
	defer f.Close()
	return featureFile{path, f.Len(), f.Shape, string(f.DType), f.Meta["model"], upToDate}, nil
}

func (f featureFile) print(cmd *cobra.Command) error {
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "%s\t%d images × %v\t%s\t%s\n", f.File, f.Images, f.Shape, f.DType, f.Model)
	return t.Flush()
}

// printFeatures ends a command, each of whose files has had its line.
func printFeatures(cmd *cobra.Command, files []featureFile) error {
	if !asJSON(cmd) {
		return nil
	}
	return printJSON(cmd, map[string]any{"features": files})
}

func newFeaturesMerge() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge FOLDER",
		Short: "Put the shards of features together",
		Long: `Put the files that percept features --shard k/n has made in a folder together, one for each feature,
with the bytes that it would have without shards. All shards have to be there and to agree. They are
left where they are.`,
		Example: `  percept features merge features`,
		Args:    oneArg("a folder with shards of features"),
		RunE: func(cmd *cobra.Command, args []string) error {
			shards, err := table.ShardFiles(args[0])
			if err != nil {
				return err
			}
			if len(shards) == 0 {
				example := table.FileName("z", table.Shard{K: 1, N: 8})
				return fmt.Errorf("%s: no shards of features in it, expected files as %s", args[0], example)
			}
			files := []featureFile{}
			for _, name := range slices.Sorted(maps.Keys(shards)) {
				b := logOf(cmd).Start("merge " + name)
				path := filepath.Join(args[0], table.FileName(name, table.Shard{}))
				if err := b.Finish(false, table.Merge(path, shards[name], b.Progress)); err != nil {
					return err
				}
				made, err := openFeature(path, false)
				if err != nil {
					return err
				}
				if files = append(files, made); !asJSON(cmd) {
					if err := made.print(cmd); err != nil {
						return err
					}
				}
			}
			return printFeatures(cmd, files)
		},
	}
	addJSON(cmd)
	return cmd
}
