package main

import "fmt"

const vectorHeader = `
{ISA} elementwise kernels and reductions over float32 slices, {LANES} elements at a time.

	for whole vectors: load, compute, store
	the rest once more under a mask

Registers
	CX elements left   DI y   SI x   BX a, gate or second operand   DX b
	{V}0 … {V}6 values   {V}8 … {V}10 arguments and sums
	{MASKREG} the mask of the rest, R8 while it is made
	{CONST}

Constants are the rows of ·constants, set in vector_amd64.go.
`

// The rows of ·constants.
const (
	cLog2E = iota
	cLn2Hi
	cLn2Lo
	cExpMin
	cExpMax
	cP0   // … cP5
	cOne  = cP0 + 6
	cBias = cOne + 1 // int32 127
	cAbs  = cBias + 1
	cGELU = cAbs + 1 // p, -1/2, then 8 coefficients
)

// c is constant i as an operand.
func (s *isa) c(i int) string {
	if r, ok := s.table[fmt.Sprint(i)]; ok {
		return r
	}
	return fmt.Sprintf("·constants+%d(SB)", 32*i)
}

// hold loads constants into registers 16 and up, where there are any.
func (s *isa) hold(consts ...int) {
	s.table = map[string]string{}
	if !s.wide() {
		return
	}
	free := []int{16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 11, 12, 13, 14, 15, 7, 8}
	for n, i := range consts {
		r := s.v(free[n])
		s.op("VBROADCASTSS", fmt.Sprintf("·constants+%d(SB)", 32*i), r)
		s.table[fmt.Sprint(i)] = r
	}
}

var expConstants = []int{cLog2E, cLn2Hi, cLn2Lo, cExpMin, cExpMax, cP0, cP0 + 1, cP0 + 2, cP0 + 3, cP0 + 4, cP0 + 5, cOne}

// geluConstants are those of exp and of phi.
var geluConstants = append([]int{cAbs, cGELU, cGELU + 1, cGELU + 2, cGELU + 3, cGELU + 4, cGELU + 5, cGELU + 6, cGELU + 7,
	cGELU + 8, cGELU + 9}, expConstants...)

// exp replaces x by exp(x), as kernel.exp does; t1, t2, t3 are lost.
func (s *isa) exp(x, t1, t2, t3 string) {
	if s.wide() {
		s.op("VCMPPS", "$5", s.c(cExpMin), x, "K2") // not x < expMin
	} else {
		s.op("VCMPPS", "$5", s.c(cExpMin), x, t3)
	}
	// The second source wins where one is NaN: x has to be it.
	s.op("VMOVUPS", s.c(cExpMax), t1)
	s.op("VMINPS", x, t1, x)
	s.op("VMOVUPS", s.c(cExpMin), t1)
	s.op("VMAXPS", x, t1, x)
	s.op("VMULPS", s.c(cLog2E), x, t1)
	if s.wide() {
		s.op("VRNDSCALEPS", "$0", t1, t1)
	} else {
		s.op("VROUNDPS", "$0", t1, t1)
	}
	s.op("VFNMADD231PS", s.c(cLn2Hi), t1, x)
	s.op("VFNMADD231PS", s.c(cLn2Lo), t1, x)
	s.op("VMOVUPS", s.c(cP0), t2)
	for i := 1; i <= 5; i++ {
		s.op("VFMADD213PS", s.c(cP0+i), x, t2)
	}
	s.op("VFMADD213PS", s.c(cOne), x, t2) // 1 + r·P
	s.op("VFMADD213PS", s.c(cOne), t2, x) // 1 + r·(1 + r·P)
	if s.wide() {
		s.op("VSCALEFPS.Z", t1, x, "K2", x)
		return
	}
	s.op("VCVTPS2DQ", t1, t1)
	s.op("VPADDD", s.c(cBias), t1, t1)
	s.op("VPSLLD", "$23", t1, t1)
	s.op("VMULPS", t1, x, x)
	s.op("VANDPS", t3, x, x)
}

