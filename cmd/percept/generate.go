package main

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"percept"
	"percept/cmd/percept/internal/experiment"
	"percept/cmd/percept/internal/report"
	"percept/scheduler"
)

func newGenerate() *cobra.Command {
	var (
		prompts  []string
		out      string
		model    modelFlags
		seed     uint64
		steps    int
		guidance float64
		count    int
	)
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Make pictures from captions",
		Long: `Make pictures from captions with a model folder in the layout of diffusers or, without --model,
with the small model that is part of the program (it knows houses, trees, boats, cars, animals,
people, sun and mountains).`,
		Example: `  percept generate --prompt "a white sailboat on the sea at sunset" --out boat.png
  percept generate --prompt "a red house" --prompt "a black cat" --count 4 --out grid.png`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(prompts) == 0:
				return usageError{fmt.Errorf("--prompt is missing, expected a caption")}
			case count < 1 || count > 64:
				return usageError{fmt.Errorf("--count %d, expected 1 to 64", count)}
			case steps < 1 || steps > 1000:
				return usageError{fmt.Errorf("--steps %d, expected 1 to 1000", steps)}
			case !(guidance >= 1 && guidance <= experiment.MaxGuidance):
				return usageError{fmt.Errorf("--guidance %g, expected 1 to %d", guidance, experiment.MaxGuidance)}
			}
			if ext := filepath.Ext(out); ext != ".png" {
				return usageError{fmt.Errorf("--out %s, expected a file name that ends in .png", out)}
			}
			if _, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: steps}); err != nil {
				return usageError{fmt.Errorf("--steps %d: %w", steps, err)}
			}
			if err := model.check(); err != nil {
				return err
			}
			if err := writable(out); err != nil {
				return err
			}
			pipe, err := model.load(cmd)
			if err != nil {
				return err
			}
			captions := make([]string, 0, len(prompts)*count)
			for _, p := range prompts {
				for range count {
					captions = append(captions, p)
				}
			}
			c, err := pipe.TextEmbed(cmd.Context(), captions)
			if err != nil {
				return err
			}
			bar := newBar(cmd.ErrOrStderr(), "generate")
			side := pipe.Size / pipe.VAE.Config.Downscale()
			x, err := pipe.Denoise(cmd.Context(), percept.NoiseFor(seed, 0, len(captions), side, side), c,
				percept.Sampling{Steps: steps, Guidance: guidance}, bar.progress)
			bar.end(false)
			if err != nil {
				return err
			}
			pictures, err := pipe.Decode(cmd.Context(), x)
			if err != nil {
				return err
			}
			var picture image.Image = pictures[0]
			if len(pictures) > 1 {
				if picture, err = grid(prompts, pictures, count); err != nil {
					return err
				}
			}
			if err := writePNG(out, picture); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), out)
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&prompts, "prompt", nil, "caption; may be given several times")
	f.StringVar(&out, "out", "picture.png", "`file` to write")
	model.add(cmd, true)
	f.Uint64Var(&seed, "seed", 0, "noise seed; the same seed gives the same picture")
	f.IntVar(&steps, "steps", 25, "DDIM steps")
	f.Float64Var(&guidance, "guidance", 3, "scale of classifier-free guidance")
	f.IntVar(&count, "count", 1, "pictures per caption")
	return cmd
}

// grid lays the pictures out with one row per caption.
func grid(prompts []string, pictures []*image.RGBA, count int) (image.Image, error) {
	s := report.Sheet{Title: "percept generate", Columns: make([]string, count), Scale: 2}
	for i, p := range prompts {
		row := report.SheetRow{Label: p}
		for _, m := range pictures[i*count : (i+1)*count] {
			row.Images = append(row.Images, m)
		}
		s.Rows = append(s.Rows, row)
	}
	return s.Draw()
}

// writable says before long work whether a file can be written at its end.
func writable(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: is a folder, expected a file to write", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*.png")
	if err != nil {
		return fmt.Errorf("%s: the folder is not writable: %w", path, cause(err))
	}
	f.Close()
	return os.Remove(f.Name())
}

// writePNG writes a picture by way of a temporary file in the same folder.
func writePNG(path string, m image.Image) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".part-*.png")
	if err != nil {
		return fmt.Errorf("%s: the folder is not writable: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			f.Close() // a second Close is harmless
			os.Remove(f.Name())
			err = fmt.Errorf("%s: cannot be written: %w", path, cause(err))
		}
	}()
	if err := png.Encode(f, m); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// cause is what the system said, without the temporary file that it said it of.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
