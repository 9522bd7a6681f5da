package scheduler

import (
	"math"
	"slices"
	"testing"
)

// The known answers of Random123 (tests/kat_vectors: philox4x32 10).
func TestPhiloxKnownAnswers(t *testing.T) {
	const ones = math.MaxUint64
	for _, tt := range []struct {
		call, thread, key uint64
		want              [4]uint32
	}{
		{0, 0, 0, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{ones, ones, ones, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{0x85a308d3_243f6a88, 0x03707344_13198a2e, 0x299f31d0_a4093822, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(tt.call, tt.thread, tt.key); got != tt.want {
			t.Errorf("philox(%x, %x, %x) = %x, want %x", tt.call, tt.thread, tt.key, got, tt.want)
		}
	}
}

// Values that people's GPUs printed.
func TestTorchCUDAPublishedValues(t *testing.T) {
	near := func(what string, got, want []float32, tol float64) {
		t.Helper()
		for i, w := range want {
			if math.Abs(float64(got[i]-w)) > tol {
				t.Errorf("%s: value %d is %.6f, want %.4f", what, i, got[i], w)
			}
		}
	}
	x := make([]float32, 64)
	NewTorchCUDA(0, 0).Randn(x)
	near("seed 0, randn(8, 8)", x, []float32{
		-0.9247, -0.4253, -2.6438, 0.1452, -0.1209, -0.5797, -0.6229, -0.3284,
		-1.0745, -0.3631, -1.6711, 2.2655, 0.3117, -0.1842, 1.2866, 1.1820,
		-0.1271, 1.2169, 1.4353, 1.0605, -0.4941, -1.4244, -0.7244, -1.2973,
		0.0697, -0.0074, 1.8969, 0.6878, -0.0779, -0.8373, 1.3506, -0.2879,
		-0.5965, -0.3283, -0.9086, -0.8059, -0.7407, -0.0504, 0.5435, 1.5150,
		0.0141, 0.4532, 1.6349, 0.7124, -0.1806, 1.0252, -1.4622, -0.7554,
		-0.1836, 0.3824, 0.3918, -0.0830, 0.8971, -1.1123, 0.1116, 0.4863,
		-0.5499, -0.3231, -0.5469, 0.9049, 0.2837, 0.1210, 0.4730, -1.0823,
	}, 5.1e-5)
	// A published imitation in numpy prints eight decimals.
	near("seed 0", x, []float32{
		-0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564,
		-0.62285122, -0.32838709, -1.07454231, -0.36314407, -1.67105067, 2.26550497,
	}, 1e-6)
	NewTorchCUDA(42, 0).Randn(x)
	near("seed 42", x, []float32{
		0.1940, 2.1614, -0.1721, 0.8491, -1.9244, 0.6530, -0.6494, -0.8175, 0.5280, -1.2753,
		-1.6621, -0.3033, -0.0926, 0.1992, -1.1204, 1.8577, -0.7145, 0.6881, 0.7968,
	}, 5.1e-5)
	// Six calls of torch.randn(4, device="cuda"), seed 42.
	g := NewTorchCUDA(42, 0)
	for i, want := range [][]float32{
		{0.1940, 2.1614, -0.1721, 0.8491}, {0.1391, -0.1082, -0.7174, 0.7566}, {-0.5187, 1.2268, 0.6255, -0.9117},
		{-0.6974, -1.8688, -0.8832, -1.6627}, {-1.2682, -0.0383, -0.1029, 1.4400}, {1.4640, -0.3238, 0.7740, 1.5892},
	} {
		g.Randn(x[:4])
		near("call "+string(rune('1'+i)), x, want, 5.1e-5)
	}
}

// A GPU of few threads uses more of each group of four, and of later groups; a larger tensor's first values
// and the count of groups show it.
func TestTorchCUDAThreads(t *testing.T) {
	const threads = 512
	few, many := make([]float32, 5*threads), make([]float32, 5*threads)
	g := NewTorchCUDA(3, threads)
	g.Randn(few)
	NewTorchCUDA(3, 0).Randn(many)
	if !slices.Equal(few[:threads], many[:threads]) {
		t.Error("the first value of each thread depends on their number")
	}
	value := func(call, thread, i int) float32 {
		w := philox(uint64(call), uint64(thread), 3)
		sin, cos := boxMuller(w[i&^1], w[i|1])
		return []float32{sin, cos}[i&1]
	}
	for _, thread := range []int{0, 1, 77, threads - 1} {
		for i := range 5 {
			if got, want := few[thread+i*threads], value(i/4, thread, i%4); got != want {
				t.Errorf("thread %d, value %d: %g, want %g", thread, i, got, want)
			}
		}
	}
	next := make([]float32, 1)
	g.Randn(next)
	if want := value(2, 0, 0); next[0] != want {
		t.Errorf("after two groups: %g, want %g", next[0], want)
	}
	g.Randn(nil)
}
