package sim

import (
	"encoding/json"

	"percept/fmri/internal/npy"
	"percept/fmri/sim/scene"
)

// truthScene is a scene in words.
type truthScene struct {
	NSDID   int           `json:"nsdId"` // counts from 0
	Shared  bool          `json:"shared"`
	Seed    [2]uint64     `json:"seed"` // both words of the generator of the scene
	Time    string        `json:"time"`
	Ground  string        `json:"ground"`
	Horizon float64       `json:"horizon"`
	Objects []truthObject `json:"objects"`
}

type truthObject struct {
	Kind   string  `json:"kind"`
	Colour string  `json:"colour"`
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Size   float64 `json:"size"`
}

// writeTruth writes what the pictures show: scenes.json, labels.npy [picture, label] and the names
// of the labels.
func (t *tree) writeTruth() error {
	var scenes []truthScene
	var labels []float32
	for id, s := range t.stimuli {
		c := truthScene{
			NSDID: id, Shared: t.design.isShared(id), Seed: [2]uint64{sceneSeed + uint64(id), t.options.Seed},
			Time: s.scene.Time.String(), Ground: s.scene.Ground.String(), Horizon: s.scene.Horizon,
		}
		for _, o := range s.scene.Objects {
			c.Objects = append(c.Objects, truthObject{o.Kind.String(), o.Colour.String(), o.X, o.Y, o.Size})
		}
		scenes = append(scenes, c)
		labels = append(labels, s.labels...)
	}
	if err := t.writeJSON("truth/scenes.json", scenes); err != nil {
		return err
	}
	if err := t.writeJSON("truth/label_names.json", scene.LabelNames); err != nil {
		return err
	}
	return npy.Write(t.path("truth/labels.npy"), []int{len(scenes), len(scene.LabelNames)}, labels)
}

// truthVoxel is one visual voxel.
type truthVoxel struct {
	XYZ   [3]int `json:"xyz"` // counts from 0, as NIfTI indexes it
	ROI   string `json:"roi"`
	Area  string `json:"area,omitempty"`
	Field *struct {
		X        float64            `json:"x_deg"`
		Y        float64            `json:"y_deg"`
		Sigma    float64            `json:"sigma_deg"`
		Exponent float64            `json:"exponent"`
		Weights  map[string]float32 `json:"weights"`
	} `json:"field,omitempty"`
	Labels   map[string]float32 `json:"labels,omitempty"`
	NCSNR    float64            `json:"ncsnr"`                    // stated
	Noise    float64            `json:"noise_sd_percent"`         // of one trial
	Baseline float64            `json:"baseline_percent"`         // mean response
	Dead     bool               `json:"without_signal,omitempty"` // betas are 0 in all sessions
}

// writeSubjectTruth writes, for one subject, voxels.json; voxels.npy [voxel, 3], pictures.npy
// (0-based ids, shared ones first) and responses.npy [picture, voxel], the noise-free responses,
// mean 0 and variance 1 over pictures.
func (t *tree) writeSubjectTruth(b *brain, ids []int, responses [][]float32) error {
	voxels := make([]truthVoxel, len(b.visual))
	var xyz []int32
	for i, v := range b.visual {
		at := [3]int{v % b.shape[0], v / b.shape[0] % b.shape[1], v / (b.shape[0] * b.shape[1])}
		xyz = append(xyz, int32(at[0]), int32(at[1]), int32(at[2]))
		x := truthVoxel{XYZ: at, ROI: streamsNames[b.streams[v]], NCSNR: b.ncsnr[v], Noise: b.noise[v], Baseline: b.baseline[v],
			Dead: v == b.dead}
		if b.prf[v] > 0 {
			x.Area = prfNames[b.prf[v]]
		}
		x.describe(b.fields[i], b.tuning[i])
		voxels[i] = x
	}
	name := subjectName(b.subject)
	if err := t.writeJSON("truth/"+name+"/voxels.json", voxels); err != nil {
		return err
	}
	pictures := make([]int32, len(ids))
	var flat []float32
	for i, id := range ids {
		pictures[i] = int32(id)
		flat = append(flat, responses[i]...)
	}
	for _, err := range []error{
		npy.Write(t.path("truth/%s/voxels.npy", name), []int{len(voxels), 3}, xyz),
		npy.Write(t.path("truth/%s/pictures.npy", name), []int{len(pictures)}, pictures),
		npy.Write(t.path("truth/%s/responses.npy", name), []int{len(ids), len(voxels)}, flat),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// describe writes field and tuning down, by the names of channels and labels.
func (x *truthVoxel) describe(f *receptiveField, l *labelTuning) {
	if f != nil {
		x.Field = &struct {
			X        float64            `json:"x_deg"`
			Y        float64            `json:"y_deg"`
			Sigma    float64            `json:"sigma_deg"`
			Exponent float64            `json:"exponent"`
			Weights  map[string]float32 `json:"weights"`
		}{f.X, f.Y, f.Sigma, f.Exponent, map[string]float32{}}
		for c, w := range f.Weights {
			if w != 0 {
				x.Field.Weights[channelNames[c]] = w
			}
		}
	}
	if l != nil {
		x.Labels = map[string]float32{}
		for i, w := range l.Weights {
			if w != 0 {
				x.Labels[scene.LabelNames[i]] = w
			}
		}
	}
}

func (t *tree) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return writeFile(t.path("%s", name), b)
}
