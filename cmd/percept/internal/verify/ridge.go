package verify

// ridgeCases are those of ridge regression, its scores, FDR and permutation tests.
func ridgeCases(s *set) []Case {
	const reason = "the comparison with package fmri/ridge is not written"
	var cases []Case
	for _, f := range []string{"ridge/info.json", "ridge/report.json", "ridge/ridge.safetensors"} {
		s.want(f)
	}
	for _, name := range []string{"scaler", "ridge", "ridge.per_target", "ridgecv", "kernelridgecv", "banded", "mkr", "scores", "fdr", "perm"} {
		cases = append(cases, later("ridge: "+name, reason))
	}
	return cases
}
