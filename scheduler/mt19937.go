package scheduler

// mt19937 is the Mersenne Twister of Matsumoto & Nishimura 1998 with the 32-bit seeding of 2002, as
// torch's generator on the processor uses it (at::mt19937).
type mt19937 struct {
	state [624]uint32
	next  int // the next word to give; 624 when they are used up
}

// newMT19937 seeds with the low 32 bits of seed: torch keeps all 64 but uses no more.
func newMT19937(seed uint64) mt19937 {
	m := mt19937{next: len(mt19937{}.state)}
	m.state[0] = uint32(seed)
	for i := 1; i < len(m.state); i++ {
		before := m.state[i-1]
		m.state[i] = 1812433253*(before^before>>30) + uint32(i)
	}
	return m
}

// uint32 gives the next word.
func (m *mt19937) uint32() uint32 {
	if m.next == len(m.state) {
		m.twist()
	}
	y := m.state[m.next]
	m.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

// uint64 gives the next two words, the first one above.
func (m *mt19937) uint64() uint64 {
	high := uint64(m.uint32())
	return high<<32 | uint64(m.uint32())
}

// twist replaces every word by the recurrence's next.
func (m *mt19937) twist() {
	const shift = 397
	n := len(m.state)
	for i := range n {
		after := m.state[(i+1)%n]
		y := m.state[i]&0x80000000 | after&0x7fffffff
		m.state[i] = m.state[(i+shift)%n] ^ y>>1 ^ -(after&1)&0x9908b0df
	}
	m.next = 0
}