// phi computes g·Φ(g) = max(g, 0) - |g|·Q(|g|) from g into y; t1 … t5 are lost. Q(x) = exp(-x²/2)·t·P(t),
// t = 1/(1 + p·x).
func (s *isa) phi(g, y, t1, t2, t3, t4, t5 string) {
	s.op("VMOVUPS", s.c(cAbs), t4)
	if s.wide() {
		s.op("VPANDD", t4, g, t4) // |g|
	} else {
		s.op("VANDPS", t4, g, t4)
	}
	s.op("VMULPS", s.c(cGELU+1), t4, y)
	s.op("VMULPS", t4, y, y) // -g²/2
	s.exp(y, t1, t2, t3)
	s.op("VMOVUPS", s.c(cOne), t1)
	s.op("VMOVUPS", t4, t2)
	s.op("VFMADD213PS", t1, s.reload(cGELU, t3), t2) // 1 + p·|g|
	s.op("VDIVPS", t2, t1, t2)                       // t
	s.op("VMOVUPS", s.c(cGELU+2), t5)
	for i := 1; i < 8; i++ {
		s.op("VFMADD213PS", s.c(cGELU+2+i), t2, t5)
	}
	s.op("VMULPS", t2, t5, t5)
	s.op("VMULPS", t5, y, y) // Q
	s.zero(t1)
	s.op("VMAXPS", g, t1, t1)
	s.op("VFNMADD213PS", t1, t4, y)
}

// reload returns constant i in a register, which is t unless it is held already.
func (s *isa) reload(i int, t string) string {
	c := s.c(i)
	if c[0] != s.reg[0] {
		s.op("VMOVUPS", c, t)
		return t
	}
	return c
}

// loop runs body over whole vectors, then once with masked set for the rest. Pointers advance by a vector each time.
func (s *isa) loop(pointers []string, body func(masked bool)) {
	s.op("SUBQ", fmt.Sprintf("$%d", s.lanes), "CX")
	s.op("JLT", "rest")
	s.line("\tPCALIGN $32")
	s.label("loop")
	body(false)
	for _, p := range pointers {
		s.op("ADDQ", fmt.Sprintf("$%d", s.bytes()), p)
	}
	s.op("SUBQ", fmt.Sprintf("$%d", s.lanes), "CX")
	s.op("JGE", "loop")
	s.label("rest")
	s.op("ADDQ", fmt.Sprintf("$%d", s.lanes), "CX")
	s.op("JZ", "done")
	s.tailMask()
	body(true)
	s.label("done")
}

// args loads pointer and length arguments, eight bytes each.
func (s *isa) args(names, registers []string) {
	for i, n := range names {
		s.op("MOVQ", fmt.Sprintf("%s+%d(FP)", n, 8*i), registers[i])
	}
}

