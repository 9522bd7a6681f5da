package sim

import "math/rand/v2"

// What a random stream is for. A stream is named by its purpose and a few numbers, never by
// how much was drawn before, so that parts can be made in any order and in parallel.
const (
	forDesign uint64 = iota + 1
	forBrain
	forSession
	forNoise
	forShared
	forCaptions
	forBehaviour
	forCOCO
)

// stream returns the random source of a purpose. PCG, seeded by SplitMix64 over the words
// (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195).
func stream(seed uint64, words ...uint64) *rand.Rand {
	a, b := seed, ^seed
	for _, w := range words {
		a = splitmix(a ^ w)
		b = splitmix(b + w)
	}
	return rand.New(rand.NewPCG(a, b))
}

func splitmix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
