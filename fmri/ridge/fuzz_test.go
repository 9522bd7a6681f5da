package ridge

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Whatever the options, there is an error or a model of finite numbers, the same by both
// methods' checks.
func FuzzFitCV(f *testing.F) {
	f.Add(uint64(1), uint8(12), uint8(5), uint8(3), uint8(3), uint8(0), int64(0), 1.0, 100.0)
	f.Add(uint64(2), uint8(6), uint8(30), uint8(1), uint8(6), uint8(63), int64(1<<20), 1e-12, 1e12)
	f.Add(uint64(3), uint8(2), uint8(1), uint8(1), uint8(2), uint8(17), int64(-1), 1e-300, 1e300)
	f.Fuzz(func(t *testing.T, seed uint64, n, p, targets, folds, flags uint8, limit int64, low, high float64) {
		if n > 40 || p > 40 || targets > 8 || n == 0 || p == 0 || targets == 0 {
			return
		}
		r := rand.New(rand.NewPCG(seed, 9))
		x, y := gaussian(r, int(n), int(p)), gaussian(r, int(n), int(targets))
		for j := range int(p) { // constant and repeated features
			switch r.IntN(5) {
			case 0:
				for i := range int(n) {
					x.Row(i)[j] = 3
				}
			case 1:
				for i := range int(n) {
					x.Row(i)[j] = x.Row(i)[0]
				}
			}
		}
		o := Options{
			Alphas: []float64{low, high}, Folds: int(folds), Score: Score(flags % 3), Global: flags&4 != 0, NoIntercept: flags&8 != 0,
			NoStandardise: flags&16 != 0, StandardiseOnce: flags&32 != 0, Precision: Precision(flags % 4), Form: Form(flags >> 6),
			MaxMemory: limit,
		}
		fit := func() {
			m, err := FitCV(ctx, x, y, o)
			if err != nil {
				return
			}
			for i, v := range m.CVTable {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("score %d is %v: %+v", i, v, o)
				}
			}
			for i, v := range m.Coef.Data {
				if math.IsNaN(float64(v)) {
					t.Fatalf("coefficient %d is %v: %+v", i, v, o)
				}
			}
		}
		fit()
		withBand(fit)
	})
}

func FuzzFolds(f *testing.F) {
	f.Add(7, 3, []byte{})
	f.Add(6, 2, []byte{9, 4, 9, 7, 4, 7})
	f.Fuzz(func(t *testing.T, n, k int, labels []byte) {
		if n < 0 || n > 1000 || k > 1000 {
			return
		}
		var groups []int
		for _, l := range labels {
			groups = append(groups, int(l))
		}
		parts, err := Folds(n, k, groups)
		if err != nil {
			return
		}
		of := make(map[int]int)
		seen := 0
		for p, part := range parts {
			if len(part) == 0 {
				t.Fatalf("part %d is empty", p)
			}
			for i, s := range part {
				if i > 0 && s <= part[i-1] {
					t.Fatalf("part %d is not ascending", p)
				}
				seen++
				if groups == nil {
					continue
				}
				if q, ok := of[groups[s]]; ok && q != p {
					t.Fatalf("group %d is in parts %d and %d", groups[s], q, p)
				}
				of[groups[s]] = p
			}
		}
		if seen != n || len(parts) != k {
			t.Fatalf("%d samples in %d parts, want %d in %d", seen, len(parts), n, k)
		}
	})
}
