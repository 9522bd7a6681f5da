package main

import "fmt"

const winogradHeader = `
{ISA} transforms of Winograd's convolutions F(2×2, 3×3) and F(4×4, 3×3), {LANES} channels at a time (winograd.go has the equations).

	for vectors of channels
	  for columns of the tile      transform along it, into the stack
	  for rows of the result       transform along it, store

Registers
	CX vectors left   SI input tile   DI output   R8, R9 steps from row to row and from pixel to pixel of an image
	DX step from one matrix to the next   BX bias   R10, R11 row or pixel in work   AX workspace on the stack, 64-byte aligned
	{V}0 … {V}8 values   {V}9 … {V}14 constants   {V}15 bias
`

// The rows of ·winogradConstants: the powers and products of the points ±p, ±q of F(4×4), set in winograd.go.
const (
	wPPQQ  = iota // p²q²
	wPPaQQ        // p²+q²
	wPP
	wQQ
	wP
	wQ
	wPPP
	wQQQ
)

// winograd writes the four transforms.
func (s *isa) winograd() {
	s.winogradIn(4)
	s.winogradIn(2)
	s.winogradOut(4)
	s.winogradOut(2)
}

// winogradConstants loads rows of ·winogradConstants into registers 9 and up.
func (s *isa) winogradConstants(rows ...int) map[int]string {
	at := map[int]string{}
	for i, r := range rows {
		at[r] = s.v(9 + i)
		s.op("VBROADCASTSS", fmt.Sprintf("·winogradConstants+%d(SB)", 4*r), at[r])
	}
	return at
}

// workspace sets AX to the aligned workspace on the stack.
func (s *isa) workspace() {
	s.op("LEAQ", "63(SP)", "AX")
	s.op("ANDQ", "$~63", "AX")
}

// winogradIn transforms tiles of f+2 rows and columns.
func (s *isa) winogradIn(f int) {
	n := f + 2
	s.declareFramed(fmt.Sprintf("winogradin%d_%s", f, s.name), "vecs int, x *float32, row, pix int, v *float32, step int", s.stack(), 48)
	s.args([]string{"vecs", "x", "row", "pix", "v", "step"}, []string{"CX", "SI", "R8", "R9", "DI", "DX"})
	for _, r := range []string{"R8", "R9", "DX"} {
		s.op("SHLQ", "$2", r)
	}
	s.workspace()
	var c map[int]string
	if f == 4 {
		c = s.winogradConstants(wPPQQ, wPPaQQ, wPP, wQQ, wP, wQ)
	}
	s.label("loop")
	s.op("MOVQ", "SI", "R11")
	for j := range n {
		s.op("MOVQ", "R11", "R10")
		for i := range n {
			s.load("(R10)", s.v(i), false)
			if i < n-1 {
				s.op("ADDQ", "R8", "R10")
			}
		}
		s.winogradB(f, c, func(i int, v string) { s.store(v, s.mem("AX", i*n+j), false) })
		if j < n-1 {
			s.op("ADDQ", "R9", "R11")
		}
	}
	s.op("MOVQ", "DI", "R10")
	for i := range n {
		for j := range n {
			s.load(s.mem("AX", i*n+j), s.v(j), false)
		}
		s.winogradB(f, c, func(j int, v string) {
			s.store(v, "(R10)", false)
			if i < n-1 || j < n-1 {
				s.op("ADDQ", "DX", "R10")
			}
		})
	}
	s.op("ADDQ", fmt.Sprintf("$%d", s.bytes()), "SI")
	s.op("ADDQ", fmt.Sprintf("$%d", s.bytes()), "DI")
	s.op("DECQ", "CX")
	s.op("JNZ", "loop")
	s.ret()
}

// winogradB computes Bᵀd of the column d in registers 0 … f+1 and hands over the elements in order, each in a register
// that is lost afterwards.
func (s *isa) winogradB(f int, c map[int]string, put func(i int, v string)) {
	v := s.v
	if f == 2 {
		s.op("VSUBPS", v(2), v(0), v(4))
		put(0, v(4))
		s.op("VADDPS", v(2), v(1), v(5))
		put(1, v(5))
		s.op("VSUBPS", v(1), v(2), v(6))
		put(2, v(6))
		s.op("VSUBPS", v(1), v(3), v(7))
		put(3, v(7))
		return
	}
	s.op("VMOVAPS", v(4), v(6))
	s.op("VFNMADD231PS", c[wPPaQQ], v(2), v(6))
	s.op("VFMADD231PS", c[wPPQQ], v(0), v(6))
	put(0, v(6)) // d4 - (p²+q²)d2 + p²q²d0
	s.op("VMOVAPS", v(4), v(6))
	s.op("VFNMADD231PS", c[wQQ], v(2), v(6)) // d4 - q²d2
	s.op("VMOVAPS", v(3), v(7))
	s.op("VFNMADD231PS", c[wQQ], v(1), v(7)) // d3 - q²d1
	s.op("VMOVAPS", v(6), v(8))
	s.op("VFMADD231PS", c[wP], v(7), v(8))
	put(1, v(8))
	s.op("VFNMADD231PS", c[wP], v(7), v(6))
	put(2, v(6))
	s.op("VFNMADD231PS", c[wPP], v(2), v(4)) // d4 - p²d2
	s.op("VMOVAPS", v(3), v(7))
	s.op("VFNMADD231PS", c[wPP], v(1), v(7)) // d3 - p²d1
	s.op("VMOVAPS", v(4), v(8))
	s.op("VFMADD231PS", c[wQ], v(7), v(8))
	put(3, v(8))
	s.op("VFNMADD231PS", c[wQ], v(7), v(4))
	put(4, v(4))
	s.op("VFNMADD231PS", c[wPPaQQ], v(3), v(5))
	s.op("VFMADD231PS", c[wPPQQ], v(1), v(5))
	put(5, v(5)) // d5 - (p²+q²)d3 + p²q²d1
}

