package study

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"

	"percept/fmri"
	"percept/fmri/metrics"
	"percept/fmri/sim/scene"
	"percept/fmri/stats"
	"percept/fmri/study/features"
	"percept/fmri/study/report"
	"percept/fmri/study/stage"
	"percept/fmri/table"
	"percept/internal/atomicfile"
	"percept/internal/cause"
	"percept/tensor"
	"percept/vision"
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

// Metric is a column of the result table.
type Metric = report.Metric

// metrics lists the columns of this run's table.
func (r *Run) metrics() []Metric {
	if r.Config.Score.Scenes {
		return tableMetrics
	}
	return slices.DeleteFunc(slices.Clone(tableMetrics), func(m Metric) bool { return sceneMetrics[m.Name] })
}

// sceneMetrics are those of the network that knows drawn scenes.
var sceneMetrics = map[string]bool{"things_id": true, "things_id_peers": true, "scene_id": true}

// score compares every kind of picture with what was seen.
func (r *Run) score() stage.Stage {
	return stage.Stage{
		Name: "score", Title: "score", Output: scoresFile, Inputs: append(r.folders(picturesFolder, responsesFolder), truthFolder),
		Params: map[string]any{"score": r.Config.Score, "seed": r.Config.Seed, "images": r.Config.Render.Images, "metrics": r.metrics(),
			"things": scene.ThingNames()}, Extra: map[string]string{"kernels": tensor.KernelSet(), "forms": tensor.Forms().Hash()},
		Run: func(ctx context.Context, tmp string, p stage.Progress) error {
			net, err := r.sceneNet()
			if err != nil {
				return err
			}
			var rows []Row
			total := len(r.Config.Subjects) * len(allLooks)
			for _, subject := range r.Config.Subjects {
				ids, err := r.testImages(subject)
				if err != nil {
					return err
				}
				known, err := r.trainedOn(subject, ids)
				if err != nil {
					return err
				}
				sc := &scorer{ids: ids, dir: filepath.Join(r.runner.Path(truthFolder), "seen"), net: net, config: r.Config}
				if sc.seen, err = sc.describe(ctx, sc.dir, nil); err != nil {
					return err
				}
				for _, l := range allLooks {
					scored, err := sc.score(ctx, r.runner.Path(l.of(subject)))
					if err != nil {
						return fmt.Errorf("%s, %s: %w", subject, l.name, err)
					}
					for _, row := range scored {
						row.Subject, row.Method, row.TrainedOn = subject, l.name, known
						rows = append(rows, row)
					}
					p(len(rows)/len(r.metrics()), total)
				}
			}
			return writeJSON(tmp, rows, "  ")
		},
	}
}

// trainedOn counts the images that a subject's models were fitted on.
func (r *Run) trainedOn(subject string, ids []fmri.ImageID) (n int, err error) {
	t, err := r.openResponses(subject, train)
	if err != nil {
		return 0, err
	}
	return table.Rows{Images: ids}.Among(t.Rows.Images), nil
}

// sceneNet is the network that knows drawn scenes, nil where the run does without.
func (r *Run) sceneNet() (*vision.SceneNet, error) {
	if !r.Config.Score.Scenes {
		return nil, nil
	}
	net, err := vision.EmbeddedSceneNet()
	if err != nil {
		return nil, err
	}
	for _, name := range scene.ThingNames() {
		if !slices.Contains(net.Labels(), name) {
			return nil, fmt.Errorf("the scene network does not know %q", name)
		}
	}
	return net, nil
}

// readJSON reads what writeJSON has left.
func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", path, cause.OfJSON(err))
	}
	return nil
}

func writeJSON(path string, of any, indent string) error {
	b, err := json.MarshalIndent(of, "", indent)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(b, '\n'))
}

// scorer holds what is the same for all methods of a subject.
type scorer struct {
	ids    []fmri.ImageID
	dir    string // of the seen pictures
	seen   described
	net    *vision.SceneNet // may be nil
	config Config
}

// described are the features of a folder of pictures by which they are told from one another.
type described struct{ pixels, things, scenes [][]float32 }

// pixelSize bounds the pictures that are told from one another by their pixels: larger ones are scaled down, since all have to
// be in memory at once.
const pixelSize = 96

