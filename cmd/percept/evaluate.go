package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"

	"github.com/spf13/cobra"

	"percept"
	"percept/fmri/metrics"
	"percept/fmri/sim/scene"
	"percept/fmri/stats"
	"percept/fmri/study"
	"percept/fmri/study/report"
	"percept/scheduler"
	"percept/vision"
)

// evaluationSeed starts scenes that neither the training of the embedded model nor the simulated
// experiment draws.
const evaluationSeed = 0xE7A1_0000

func newEvaluate() *cobra.Command {
	var out string
	var scenes, steps int
	var guidance float64
	var model modelFlags
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Measure the embedded model on scenes it never saw",
		Long: `Draw scenes that were not trained on; report how well the VAE shows them (PSNR) and how well
pictures made from their captions can be told apart by a network that had no part in making
them; write a sheet of 32 pictures with their captions.`,
		Example: "  percept evaluate --out docs/captions.png",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if scenes < 32 || scenes > 1<<16 {
				return usageError{fmt.Errorf("--scenes %d, expected 32 to %d", scenes, 1<<16)}
			}
			if ext := filepath.Ext(out); ext != ".png" {
				return usageError{fmt.Errorf("--out %s, expected a file name that ends in .png", out)}
			}
			if steps < 1 || steps > 1000 {
				return usageError{fmt.Errorf("--steps %d, expected 1 to 1000", steps)}
			}
			if _, err := scheduler.NewDDIM(scheduler.DDIMOptions{Steps: steps}); err != nil {
				return usageError{fmt.Errorf("--steps %d: %w", steps, err)}
			}
			if !(guidance >= 1 && guidance <= study.MaxGuidance) {
				return usageError{fmt.Errorf("--guidance %g, expected 1 to %d", guidance, study.MaxGuidance)}
			}
			if err := model.check(); err != nil {
				return err
			}
			if err := writable(out); err != nil {
				return err
			}
			ctx := cmd.Context()
			pipe, err := model.load(cmd)
			if err != nil {
				return err
			}
			r := rand.New(rand.NewPCG(evaluationSeed, 0))
			drawn, captions := make([]image.Image, scenes), make([]string, scenes)
			for i := range drawn {
				s := scene.Random(r)
				drawn[i], captions[i] = s.Draw(pipe.Size), s.Captions(r, 1)[0]
			}
			psnr, err := meanPSNR(ctx, pipe, drawn)
			if err != nil {
				return err
			}
			c, err := pipe.TextEmbed(ctx, captions)
			if err != nil {
				return err
			}
			b := logOf(cmd).Start("pictures from captions")
			side := pipe.Size / pipe.VAE.Config.Downscale()
			x, err := pipe.Denoise(ctx, percept.NoiseFor(evaluationSeed, 0, scenes, side, side), c,
				percept.Sampling{Steps: steps, Guidance: guidance}, b.Progress)
			if err := b.Finish(false, err); err != nil {
				return err
			}
			decoded, err := pipe.Decode(ctx, x)
			if err != nil {
				return err
			}
			made := make([]image.Image, scenes)
			for i, m := range decoded {
				made[i] = m
			}
			if err := captionSheet(out, captions, made); err != nil {
				return err
			}
			e := evaluation{Scenes: scenes, PSNR: psnr, Sheet: out}
			if e.Identification, err = identifyMade(cmd, drawn, made); err != nil {
				return err
			}
			if asJSON(cmd) {
				return printJSON(cmd, e)
			}
			return e.print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "captions.png", "`file` for the sheet of 32 pictures")
	f.IntVar(&scenes, "scenes", 128, "scenes to draw")
	f.IntVar(&steps, "steps", 25, "DDIM steps")
	f.Float64Var(&guidance, "guidance", 3, "scale of classifier-free guidance")
	model.add(cmd, false)
	addJSON(cmd)
	return cmd
}

// meanPSNR is the mean over pictures of 10·log10(1 / mean squared error) after encoding and decoding,
// in dB, values from 0 to 1.
func meanPSNR(ctx context.Context, pipe *percept.Pipeline, drawn []image.Image) (float64, error) {
	z, err := pipe.Encode(ctx, drawn)
	if err != nil {
		return 0, err
	}
	back, err := pipe.Decode(ctx, z)
	if err != nil {
		return 0, err
	}
	var sum float64
	for i, m := range back {
		mse, err := metrics.MeanSquaredError(metrics.FromImage(drawn[i]), metrics.FromImage(m))
		if err != nil {
			return 0, err
		}
		sum += -10 * math.Log10(mse)
	}
	return sum / float64(len(back)), nil
}

// evaluation is what percept evaluate measures, as it is written with --json.
type evaluation struct {
	Scenes         int              `json:"scenes"`
	PSNR           float64          `json:"psnr_db"`
	Identification []identification `json:"identification"`
	Sheet          string           `json:"sheet"`
}

// identification is two-way identification in one direction, shares from 0 to 1, with a 95 % interval.
type identification struct {
	Direction string  `json:"direction"`
	Accuracy  float64 `json:"accuracy"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	N         int     `json:"n"`
}

func (e evaluation) print(w io.Writer) error {
	fmt.Fprintf(w, "VAE reconstruction of %d unseen scenes: %.2f dB PSNR\n", e.Scenes, e.PSNR)
	for _, id := range e.Identification {
		fmt.Fprintf(w, "two-way identification of caption pictures (%s): %.1f %% [%.1f – %.1f], n = %d\n",
			id.Direction, 100*id.Accuracy, 100*id.Low, 100*id.High, id.N)
	}
	_, err := fmt.Fprintln(w, e.Sheet)
	return err
}

func identifyMade(cmd *cobra.Command, drawn, made []image.Image) ([]identification, error) {
	net, err := vision.EmbeddedSceneNet()
	if err != nil {
		return nil, err
	}
	originals, err := net.Features(cmd.Context(), drawn)
	if err != nil {
		return nil, err
	}
	generated, err := net.Features(cmd.Context(), made)
	if err != nil {
		return nil, err
	}
	similarity, err := metrics.Correlations(originals, generated)
	if err != nil {
		return nil, err
	}
	var both []identification
	for _, d := range []metrics.Direction{metrics.FixOriginal, metrics.FixGenerated} {
		each := similarity.Identify(d).PerImage()
		in, err := stats.BootstrapMean(each, stats.Resampling{})
		if err != nil {
			return nil, err
		}
		both = append(both, identification{fmt.Sprint(d), stats.Mean(each), in.Low, in.High, len(each)})
	}
	return both, nil
}

func captionSheet(path string, captions []string, made []image.Image) error {
	const columns, rows = 8, 4
	s := report.Sheet{Title: "Pictures from captions, none of them trained on (embedded model)", Columns: make([]string, columns), Scale: 2}
	for y := range rows {
		lo, hi := y*columns, (y+1)*columns
		s.Rows = append(s.Rows, report.SheetRow{Captions: captions[lo:hi], Images: made[lo:hi]})
	}
	m, err := s.Draw()
	if err != nil {
		return err
	}
	return writePicture(path, m)
}