// winogradOut transforms the products of a tile into f×f pixels and adds the bias.
func (s *isa) winogradOut(f int) {
	n := f + 2
	s.declareFramed(fmt.Sprintf("winogradout%d_%s", f, s.name), "vecs int, m *float32, step int, y *float32, row, pix int, bias *float32", s.stack(), 56)
	s.args([]string{"vecs", "m", "step", "y", "row", "pix", "bias"}, []string{"CX", "SI", "DX", "DI", "R8", "R9", "BX"})
	for _, r := range []string{"R8", "R9", "DX"} {
		s.op("SHLQ", "$2", r)
	}
	s.op("IMUL3Q", fmt.Sprintf("$%d", n), "DX", "R12") // from one row of matrices to the next
	s.workspace()
	var c map[int]string
	if f == 4 {
		c = s.winogradConstants(wP, wQ, wPP, wQQ, wPPP, wQQQ)
	}
	s.label("loop")
	s.zero(s.v(15))
	s.op("TESTQ", "BX", "BX")
	s.op("JZ", "nobias")
	s.load("(BX)", s.v(15), false)
	s.op("ADDQ", fmt.Sprintf("$%d", s.bytes()), "BX")
	s.label("nobias")
	s.op("MOVQ", "SI", "R11")
	for j := range n {
		s.op("MOVQ", "R11", "R10")
		for i := range n {
			s.load("(R10)", s.v(i), false)
			if i < n-1 {
				s.op("ADDQ", "R12", "R10")
			}
		}
		s.winogradA(f, c, func(i int, v string) { s.store(v, s.mem("AX", i*n+j), false) })
		if j < n-1 {
			s.op("ADDQ", "DX", "R11")
		}
	}
	s.op("MOVQ", "DI", "R11")
	for i := range f {
		for j := range n {
			s.load(s.mem("AX", i*n+j), s.v(j), false)
		}
		s.op("MOVQ", "R11", "R10")
		s.winogradA(f, c, func(j int, v string) {
			s.op("VADDPS", s.v(15), v, v)
			s.store(v, "(R10)", false)
			if j < f-1 {
				s.op("ADDQ", "R9", "R10")
			}
		})
		if i < f-1 {
			s.op("ADDQ", "R8", "R11")
		}
	}
	s.op("ADDQ", fmt.Sprintf("$%d", s.bytes()), "SI")
	s.op("ADDQ", fmt.Sprintf("$%d", s.bytes()), "DI")
	s.op("DECQ", "CX")
	s.op("JNZ", "loop")
	s.ret()
}

// winogradA computes Aᵀm of the column m in registers 0 … f+1 and hands over the elements in order, each in a register
// that is lost afterwards.
func (s *isa) winogradA(f int, c map[int]string, put func(i int, v string)) {
	v := s.v
	if f == 2 {
		s.op("VADDPS", v(1), v(0), v(4))
		s.op("VADDPS", v(2), v(4), v(4))
		put(0, v(4))
		s.op("VSUBPS", v(2), v(1), v(5))
		s.op("VADDPS", v(3), v(5), v(5))
		put(1, v(5))
		return
	}
	s.op("VADDPS", v(2), v(1), v(6)) // of ±p: sum, difference
	s.op("VSUBPS", v(2), v(1), v(7))
	s.op("VADDPS", v(4), v(3), v(8)) // of ±q
	s.op("VSUBPS", v(4), v(3), v(1))
	s.op("VADDPS", v(6), v(0), v(0))
	s.op("VADDPS", v(8), v(0), v(0))
	put(0, v(0))
	s.op("VMULPS", c[wP], v(7), v(2))
	s.op("VFMADD231PS", c[wQ], v(1), v(2))
	put(1, v(2))
	s.op("VMULPS", c[wPP], v(6), v(6))
	s.op("VFMADD231PS", c[wQQ], v(8), v(6))
	put(2, v(6))
	s.op("VFMADD231PS", c[wPPP], v(7), v(5))
	s.op("VFMADD231PS", c[wQQQ], v(1), v(5))
	put(3, v(5))
}

// stack is the workspace of a transform with room to align it.
func (s *isa) stack() int { return 36*s.bytes() + 64 + 8 }

// declareFramed is declare for a function with a frame on the stack.
func (s *isa) declareFramed(name, params string, stack, frame int) {
	s.declared = append(s.declared, name+"("+params+")")
	s.line("")
	s.line("// func " + name + "(" + params + ")")
	s.line(fmt.Sprintf("TEXT ·%s(SB), 0, $%d-%d", name, stack, frame))
}
