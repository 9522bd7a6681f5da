package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"

	"percept/cmd/percept/internal/report"
	"percept/cmd/percept/internal/stage"
	"percept/fmri"
	"percept/fmri/metrics"
	"percept/fmri/sim/scene"
	"percept/fmri/stats"
	"percept/tensor"
)

const scoresFile = "scores.json"

// Row is one number of the result table.
type Row = report.Score

// Metrics of the table, in order.
var tableMetrics = []report.Metric{
	{Name: "pixcorr", Title: "PixCorr", Short: "PixCorr", Explain: "correlation of all pixels and channels of seen and decoded picture, at their own size"},
	{Name: "ssim", Title: "SSIM", Short: "SSIM", Explain: "structural similarity of the grey pictures, Gaussian window"},
	{Name: "pixel_id", Title: "2-way, pixels", Short: "pixels %", Percent: true,
		Explain: "two-way identification by pixel correlation: the original against its own and another generated picture"},
	{Name: "things_id", Title: "2-way, things", Short: "things %", Percent: true,
		Explain: "two-way identification by the kinds of things in the picture, as seen by a network that had no part in making it: the original against its own and another generated picture (Takagi & Nishimoto's direction)"},
	{Name: "things_id_peers", Title: "2-way, things, fixed generated", Short: "things (peers) %", Percent: true,
		Explain: "the same, the generated picture against its own and another original (the direction of MindEye and brain-diffuser)"},
	{Name: "scene_id", Title: "2-way, whole scene", Short: "scene %", Percent: true,
		Explain: "two-way identification by all features of that network's last layer, to which light and ground add as much as things do (Takagi & Nishimoto's direction)"},
}

// score compares every kind of picture with what was seen.
func (r *Run) score(ctx context.Context) error {
	inputs := []string{truthFolder}
	for _, s := range r.Config.Subjects {
		inputs = append(inputs, picturesFolder(s))
	}
	return r.stages.Do(ctx, stage.Stage{
		Name: "score", Title: "score", Output: scoresFile, Inputs: inputs,
		Params: []any{r.Config.Score, r.Config.Seed, tableMetrics, scene.ThingNames()}, Extra: map[string]string{"kernels": tensor.KernelSet(), "forms": tensor.Forms().Hash()},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			net, err := metrics.EmbeddedSceneNet()
			if err != nil {
				return err
			}
			for _, name := range scene.ThingNames() {
				if !slices.Contains(net.Labels(), name) {
					return fmt.Errorf("the scene network does not know %q", name)
				}
			}
			var rows []Row
			total := len(r.Config.Subjects) * (len(decodedLooks) + len(trueLooks))
			for _, subject := range r.Config.Subjects {
				ids, _, _, err := r.testSet(subject, "decoded")
				if err != nil {
					return err
				}
				sc, err := newScorer(ctx, net, filepath.Join(r.stages.Path(truthFolder), "seen"), ids, r.Config)
				if err != nil {
					return err
				}
				for _, g := range []struct {
					folder string
					looks  []look
				}{{picturesFolder(subject), decodedLooks}, {truthFolder, trueLooks}} {
					for _, l := range g.looks {
						scored, err := sc.score(ctx, filepath.Join(r.stages.Path(g.folder), l.folder))
						if err != nil {
							return fmt.Errorf("%s, %s: %w", subject, l.name, err)
						}
						for _, row := range scored {
							row.Subject, row.Method = subject, l.name
							rows = append(rows, row)
						}
						p(len(rows)/len(tableMetrics), total)
					}
				}
			}
			b, err := json.MarshalIndent(rows, "", "  ")
			if err != nil {
				return err
			}
			return os.WriteFile(tmp, append(b, '\n'), 0o666)
		},
	})
}

func (r *Run) readScores() ([]Row, error) {
	b, err := os.ReadFile(r.stages.Path(scoresFile))
	if err != nil {
		return nil, err
	}
	var rows []Row
	if err := json.Unmarshal(b, &rows); err != nil {
		return nil, fmt.Errorf("%s: %w", r.stages.Path(scoresFile), err)
	}
	return rows, nil
}

// scorer holds what is the same for all methods of a subject.
type scorer struct {
	ids    []fmri.ImageID
	seen   []metrics.Image
	pixels [][]float32
	things [][]float32
	scenes [][]float32
	net    *metrics.SceneNet
	config Config
}

