package decode

import "math/rand/v2"

// Shuffled is an order of n rows of responses, for pairing brain responses and features at random: what a decoder learns from
// such pairs is what it can know without a brain. With one seed all regions move together.
func Shuffled(n int, seed uint64) []int { return rand.New(rand.NewPCG(seed, 0x5348_5546)).Perm(n) }
