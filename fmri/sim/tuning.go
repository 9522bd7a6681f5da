package sim

import (
	"math"
	"math/rand/v2"

	"percept/fmri/sim/scene"
)

// labelTuning is what one voxel of higher cortex answers to: a sparse weight for each label of
// the scene, wherever the thing is. Category-selective cortex: Kanwisher, McDermott and Chun 1997
// (doi:10.1523/JNEUROSCI.17-11-04302.1997); mixed, overlapping tuning over many categories: Haxby
// et al. 2001 (doi:10.1126/science.1063736), Huth et al. 2012 (doi:10.1016/j.neuron.2012.10.014).
type labelTuning struct {
	Weights []float32 // per label, in units of the label's standard deviation over the pictures
}

// tunedLabels is how many labels one voxel is driven by.
const tunedLabels = 6

// patchSize is the number of neighbouring voxels that share their two strongest labels, as the
// face and place areas do.
const patchSize = 12

// placeTuning gives the voxels of the higher (and half of the drive of the middle) stages their
// tuning. Voxels come in the order of the volume, so a patch is a run of neighbours.
func (a *anatomy) placeTuning(r *rand.Rand, labels int) map[int]*labelTuning {
	tuning := map[int]*labelTuning{}
	count := map[int16]int{}
	favourites := map[int16][2]int{}
	for _, v := range a.visual {
		s := a.streams[v]
		if s == early {
			continue
		}
		if count[s]%patchSize == 0 {
			favourites[s] = [2]int{r.IntN(labels), r.IntN(labels)}
		}
		count[s]++
		tuning[v] = newTuning(r, labels, favourites[s])
	}
	return tuning
}

func newTuning(r *rand.Rand, labels int, favourites [2]int) *labelTuning {
	t := &labelTuning{Weights: make([]float32, labels)}
	for _, f := range favourites {
		t.Weights[f] += float32(0.5 + math.Abs(r.NormFloat64()))
	}
	for range tunedLabels - len(favourites) {
		t.Weights[r.IntN(labels)] += float32(r.NormFloat64())
	}
	for i := range t.Weights {
		if isGist[scene.LabelNames[i]] {
			t.Weights[i] *= gistWeight
		}
	}
	return t
}

// gistWeight is how much less than by things a voxel is driven by the light and the ground. These
// two fix most of a picture's colours; at full weight higher cortex would tell the pixels almost as
// well as early cortex does.
const gistWeight = 0.35

// isGist holds the names of the labels for the light and the ground.
var isGist = map[string]bool{
	scene.Day.String(): true, scene.Sunset.String(): true, scene.Night.String(): true, scene.Overcast.String(): true,
	scene.Grass.String(): true, scene.Snow.String(): true, scene.Sand.String(): true, scene.Water.String(): true,
}

// respond is the noise-free response in arbitrary units: a weighted sum of standardised labels.
func (t *labelTuning) respond(labels []float32, mean, scale []float32) float64 {
	var sum float64
	for i, w := range t.Weights {
		sum += float64(w * (labels[i] - mean[i]) * scale[i])
	}
	return sum
}

// labelStatistics are the mean of each label over the pictures and 1 over its standard deviation
// (0 for a label that never changes).
func labelStatistics(pictures [][]float32) (mean, scale []float32) {
	labels := len(pictures[0])
	mean, scale = make([]float32, labels), make([]float32, labels)
	for i := range labels {
		var sum, sq float64
		for _, p := range pictures {
			sum += float64(p[i])
			sq += float64(p[i]) * float64(p[i])
		}
		n := float64(len(pictures))
		mean[i] = float32(sum / n)
		if v := sq/n - sum/n*(sum/n); v > 1e-9 {
			scale[i] = float32(1 / math.Sqrt(v))
		}
	}
	return mean, scale
}
