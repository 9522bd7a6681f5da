package ridge

import (
	"math/rand/v2"
	"testing"
)

// A quarter of a subject of NSD in each direction.
func BenchmarkFitCVLarge(b *testing.B) {
	r := rand.New(rand.NewPCG(12, 13))
	x, y := gaussian(r, 4400, 2500), gaussian(r, 4400, 3200)
	o := Options{Alphas: LogSpace(0, 6, 10), NoStandardise: true}
	for b.Loop() {
		if _, err := FitCV(ctx, x, y, o); err != nil {
			b.Fatal(err)
		}
	}
}
