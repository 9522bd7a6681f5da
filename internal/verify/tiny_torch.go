package verify

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	"percept/weights"
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
func nanoTorchFile(ctx context.Context, c *check, file string) {
	var manifest map[string]map[string]torchTensor
	c.json(nanoManifest, &manifest)
	want := manifest[file]
	c.that(len(want) > 0, "%s does not describe %s", nanoManifest, file)
	s, err := weights.Open(c.set.path(nanoFolder + "/" + file))
	c.must(err)
	defer s.Close()
	c.that(s.Format() == "torch zip", "format %s, want torch zip", s.Format())
	c.that(len(manifest) == len(nanoCheckpoints), "%s describes %d files, want %d", nanoManifest, len(manifest), len(nanoCheckpoints))
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
		c.that(dtype == torchDTypes[w.DType] && slices.Equal(shape, w.Shape), "%s: %s %v, the reference has %s %v", name, dtype, shape, w.DType, w.Shape)
		x, err := s.Float32(name)
		c.must(err)
		raw := make([]byte, 0, 4*len(x))
		for _, v := range x {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		sum := sha256.Sum256(raw)
		c.that(hex.EncodeToString(sum[:]) == w.SHA256, "%s: other values than the reference", name)
		wide, err := s.Float64(name)
		c.must(err)
		total := 0.0
		for _, v := range wide {
			total += v
		}
		c.that(total == w.Sum, "%s: the values add up to %v, the reference's to %v", name, total, w.Sum)
	}
	c.must(s.Verify(ctx))
}

// nanoOldTorchFile reads the format from before torch 1.6; its contents are those that the set's description names.
func nanoOldTorchFile(_ context.Context, c *check) {
	s, err := weights.Open(c.set.path(nanoOldTorch))
	c.must(err)
	defer s.Close()
	c.that(s.Format() == "torch legacy", "format %s, want torch legacy", s.Format())
	c.that(slices.Equal(s.Names(), []string{"x", "y"}), "tensors %v, want x and y", s.Names())
	x, err := s.Float32("x", 2, 3)
	c.must(err)
	c.bits("x", x, []float32{0, 1, 2, 3, 4, 5})
	y, err := s.Int64("y", 2)
	c.must(err)
	c.that(slices.Equal(y, []int64{1, 2}), "y is %v, want [1 2]", y)
}
