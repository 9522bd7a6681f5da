package main

const peakHeader = `
{ISA}: multiply-adds that wait for nothing but each other, to measure how many the processor can do.

	for every round: each of 12 vectors y = y·a + b

Registers
	CX rounds left   DI y
	{V}0 … {V}11 y   {V}12 a   {V}13 b

Twelve vectors are more than two units with a latency of four or five cycles can have under way.
`

// peakVectors is how many independent chains there are.
const peakVectors = 12

func (s *isa) peak() {
	v := s.v
	s.declare("peak_"+s.name, "n int, y *float32, a, b float32", 24)
	s.args([]string{"n", "y"}, []string{"CX", "DI"})
	s.op("VBROADCASTSS", "a+16(FP)", v(12))
	s.op("VBROADCASTSS", "b+20(FP)", v(13))
	for i := range peakVectors {
		s.load(s.mem("DI", i), v(i), false)
	}
	s.line("\tPCALIGN $32")
	s.label("loop")
	for i := range peakVectors {
		s.op("VFMADD213PS", v(13), v(12), v(i))
	}
	s.op("DECQ", "CX")
	s.op("JNZ", "loop")
	for i := range peakVectors {
		s.store(v(i), s.mem("DI", i), false)
	}
	s.ret()
}