func (s *isa) vector() {
	v := s.v

	s.declare("add_"+s.name, "n int, y, a, b *float32", 32)
	s.args([]string{"n", "y", "a", "b"}, []string{"CX", "DI", "SI", "BX"})
	s.loop([]string{"DI", "SI", "BX"}, func(m bool) {
		s.load("(SI)", v(0), m)
		s.load("(BX)", v(1), m)
		s.op("VADDPS", v(1), v(0), v(0))
		s.store(v(0), "(DI)", m)
	})
	s.ret()

	s.declare("scale_"+s.name, "n int, x *float32, s float32", 20)
	s.args([]string{"n", "x"}, []string{"CX", "DI"})
	s.op("VBROADCASTSS", "s+16(FP)", v(8))
	s.loop([]string{"DI"}, func(m bool) {
		s.load("(DI)", v(0), m)
		s.op("VMULPS", v(8), v(0), v(0))
		s.store(v(0), "(DI)", m)
	})
	s.ret()

	s.declare("affine_"+s.name, "n int, y, x, a, b *float32", 40)
	s.args([]string{"n", "y", "x", "a", "b"}, []string{"CX", "DI", "SI", "BX", "DX"})
	s.loop([]string{"DI", "SI", "BX", "DX"}, func(m bool) {
		s.load("(SI)", v(0), m)
		s.load("(BX)", v(1), m)
		s.load("(DX)", v(2), m)
		s.op("VFMADD213PS", v(2), v(1), v(0))
		s.store(v(0), "(DI)", m)
	})
	s.ret()

	s.declare("norm_"+s.name, "n int, y, x, a, b *float32, mean, rstd float32", 48)
	s.args([]string{"n", "y", "x", "a", "b"}, []string{"CX", "DI", "SI", "BX", "DX"})
	s.op("VBROADCASTSS", "mean+40(FP)", v(8))
	s.op("VBROADCASTSS", "rstd+44(FP)", v(9))
	s.loop([]string{"DI", "SI", "BX", "DX"}, func(m bool) {
		s.load("(SI)", v(0), m)
		s.load("(BX)", v(1), m)
		s.load("(DX)", v(2), m)
		s.op("VSUBPS", v(8), v(0), v(0))
		s.op("VMULPS", v(9), v(0), v(0))
		s.op("VFMADD213PS", v(2), v(1), v(0))
		s.store(v(0), "(DI)", m)
	})
	s.ret()

	s.declare("sigmul_"+s.name, "n int, y, x *float32, s float32", 28)
	s.args([]string{"n", "y", "x"}, []string{"CX", "DI", "SI"})
	s.hold(expConstants...)
	s.op("VBROADCASTSS", "s+24(FP)", v(8))
	s.zero(v(9))
	s.op("VSUBPS", v(8), v(9), v(8)) // -s
	s.loop([]string{"DI", "SI"}, func(m bool) {
		s.load("(SI)", v(0), m)
		s.op("VMULPS", v(8), v(0), v(1))
		s.exp(v(1), v(2), v(3), v(4))
		s.op("VADDPS", s.c(cOne), v(1), v(1))
		s.op("VDIVPS", v(1), v(0), v(0))
		s.store(v(0), "(DI)", m)
	})
	s.ret()

	s.declare("affinesilu_"+s.name, "n int, y, x, a, b *float32", 40)
	s.args([]string{"n", "y", "x", "a", "b"}, []string{"CX", "DI", "SI", "BX", "DX"})
	s.hold(expConstants...)
	s.loop([]string{"DI", "SI", "BX", "DX"}, func(m bool) {
		s.load("(SI)", v(0), m)
		s.load("(BX)", v(1), m)
		s.load("(DX)", v(2), m)
		s.op("VFMADD213PS", v(2), v(1), v(0))
		s.zero(v(1))
		s.op("VSUBPS", v(0), v(1), v(1))
		s.exp(v(1), v(2), v(3), v(4))
		s.op("VADDPS", s.c(cOne), v(1), v(1))
		s.op("VDIVPS", v(1), v(0), v(0))
		s.store(v(0), "(DI)", m)
	})
	s.ret()

	for _, mul := range []bool{false, true} {
		name, params, frame := "gelu_", "n int, y, gate *float32", 24
		args, regs := []string{"n", "y", "gate"}, []string{"CX", "DI", "BX"}
		if mul {
			name, params, frame = "mulgelu_", "n int, y, gate, x *float32", 32
			args, regs = append(args, "x"), append(regs, "SI")
		}
		s.declare(name+s.name, params, frame)
		s.args(args, regs)
		s.hold(geluConstants...)
		s.loop(regs[1:], func(m bool) {
			s.load("(BX)", v(0), m)
			s.phi(v(0), v(1), v(2), v(3), v(4), v(5), v(6))
			if mul {
				s.load("(SI)", v(0), m)
				s.op("VMULPS", v(0), v(1), v(1))
			}
			s.store(v(1), "(DI)", m)
		})
		s.ret()
	}

	s.declare("expsum_"+s.name, "n int, x *float32, scale, shift float32, sum *float32", 32)
	s.args([]string{"n", "x"}, []string{"CX", "DI"})
	s.hold(expConstants...)
	s.op("VBROADCASTSS", "scale+16(FP)", v(8))
	s.op("VBROADCASTSS", "shift+20(FP)", v(9))
	s.zero(v(10))
	s.loop([]string{"DI"}, func(m bool) {
		s.load("(DI)", v(0), m)
		s.op("VSUBPS", v(9), v(0), v(0))
		s.op("VMULPS", v(8), v(0), v(0))
		s.exp(v(0), v(1), v(2), v(3))
		s.store(v(0), "(DI)", m)
		switch {
		case !m:
			s.op("VADDPS", v(0), v(10), v(10))
		case s.wide():
			s.op("VADDPS", v(0), v(10), "K1", v(10))
		default:
			s.op("VANDPS", v(15), v(0), v(0))
			s.op("VADDPS", v(0), v(10), v(10))
		}
	})
	s.op("MOVQ", "sum+24(FP)", "DI")
	s.fold("VADDPS", "VADDSS", 10)
	s.op("VMOVSS", "X10", "(DI)")
	s.ret()

	s.declare("max_"+s.name, "n int, x *float32, max *float32", 24)
	s.args([]string{"n", "x"}, []string{"CX", "SI"})
	s.op("VBROADCASTSS", "(SI)", v(10))
	s.op("VMOVUPS", v(10), v(9))
	s.loop([]string{"SI"}, func(m bool) {
		s.load("(SI)", v(0), m)
		switch {
		case !m:
			s.op("VMAXPS", v(0), v(10), v(10))
		case s.wide():
			s.op("VMAXPS", v(0), v(10), "K1", v(10))
		default:
			s.op("VBLENDVPS", v(15), v(0), v(9), v(0)) // the first element in place of the missing ones
			s.op("VMAXPS", v(0), v(10), v(10))
		}
	})
	s.op("MOVQ", "max+16(FP)", "DI")
	s.fold("VMAXPS", "VMAXSS", 10)
	s.op("VMOVSS", "X10", "(DI)")
	s.ret()

	s.moments(s.momentVecs)
	s.moments(1)
	s.sums()
}

