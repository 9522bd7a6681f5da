package weights

import (
	"fmt"
	"slices"
	"strings"
)

// UseEMA returns a view in which the parameters of the U-Net are their moving averages over training, which checkpoints
// made for further training hold beside them. Images are sampled with these; files made for sampling alone hold nothing
// else, under the common names. It is an error if the file has no average for every parameter. Ask the view for its
// Component. The average of model.diffusion_model.time_embed.0.weight is model_ema.diffusion_modeltime_embed0weight.
// Source: LitEma in ldm/modules/ema.py of https://github.com/CompVis/latent-diffusion.
func (s *Store) UseEMA() (*Store, error) {
	const model = "model." // what LitEma is given is this module
	v := s.emptyView()
	names := s.Names()
	if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, emaPrefix) && !isCounter(n) }) {
		return nil, &FormatError{s.file, "holds no moving averages: no tensor named " + emaPrefix + "…"}
	}
	of := map[string]string{}
	for _, name := range names {
		t := s.tensors[name]
		if strings.HasPrefix(name, emaPrefix) {
			continue
		}
		if tail, ok := strings.CutPrefix(name, model); ok && !t.aside {
			average := emaPrefix + strings.ReplaceAll(tail, ".", "")
			if other, dup := of[average]; dup {
				return nil, &FormatError{s.file, fmt.Sprintf("%s could be the moving average of %s and of %s", average, other, name)}
			}
			of[average] = name
			a, ok := s.tensors[average]
			if !ok {
				return nil, &FormatError{s.file, fmt.Sprintf("holds no moving average of %s: no tensor %s", name, average)}
			}
			if !slices.Equal(a.Shape, t.Shape) {
				return nil, &FormatError{s.file, fmt.Sprintf("%s has shape %v, its moving average %v", name, t.Shape, a.Shape)}
			}
			t = a
		}
		v.tensors[name] = t
	}
	if len(of) == 0 {
		const reason = "holds moving averages, but not the parameters that would tell their names: no tensor named "
		return nil, &FormatError{s.file, reason + compVisPrefix[UNet] + "…"}
	}
	return v, nil
}

// isCounter reports the two numbers that LitEma keeps for itself.
func isCounter(name string) bool {
	return name == emaPrefix+"decay" || name == emaPrefix+"num_updates"
}
