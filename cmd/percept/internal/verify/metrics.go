package verify

// metricsCases are those of image scores, identification, preprocessing and feature networks.
func metricsCases(s *set) []Case {
	for _, f := range []string{
		"metrics/metrics.safetensors", "metrics/preprocess.safetensors", "metrics/report.json",
		"metrics/net_alexnet.json", "metrics/net_alexnet.safetensors", "metrics/net_clip.json", "metrics/net_clip.safetensors",
		"metrics/net_inception.json", "metrics/net_inception.safetensors",
	} {
		s.want(f)
	}
	return []Case{
		later("metrics: pixcorr, ssim, mse", "the comparison with package fmri/metrics is not written"),
		later("metrics: identification and retrieval", "the comparison with package fmri/metrics is not written"),
		later("metrics: preprocess", "Pillow's and torchvision's resize are not there"),
		later("metrics: net_alexnet", "the network is not there"),
		later("metrics: net_inception", "the network is not there"),
		later("metrics: net_clip", "the network is not there"),
	}
}
