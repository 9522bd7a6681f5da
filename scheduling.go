package percept

import (
	"encoding/json"
	"fmt"
	"os"

	"percept/internal/cause"
	"percept/internal/pyjson"
	"percept/scheduler"
	"percept/weights"
)

// SamplerAuto is the sampler that a model's folder names: the one made like the class of its scheduler.
const SamplerAuto = "auto"

const (
	schedulerFile = "scheduler/scheduler_config.json"
	indexFile     = "model_index.json"
)

// SchedulerOf reads how a model folder says that it is sampled, as a loaded StableDiffusionPipeline takes it; nil where it
// says nothing. A noise schedule that there is not is an error.
func SchedulerOf(folder *weights.Folder) (*scheduler.Config, error) { return schedulerOf(folder, "") }

// schedulerOf reads a file instead of the folder's, unless it is empty.
func schedulerOf(folder *weights.Folder, file string) (*scheduler.Config, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("%s: cannot be read, expected a scheduler_config.json: %w", file, cause.Of(err))
		}
		c, err := scheduler.ParseConfig(file, b)
		if err != nil {
			return nil, err
		}
		return c, c.Check()
	}
	if !folder.Has(schedulerFile) {
		return nil, nil
	}
	b, err := folder.Read(schedulerFile)
	if err != nil {
		return nil, err
	}
	c, err := scheduler.ParseConfig(folder.Dir+"/"+schedulerFile, b)
	if err != nil {
		return nil, err
	}
	class, err := indexedClass(folder)
	if err != nil {
		return nil, err
	}
	if class != "" {
		c = c.OfClass(class)
	}
	return c.InPipeline(), c.Check()
}

// indexedClass is the class that a pipeline makes of the scheduler's file, by model_index.json; "" where there is no such file or it
// does not say.
func indexedClass(folder *weights.Folder) (string, error) {
	if !folder.Has(indexFile) {
		return "", nil
	}
	b, err := folder.Read(indexFile)
	if err != nil {
		return "", err
	}
	members, err := pyjson.Members(b)
	if err != nil {
		return "", fmt.Errorf("%s/%s: %w", folder.Dir, indexFile, cause.OfJSON(err))
	}
	var entry []*string // library and class
	if raw := members["scheduler"]; raw == nil || json.Unmarshal(raw, &entry) != nil || len(entry) != 2 || entry[1] == nil {
		return "", nil
	}
	return *entry[1], nil
}

// SamplerName is the name of a sampling's sampler with this model: what SamplerAuto stands for, or the name itself.
func (p *Pipeline) SamplerName(s Sampling) (string, error) {
	switch {
	case s.Sampler == "":
		return "ddim", nil
	case s.Sampler != SamplerAuto:
		return s.Sampler, nil
	case p.Scheduler == nil:
		return "", fmt.Errorf("sampler %s: the model has no %s, expected one, or the name of a sampler", SamplerAuto, schedulerFile)
	}
	return p.Scheduler.SamplerName()
}

// Sampler prepares a sampling's sampler with the settings of the model's folder. Its error says what cannot be.
func (p *Pipeline) Sampler(s Sampling) (scheduler.Sampler, error) {
	name, err := p.SamplerName(s)
	if err != nil {
		return nil, err
	}
	return scheduler.New(scheduler.Options{Name: name, Steps: s.steps(), Eta: s.Eta, Config: p.Scheduler})
}