// describe goes over the pictures of a folder once, a few at a time: it returns their pixels as feature vectors, how strongly
// the network sees each kind of thing in them, and the features of its last layer. each, unless nil, is shown every picture.
func (s *scorer) describe(ctx context.Context, dir string, each func(i int, m image.Image) error) (d described, err error) {
	const few = 32
	for lo := 0; lo < len(s.ids); lo += few {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		pictures, err := loadPictures(dir, s.ids[lo:min(lo+few, len(s.ids))])
		if err != nil {
			return d, err
		}
		for i, p := range pictures {
			if each != nil {
				if err := each(lo+i, p); err != nil {
					return d, err
				}
			}
			if size := p.Bounds().Size(); size.X > pixelSize || size.Y > pixelSize {
				p = features.Resize(p, pixelSize, pixelSize)
			}
			img := metrics.FromImage(p)
			v := make([]float32, len(img.Pix))
			for i, x := range img.Pix {
				v[i] = float32(x)
			}
			d.pixels = append(d.pixels, v)
		}
		if s.net == nil {
			continue
		}
		logits, err := s.net.Logits(ctx, pictures)
		if err != nil {
			return d, err
		}
		for _, x := range logits {
			var kinds []float32
			for _, name := range scene.ThingNames() {
				kinds = append(kinds, x[slices.Index(s.net.Labels(), name)])
			}
			d.things = append(d.things, kinds)
		}
		scenes, err := s.net.Features(ctx, pictures)
		if err != nil {
			return d, err
		}
		d.scenes = append(d.scenes, scenes...)
	}
	return d, nil
}

// score returns one row per metric for the pictures in a folder.
func (s *scorer) score(ctx context.Context, dir string) ([]Row, error) {
	pixcorr, ssim := make([]float64, len(s.ids)), make([]float64, len(s.ids))
	decoded, err := s.describe(ctx, dir, func(i int, m image.Image) error {
		original, err := loadPictures(s.dir, s.ids[i:i+1])
		if err != nil {
			return err
		}
		a, b := metrics.FromImage(original[0]), metrics.FromImage(m)
		if pixcorr[i], err = metrics.PixCorr(a, b); err != nil {
			return err
		}
		ssim[i], err = metrics.SSIM(a, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, m := range []struct {
		name          string
		values        []float64 // of each image; nil: identification of what was seen by what was decoded
		seen, decoded [][]float32
		direction     metrics.Direction
	}{
		{name: "pixcorr", values: pixcorr},
		{name: "ssim", values: ssim},
		{"pixel_id", nil, s.seen.pixels, decoded.pixels, metrics.FixOriginal},
		{"things_id", nil, s.seen.things, decoded.things, metrics.FixOriginal},
		{"things_id_peers", nil, s.seen.things, decoded.things, metrics.FixGenerated},
		{"scene_id", nil, s.seen.scenes, decoded.scenes, metrics.FixOriginal},
	} {
		if s.net == nil && sceneMetrics[m.name] {
			continue
		}
		var id *metrics.Identification
		if m.values == nil {
			similarity, err := metrics.Correlations(m.seen, m.decoded)
			if err != nil {
				return nil, err
			}
			id = similarity.IdentifyTies(m.direction)
			m.values = id.PerImage()
		}
		row, err := s.row(m.name, m.values, id)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// row is the mean of a metric's values of each image; of a two-way identification with the interval that random pairings give.
func (s *scorer) row(metric string, values []float64, id *metrics.Identification) (Row, error) {
	for i, v := range values {
		if math.IsNaN(v) {
			values[i] = 0 // a picture of one colour correlates with nothing
		}
	}
	in, err := stats.BootstrapMean(values, stats.Resampling{Samples: s.config.Score.Bootstrap, Seed: s.config.Seed})
	row := Row{Metric: metric, Value: stats.Mean(values), Low: in.Low, High: in.High, N: len(values)}
	if err != nil || id == nil {
		return row, err
	}
	null, err := stats.PermuteImages(id.N, stats.Resampling{Samples: s.config.Score.Permutations, Seed: s.config.Seed}, id.Permuted)
	if err != nil {
		return row, err
	}
	chance := null.Interval()
	row.ChanceLow, row.ChanceHigh = chance.Low, chance.High
	return row, nil
}
