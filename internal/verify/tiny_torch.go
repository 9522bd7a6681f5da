package verify

import (
	"slices"
	"strings"

	"percept/weights/safetensors"
)

// torchTensor is what the manifest says of a tensor of a checkpoint.
type torchTensor struct {
	DType string  `json:"dtype"`
	Shape []int   `json:"shape"`
	Sum   float64 `json:"sum_f64"`
	// SHA256 is that of the elements as float32, little-endian, in C order.
	SHA256 string `json:"sha256_of_contiguous_f32_le"`
}

// torchDTypes are the names that safetensors has for the types of torch.
var torchDTypes = map[string]safetensors.DType{
	"float64": safetensors.F64, "float32": safetensors.F32, "float16": safetensors.F16, "bfloat16": safetensors.BF16,
	"int64": safetensors.I64, "int32": safetensors.I32, "uint8": safetensors.U8, "bool": safetensors.Bool,
}

// nanoTorchFile compares every tensor of a checkpoint with the manifest.
func nanoTorchFile(c *check, file string) {
	manifest := fromJSON[map[string]map[string]torchTensor](c, nanoManifest)
	want := manifest[file]
	c.that(len(want) > 0, "%s does not describe %s", nanoManifest, file)
	s := c.checkpoint(nanoFolder + "/" + file)
	c.that(s.Format() == "torch zip", "format %s, expected torch zip", s.Format())
	c.that(len(manifest) == len(nanoCheckpoints), "%s describes %d files, expected %d", nanoManifest, len(manifest), len(nanoCheckpoints))
	for _, name := range s.Names() {
		if _, ok := want[name]; !ok && !strings.HasPrefix(name, "optimizer_states.") && !strings.HasPrefix(name, "callbacks.") {
			c.problem("%s: unknown tensor %s", file, name)
		}
	}
	for name, w := range want {
		dtype, shape, ok := s.Info(name)
		if !ok {
			c.problem("%s: no tensor %s", file, name)
			continue
		}
		c.that(dtype == torchDTypes[w.DType] && slices.Equal(shape, w.Shape),
			"%s: %s %v, the reference has %s %v", name, dtype, shape, w.DType, w.Shape)
		c.that(sha256F32(must(s.Float32(name))) == w.SHA256, "%s: other values than the reference", name)
		total := 0.0
		for _, v := range must(s.Float64(name)) {
			total += v
		}
		c.that(total == w.Sum, "%s: the values add up to %v, the reference's to %v", name, total, w.Sum)
	}
	c.must(s.Verify(c.ctx))
}

// nanoOldTorchFile reads the format from before torch 1.6; its contents are those that the set's description names.
func nanoOldTorchFile(c *check) {
	s := c.checkpoint(nanoOldTorch)
	c.that(s.Format() == "torch legacy", "format %s, expected torch legacy", s.Format())
	c.that(slices.Equal(s.Names(), []string{"x", "y"}), "tensors %v, expected x and y", s.Names())
	c.bits("x", must(s.Float32("x", 2, 3)), []float32{0, 1, 2, 3, 4, 5})
	whole(c, "y", must(s.Int64("y", 2)), []int64{1, 2})
}
