package verify

import "strings"

// nsdCases are those of a folder in the layout of the Natural Scenes Dataset.
func nsdCases(s *set) []Case {
	for _, f := range []string{"nsd/info.json", "nsd/expected.safetensors", "nsd/expected_captions_by_nsd_id_0based.json", "nsd/expected_surfaces.safetensors"} {
		s.want(f)
	}
	for _, f := range s.under("nsd") {
		if strings.HasPrefix(f, "nsd/nsd_root/nsddata") || strings.HasPrefix(f, "nsd/variants/") && strings.HasSuffix(f, ".mat") {
			s.has(f)
		}
	}
	const reading = "the comparison with package fmri/nsd is not written"
	return []Case{
		later("nsd: design, trials and shared images", reading),
		later("nsd: regions and voxels", reading),
		later("nsd: betas, averages, z-scores, noise ceilings", reading),
		later("nsd: images and captions", reading),
		later("nsd: variants of .mat files", reading),
		later("nsd: surfaces", "surfaces are not read yet"),
	}
}