// fold reduces register r to its lowest lane; registers 0 and 1 are lost.
func (s *isa) fold(packed, scalar string, r int) {
	if s.wide() {
		s.op("VEXTRACTF64X4", "$1", fmt.Sprintf("Z%d", r), "Y0")
		s.op(packed, "Y0", fmt.Sprintf("Y%d", r), fmt.Sprintf("Y%d", r))
	}
	x := fmt.Sprintf("X%d", r)
	s.op("VEXTRACTF128", "$1", fmt.Sprintf("Y%d", r), "X0")
	s.op(packed, "X0", x, x)
	s.op("VPERMILPS", "$0x4e", x, "X0")
	s.op(packed, "X0", x, x)
	s.op("VPERMILPS", "$0xb1", x, "X0")
	s.op(scalar, "X0", x, x)
}

// moments adds the sums and sums of squares of some vectors of columns, in float64: register i of the first halves holds
// elements, the next as many sums, then squares.
func (s *isa) moments(vecs int) {
	v, halves := s.v, 2*vecs
	s.declare(fmt.Sprintf("moments%d_%s", vecs, s.name), "rows int, sum, square *float64, x *float32, c int", 40)
	s.args([]string{"rows", "sum", "square", "x", "c"}, []string{"CX", "DI", "BX", "SI", "DX"})
	s.op("SHLQ", "$2", "DX")
	for i := range halves {
		s.op("VMOVUPD", s.mem("DI", i), v(halves+i))
		s.op("VMOVUPD", s.mem("BX", i), v(2*halves+i))
	}
	s.label("loop")
	for i := range halves {
		s.op("VCVTPS2PD", displaced("SI", i*s.bytes()/2), v(i))
	}
	for i := range halves {
		s.op("VADDPD", v(i), v(halves+i), v(halves+i))
		s.op("VFMADD231PD", v(i), v(i), v(2*halves+i))
	}
	s.op("ADDQ", "DX", "SI")
	s.op("DECQ", "CX")
	s.op("JNZ", "loop")
	for i := range halves {
		s.op("VMOVUPD", v(halves+i), s.mem("DI", i))
		s.op("VMOVUPD", v(2*halves+i), s.mem("BX", i))
	}
	s.ret()
}

// sums adds up a row and its squares, two vectors at a time, in float64.
func (s *isa) sums() {
	v, h := s.v, s.bytes()/2
	s.declare("sums_"+s.name, "n int, x *float32, lanes *float64", 24)
	s.args([]string{"n", "x", "lanes"}, []string{"CX", "SI", "DI"})
	for i := range 8 {
		s.zero(v(4 + i))
	}
	s.label("loop")
	for i := range 4 {
		s.op("VCVTPS2PD", fmt.Sprintf("%d(SI)", i*h), v(i))
		s.op("VADDPD", v(i), v(4+i), v(4+i))
		s.op("VFMADD231PD", v(i), v(i), v(8+i))
	}
	s.op("ADDQ", fmt.Sprintf("$%d", 2*s.bytes()), "SI")
	s.op("SUBQ", fmt.Sprintf("$%d", 2*s.lanes), "CX")
	s.op("JNZ", "loop")
	for _, r := range []int{4, 8} {
		s.op("VADDPD", v(r+1), v(r), v(r))
		s.op("VADDPD", v(r+3), v(r+2), v(r+2))
		s.op("VADDPD", v(r+2), v(r), v(r))
	}
	s.op("VMOVUPD", v(4), "(DI)")
	s.op("VMOVUPD", v(8), s.mem("DI", 1))
	s.ret()
}