func newScorer(ctx context.Context, net *metrics.SceneNet, dir string, ids []fmri.ImageID, c Config) (*scorer, error) {
	pictures, err := loadPictures(dir, ids)
	if err != nil {
		return nil, err
	}
	s := &scorer{ids: ids, net: net, config: c}
	s.seen, s.pixels, s.things, s.scenes, err = s.describe(ctx, pictures)
	return s, err
}

// describe returns pictures, their pixels as feature vectors, how strongly the network sees each kind
// of thing in them, and the features of its last layer.
func (s *scorer) describe(ctx context.Context, pictures []image.Image) (m []metrics.Image, pixels, things, scenes [][]float32, err error) {
	for _, p := range pictures {
		img := metrics.FromImage(p)
		v := make([]float32, len(img.Pix))
		for i, x := range img.Pix {
			v[i] = float32(x)
		}
		m, pixels = append(m, img), append(pixels, v)
	}
	if things, err = s.net.Logits(ctx, pictures); err != nil {
		return nil, nil, nil, nil, err
	}
	for i, logits := range things {
		var kinds []float32
		for _, name := range scene.ThingNames() {
			kinds = append(kinds, logits[slices.Index(s.net.Labels(), name)])
		}
		things[i] = kinds
	}
	scenes, err = s.net.Features(ctx, pictures)
	return m, pixels, things, scenes, err
}

// score returns one row per metric for the pictures in a folder.
func (s *scorer) score(ctx context.Context, dir string) ([]Row, error) {
	pictures, err := loadPictures(dir, s.ids)
	if err != nil {
		return nil, err
	}
	decoded, pixels, things, scenes, err := s.describe(ctx, pictures)
	if err != nil {
		return nil, err
	}
	pixcorr, ssim := make([]float64, len(decoded)), make([]float64, len(decoded))
	for i := range decoded {
		if pixcorr[i], err = metrics.PixCorr(s.seen[i], decoded[i]); err != nil {
			return nil, err
		}
		if ssim[i], err = metrics.SSIM(s.seen[i], decoded[i]); err != nil {
			return nil, err
		}
	}
	rows := make([]Row, 0, len(tableMetrics))
	for _, m := range []struct {
		name   string
		values []float64
	}{{"pixcorr", pixcorr}, {"ssim", ssim}} {
		row, err := s.mean(m.name, m.values)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	byThings, err := metrics.Correlations(s.things, things)
	if err != nil {
		return nil, err
	}
	byScene, err := metrics.Correlations(s.scenes, scenes)
	if err != nil {
		return nil, err
	}
	byPixels, err := metrics.Correlations(s.pixels, pixels)
	if err != nil {
		return nil, err
	}
	for _, m := range []struct {
		name       string
		similarity *metrics.Similarity
		direction  metrics.Direction
	}{
		{"pixel_id", byPixels, metrics.FixOriginal},
		{"things_id", byThings, metrics.FixOriginal},
		{"things_id_peers", byThings, metrics.FixGenerated},
		{"scene_id", byScene, metrics.FixOriginal},
	} {
		row, err := s.identify(m.name, m.similarity.Identify(m.direction))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// mean is the row of a metric that has one value per image.
func (s *scorer) mean(metric string, values []float64) (Row, error) {
	for i, v := range values {
		if math.IsNaN(v) {
			values[i] = 0 // a picture of one colour correlates with nothing
		}
	}
	in, err := stats.BootstrapMean(values, stats.Resampling{Samples: s.config.Score.Bootstrap, Seed: s.config.Seed})
	if err != nil {
		return Row{}, err
	}
	return Row{Metric: metric, Value: stats.Mean(values), Low: in.Low, High: in.High, N: len(values)}, nil
}

// identify is the row of a two-way identification, with the interval that random pairings give.
func (s *scorer) identify(metric string, id *metrics.Identification) (Row, error) {
	row, err := s.mean(metric, id.PerImage())
	if err != nil {
		return Row{}, err
	}
	null, err := stats.PermuteImages(id.N, stats.Resampling{Samples: s.config.Score.Permutations, Seed: s.config.Seed}, id.Permuted)
	if err != nil {
		return Row{}, err
	}
	chance := null.Interval()
	row.ChanceLow, row.ChanceHigh = chance.Low, chance.High
	return row, nil
}
