package main

import "strconv"

const halfHeader = `
{ISA} kernels that widen 16-bit floats to float32, {LANES} at a time.

	for whole vectors: load {LANES} words, convert, store

Registers
	CX elements left   DI y   SI x
	{V}0 values

float16 is converted by VCVTPH2PS, which every processor with AVX2 has; bfloat16 is the upper half of a float32.
`

func (s *isa) half() {
	for _, bf := range []bool{false, true} {
		name := "widenf16_"
		if bf {
			name = "widenbf16_"
		}
		s.declare(name+s.name, "n int, y *float32, x *uint16", 24)
		s.args([]string{"n", "y", "x"}, []string{"CX", "DI", "SI"})
		s.line("\tPCALIGN $32")
		s.label("loop")
		if bf {
			s.op("VPMOVZXWD", "(SI)", s.v(0))
			s.op("VPSLLD", "$16", s.v(0), s.v(0))
		} else {
			s.op("VCVTPH2PS", "(SI)", s.v(0))
		}
		s.op("VMOVUPS", s.v(0), "(DI)")
		s.op("ADDQ", "$"+strconv.Itoa(s.bytes()/2), "SI")
		s.op("ADDQ", "$"+strconv.Itoa(s.bytes()), "DI")
		s.op("SUBQ", "$"+strconv.Itoa(s.lanes), "CX")
		s.op("JNZ", "loop")
		s.ret()
	}
}
