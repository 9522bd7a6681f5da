package look

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"percept/fmri/table"
	"percept/internal/cause"
	"percept/weights"
)

// folder describes a prepared folder, a model, a run, an NSD tree or a folder of features.
func (r *Report) folder() error {
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(r.Path, name))
		return err == nil
	}
	switch {
	case has("manifest.json") && has("voxels.npy"):
		return r.prepared()
	case has("experiment.toml"):
		r.Kind = "run directory"
		r.Reads = []string{"percept run with the experiment's file goes on with it; report.html in a browser"}
		return nil
	case has("nsddata"):
		r.Kind = "NSD tree"
		r.Reads = []string{"percept nsd check " + r.Path + " says what is in it", "percept nsd prepare, percept features, percept run"}
		return nil
	case has("model_index.json"), has("unet"), has("vae"), has("text_encoder"):
		return r.pipeline()
	}
	entries, err := os.ReadDir(r.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Path, cause.Of(err))
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".safetensors" {
			continue
		}
		if f, err := table.OpenFile(filepath.Join(r.Path, e.Name())); err == nil {
			r.add(strings.TrimSuffix(e.Name(), ".safetensors"), string(f.DType), append([]int{f.Len()}, f.Shape...), f.DType.Size())
			f.Close()
		}
	}
	if len(r.Arrays) == 0 {
		return fmt.Errorf("%s: a folder of none of these: percept nsd prepare's, a model, a run, an NSD tree, percept features'", r.Path)
	}
	r.Kind, r.Rows = "folder of features or responses", "axis 1 of each"
	r.Reads = []string{"percept fit, percept decode: --features " + r.Path + " --feature NAME"}
	return nil
}

// prepared describes a folder of percept nsd prepare.
func (r *Report) prepared() error {
	f, err := table.OpenFolder(r.Path)
	if err != nil {
		return err
	}
	m := f.Manifest
	r.Kind = fmt.Sprintf("folder of percept nsd prepare, format %d", m.Format)
	r.Details = append(r.Details, fmt.Sprintf("%d voxels of a volume of %v, sessions %v", m.Voxels, m.Shape, m.Sessions))
	for _, roi := range m.Regions {
		r.Details = append(r.Details, fmt.Sprintf("%s: %d voxels", roi.Name, roi.Voxels))
	}
	for _, a := range m.Arrays {
		r.add(a.File, a.DType, a.Shape, 0)
	}
	r.Rows = "axis 1 of each X_*.npy"
	r.Reads = []string{"percept fit, percept decode: --responses " + r.Path}
	return nil
}

// pipeline describes a model folder.
func (r *Report) pipeline() error {
	f, err := weights.OpenModel(r.Path, weights.ModelOptions{Partial: true, Unsupported: true})
	if err != nil {
		return err
	}
	defer f.Close()
	r.Kind = "model folder of diffusers"
	for _, c := range weights.Components() {
		if p := f.Parts[c]; p != nil {
			r.Details = append(r.Details, fmt.Sprintf("%s: %d tensors in %s", c, p.Store.Len(), p.File.File()))
		} else {
			r.WillNot = append(r.WillNot, fmt.Sprintf("what needs the %s, which is not there", c))
		}
	}
	r.Reads = []string{"percept generate, percept features: --model " + r.Path, "percept model check " + r.Path + " says what it can be used for"}
	return nil
}
