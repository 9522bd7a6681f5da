package scheduler

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactFMA32 rounds x·y + z once, by arithmetic of any precision.
func exactFMA32(x, y, z float32) float32 {
	exact := func(v float32) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(float64(v)) }
	product := exact(x)
	product.Mul(product, exact(y))
	sum, _ := product.Add(product, exact(z)).Float32()
	return sum
}

func TestFMA32RoundsOnce(t *testing.T) {
	check := func(x, y, z float32) {
		t.Helper()
		got, want := fma32(x, y, z), exactFMA32(x, y, z)
		if got != want {
			t.Fatalf("fma32(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
	}
	// The sum is a half unit of float32 and a bit that float64 cannot hold: rounding twice goes wrong.
	check(1, 1+0x1p-23, 0x1p-60)
	check(1+0x1p-12, 1+0x1p-12, 0x1p-70)
	check(1+0x1p-12, 1+0x1p-12, -0x1p-70)
	check(-(1 + 0x1p-12), 1+0x1p-12, 0x1p-70)
	check(0x1p-75, 0x1p-75, 0) // below the smallest float32
	check(0x1.8p-75, 0x1p-75, -0x1p-149)
	check(0x1p-80, 0x1.000002p-69, 0x1p-149)
	check(0x1p-100, 0x1p-100, 1+0x1p-23)
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		// Few bits and distant exponents make ties and near ties frequent.
		small := func() float32 {
			v := float32(math.Ldexp(float64(r.Uint32N(1<<13)|1), -int(r.Uint32N(40))))
			if r.Uint32()&1 == 0 {
				v = -v
			}
			return v
		}
		check(small(), small(), small())
		any := func() float32 {
			for {
				if v := math.Float32frombits(r.Uint32()); math.Abs(float64(v)) < 1e18 {
					return v
				}
			}
		}
		check(any(), any(), any())
	}
	inf := float32(math.Inf(1))
	if got := fma32(inf, 1, 1); got != inf {
		t.Errorf("∞·1 + 1 = %g", got)
	}
}

// The functions that copy another library's rounding are still those functions.
func TestRoundedFunctionsAreNear(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	worst := map[string]float64{}
	note := func(name string, got float32, want float64) {
		worst[name] = max(worst[name], math.Abs(float64(got)-want)/max(math.Abs(want), 0x1p-10))
	}
	for range 100_000 {
		u := 1 - float32(r.Uint32()&(1<<24-1))*0x1p-24
		note("log", cephesLog(u), math.Log(float64(u)))
		note("glibc log", glibcLog(u), math.Log(float64(u)))
		a := float32(2*math.Pi) * (float32(r.Uint32()&(1<<24-1)) * 0x1p-24)
		for name, f := range map[string]func(float32) (float32, float32){"": cephesSincos, "glibc ": glibcSincos} {
			sin, cos := f(a)
			note(name+"sin", sin, math.Sin(float64(a)))
			note(name+"cos", cos, math.Cos(float64(a)))
		}
	}
	for name, err := range worst {
		// One unit in the last place is 2^-23 at most; Cephes reduces the angle in three float32 parts.
		limit := 0x1p-23
		if name == "sin" || name == "cos" {
			limit = 0x1p-20
		}
		if err > limit {
			t.Errorf("%s: relative error %.3g", name, err)
		}
	}
}
