package main

import "fmt"

const attentionHeader = `
{ISA} kernels of attention: the softmax of a panel of scores, and what belongs to it.

A panel has one query in each lane: one or two vectors of {LANES}. A row holds the scores of one key, so that maxima and sums
over keys are sums and maxima of vectors, and nothing is ever added across lanes.

softmax: for keys, the largest score; then for keys, the exponential and its sum

Registers
	CX keys   SI scores   BX maxima, sums and factors   DX where to say that a maximum grew   R8, R9 keys left and their scores
	{V}0 … {V}5 values   {V}6, {V}7 maxima   {V}8, {V}9 sums   {V}10 the scale   {SOFTMAXCONST}

Constants are the rows of ·exp2Constants, set in attention_amd64.go.
{TRANSPOSE}
`

const transposeHeader = `
rows8, columns8: for 8×8 tiles of 8 rows of x or of y

Registers
	CX tiles left   DI y   R8 bytes from row to row of it   SI x   R9 bytes from row to row of it
	R10, R11 the fifth rows   R12, R13 three times R8 and R9   AX, BX the first and fifth row to prefetch
	Y0 … Y15 the tile
`

// The rows of ·exp2Constants.
const (
	eMagic = iota // 1.5·2²³ + 127
	eLeast
	eP0      // … eP0+5, the last of which is 1
	exp2Rows = eP0 + 6
)

// e is a row of ·exp2Constants as an operand: a register from the twelfth on, as far as there are any.
func (s *isa) e(row int) string {
	if r := 11 + row; r < s.registers {
		return s.v(r)
	}
	return fmt.Sprintf("·exp2Constants+%d(SB)", 32*row)
}

// exp2 computes p[i] = 2^x[i] as kernel.exp2 does, step by step for all i, so that one waits less for the other; x and z
// are lost.
func (s *isa) exp2(x, z, p []string) {
	step := func(f func(x, z, p string)) {
		for i := range x {
			f(x[i], z[i], p[i])
		}
	}
	step(func(x, z, p string) { s.op("VMAXPS", x, s.e(eLeast), x) }) // NaN stays: the last source wins
	step(func(x, z, p string) { s.op("VADDPS", s.e(eMagic), x, z) })
	step(func(x, z, p string) { s.op("VSUBPS", s.e(eMagic), z, p) })
	step(func(x, z, p string) { s.op("VSUBPS", p, x, x) })
	step(func(x, z, p string) { s.op("VMOVUPS", s.e(eP0), p) })
	for i := 1; i < 6; i++ {
		step(func(x, z, p string) { s.op("VFMADD213PS", s.e(eP0+i), x, p) })
	}
	step(func(x, z, p string) { s.op("VPSLLD", "$23", z, z) })
	step(func(x, z, p string) { s.op("VMULPS", z, p, p) })
}

// softmax writes the kernel for panels of vecs vectors.
func (s *isa) softmax(vecs int) {
	v := s.v
	top := func(j int) string { return v(6 + j) }
	sum := func(j int) string { return v(8 + j) }
	state := func(row, j int) string { return s.mem("BX", row*vecs+j) }

	s.declare(fmt.Sprintf("softmax%d_%s", vecs, s.name), "n int, x *float32, scale float32, state *float32, moved *int", 40)
	s.op("MOVQ", "n+0(FP)", "CX")
	s.op("MOVQ", "x+8(FP)", "SI")
	s.op("VBROADCASTSS", "scale+16(FP)", v(10))
	s.op("MOVQ", "state+24(FP)", "BX")
	s.op("MOVQ", "moved+32(FP)", "DX")
	for row := range exp2Rows {
		switch r := s.e(row); {
		case r[0] != s.reg[0]:
		case s.wide():
			s.op("VBROADCASTSS", fmt.Sprintf("·exp2Constants+%d(SB)", 32*row), r)
		default:
			s.op("VMOVUPS", fmt.Sprintf("·exp2Constants+%d(SB)", 32*row), r)
		}
	}

	for j := range vecs {
		s.op("VMOVUPS", state(0, j), top(j))
	}
	s.op("MOVQ", "CX", "R8")
	s.op("MOVQ", "SI", "R9")
	s.line("\tPCALIGN $32")
	s.label("largest")
	for j := range vecs {
		s.op("VMAXPS", s.mem("R9", j), top(j), top(j))
	}
	s.op("ADDQ", fmt.Sprintf("$%d", vecs*s.bytes()), "R9")
	s.op("DECQ", "R8")
	s.op("JNZ", "largest")

	// The factor for what was summed with the old maximum; where that stays, it is 1.
	s.op("XORL", "R8", "R8")
	for j := range vecs {
		s.op("VMOVUPS", state(0, j), v(0))
		s.op("VMOVUPS", top(j), state(0, j))
		if s.wide() {
			s.op("VCMPPS", "$4", top(j), v(0), "K1")
			s.op("KMOVW", "K1", "R9")
		} else {
			s.op("VCMPPS", "$4", top(j), v(0), v(1))
			s.op("VMOVMSKPS", v(1), "R9")
		}
		s.op("ORL", "R9", "R8")
		s.op("VMULPS", v(10), v(0), v(0))
		s.op("VMULPS", v(10), top(j), top(j))
		s.op("VSUBPS", top(j), v(0), v(0))
		s.exp2([]string{v(0)}, []string{v(1)}, []string{v(2)})
		s.op("VMOVUPS", v(2), state(2, j))
		s.zero(sum(j))
	}
	s.op("MOVQ", "R8", "(DX)")

	s.line("\tPCALIGN $32")
	s.label("exponentials")
	var x, z, p []string
	for j := range vecs {
		x, z, p = append(x, v(3*j)), append(z, v(3*j+1)), append(p, v(3*j+2))
		s.op("VMOVUPS", s.mem("SI", j), x[j])
		s.op("VFMSUB213PS", top(j), v(10), x[j])
	}
	s.exp2(x, z, p)
	for j := range vecs {
		s.op("VADDPS", p[j], sum(j), sum(j))
		s.op("VMOVUPS", p[j], s.mem("SI", j))
	}
	s.op("ADDQ", fmt.Sprintf("$%d", vecs*s.bytes()), "SI")
	s.op("DECQ", "CX")
	s.op("JNZ", "exponentials")

	for j := range vecs {
		s.op("VMOVUPS", state(2, j), v(0))
		s.op("VFMADD132PS", state(1, j), sum(j), v(0))
		s.op("VMOVUPS", v(0), state(1, j))
	}
	s.ret()
}

// scaleColumns multiplies every row of a panel by one row.
func (s *isa) scaleColumns(vecs int) {
	v := s.v
	s.declare(fmt.Sprintf("scalecolumns%d_%s", vecs, s.name), "n int, x, by *float32", 24)
	s.args([]string{"n", "x", "by"}, []string{"CX", "SI", "BX"})
	for j := range vecs {
		s.op("VMOVUPS", s.mem("BX", j), v(8+j))
	}
	s.label("loop")
	for j := range vecs {
		s.op("VMULPS", s.mem("SI", j), v(8+j), v(j))
		s.op("VMOVUPS", v(j), s.mem("SI", j))
	}
	s.op("ADDQ", fmt.Sprintf("$%d", vecs*s.bytes()), "SI")
	s.op("DECQ", "CX")
	s.op("JNZ", "loop")
	s.ret()
}

// transpose writes the kernel that turns 8 rows of x into columns of y, 8 at a time, or the one that turns 8 columns of x
// into rows of y. Either walks along rows of the tensor that is large and far, and asks for the 8 rows after them.
func (s *isa) transpose(name string, fromRows bool) {
	y := func(i int) string { return fmt.Sprintf("Y%d", i) }
	s.declare(name, "tiles int, y *float32, ldy int, x *float32, ldx int", 40)
	s.args([]string{"tiles", "y", "ldy", "x", "ldx"}, []string{"CX", "DI", "R8", "SI", "R9"})
	s.op("SHLQ", "$2", "R8")
	s.op("SHLQ", "$2", "R9")
	s.op("LEAQ", "(R8)(R8*2)", "R12")
	s.op("LEAQ", "(R9)(R9*2)", "R13")
	// rows returns 8 rows, the fifth of which is in another register.
	rows := func(first, fifth, ld, triple string) []string {
		s.op("LEAQ", "("+first+")("+ld+"*4)", fifth)
		var at []string
		for _, p := range []string{first, fifth} {
			at = append(at, "("+p+")", "("+p+")("+ld+"*1)", "("+p+")("+ld+"*2)", "("+p+")("+triple+"*1)")
		}
		return at
	}
	s.label("loop")
	from, to := rows("SI", "R10", "R9", "R13"), rows("DI", "R11", "R8", "R12")
	base, ld, triple := "SI", "R9", "R13"
	if !fromRows {
		base, ld, triple = "DI", "R8", "R12"
	}
	s.op("LEAQ", "("+base+")("+ld+"*8)", "AX")
	for _, at := range rows("AX", "BX", ld, triple) {
		s.op("PREFETCHT0", at)
	}
	// Lanes 0 … 3 of a register are from row i, lanes 4 … 7 from row i+4, first of columns 0 … 3, then of 4 … 7.
	for half := range 2 {
		for i := range 4 {
			low, high := from[i], from[i+4]
			if half == 1 {
				low, high = "16"+low, "16"+high
			}
			s.op("VMOVUPS", low, fmt.Sprintf("X%d", 4*half+i))
			s.op("VINSERTF128", "$1", high, y(4*half+i), y(4*half+i))
		}
	}
	for half := range 2 {
		a := 4 * half
		s.op("VUNPCKLPS", y(a+1), y(a), y(8))
		s.op("VUNPCKHPS", y(a+1), y(a), y(9))
		s.op("VUNPCKLPS", y(a+3), y(a+2), y(10))
		s.op("VUNPCKHPS", y(a+3), y(a+2), y(11))
		for i := range 2 {
			s.op("VUNPCKLPD", y(10+i), y(8+i), y(12+2*i))
			s.op("VUNPCKHPD", y(10+i), y(8+i), y(13+2*i))
		}
		for i := range 4 {
			s.op("VMOVUPS", y(12+i), to[a+i])
		}
	}
	if fromRows {
		s.op("ADDQ", "$32", "SI")
		s.op("LEAQ", "(DI)(R8*8)", "DI")
	} else {
		s.op("LEAQ", "(SI)(R9*8)", "SI")
		s.op("ADDQ", "$32", "DI")
	}
	s.op("DECQ", "CX")
	s.op("JNZ", "loop")
	s.ret()
}

func (s *isa) attention() {
	for vecs := 2; vecs >= 1; vecs-- {
		s.softmax(vecs)
		s.scaleColumns(vecs)
	}
	if !s.wide() {
		s.transpose("rows8_avx2", true) // its registers of 8 lanes are as good for AVX-512
		s.transpose("columns8_avx2", false)
	}
}
