package main

import (
	"bytes"
	"fmt"
)

const doubleHeader = `
{ISA} kernels of linear algebra: the float64 matrix product, C (+)= A·B for 1 … {ROWS} rows and one or two vectors of
columns, and the step of a triangular solve, in float64 and float32.

	product                        as the float32 one
	for k                          two at a time, four in the largest kernels
	  load B[k]                    one or two vectors, packed
	  for rows                     unrolled
	    broadcast A[row][k], multiply and add

	triangular step                {ROWS} rows X, unrolled
	for i
	  X[i] *= T[i][i]
	  for r > i
	    X[r] += T[r][i]·X[i]

Registers
	{ACC}: sums, or X, row by row
	{B}: the row of B
	{A}: broadcast elements of A or T, in turn
	SI k left   BX B   CX C or X   DX bytes from row to row of C   R8 the same of A or T
	AX R10 R11 R12   rows 0, 3, 6, 9 of A or T: the others are at one and two strides from them
	DI add to C or replace it   R13 mask of the last vector, and other things before   R9 the table of masks

{MASK}
`

// element is a type of numbers and how its instructions end.
type element struct {
	name, letter, suffix string
	log                  int // of the bytes
}

var (
	single = element{"float32", "s", "S", 2}
	double = element{"float64", "d", "D", 3}
)

func (e element) bytes() int { return 1 << e.log }

// double writes every size of product kernel and the steps of the triangular solve.
func (s *isa) double() {
	for vecs := 2; vecs >= 1; vecs-- {
		for rows := s.rows; rows >= 1; rows-- {
			s.doubleProduct(rows, vecs)
		}
	}
	for _, e := range []element{single, double} {
		for vecs := 2; vecs >= 1; vecs-- {
			s.lower(e, vecs)
		}
	}
}

const doubleParams = "kc int, a *float64, lda int, b *float64, c *float64, ldc int, add, mask int"

func (s *isa) doubleName(rows, vecs int) string {
	return fmt.Sprintf("dgemm%dx%d_%s", rows, vecs, s.name)
}

// leftRows sets the registers that point at every third row of the left operand, the first of which is in AX.
func (s *isa) leftRows(rows int) []string {
	bases := []string{"AX", "R10", "R11", "R12"}[:(rows+2)/3]
	if len(bases) > 1 {
		s.op("LEAQ", "(R8)(R8*2)", "R13")
	}
	for i := 1; i < len(bases); i++ {
		s.op("LEAQ", "("+bases[i-1]+")(R13*1)", bases[i])
	}
	return bases
}

func (s *isa) doubleProduct(rows, vecs int) {
	s.declare(s.doubleName(rows, vecs), doubleParams, 64)
	for _, p := range [][2]string{{"kc+0", "SI"}, {"a+8", "AX"}, {"lda+16", "R8"}, {"b+24", "BX"}, {"c+32", "CX"},
		{"ldc+40", "DX"}, {"add+48", "DI"}} {
		s.op("MOVQ", p[0]+"(FP)", p[1])
	}
	s.op("SHLQ", "$3", "R8")
	s.op("SHLQ", "$3", "DX")
	bases := s.leftRows(rows)
	for i := range rows * vecs {
		s.zero(s.v(i))
	}
	s.prefetchC(rows, vecs)

	step := func(k int) {
		for j := range vecs { // B comes from the last cache, and a step is too short to wait for it
			s.op("PREFETCHT0", fmt.Sprintf("%d(BX)", 1024+(k*vecs+j)*s.bytes()))
		}
		for j := range vecs {
			s.load(s.mem("BX", k*vecs+j), s.v(s.bReg+j), false)
		}
		spare := s.registers - s.bReg - 2
		for i := range rows {
			a := s.v(s.bReg + 2 + i%spare)
			s.op("VBROADCASTSD", address(bases[i/3], 8*k, i%3), a)
			for j := range vecs {
				s.op("VFMADD231PD", s.v(s.bReg+j), a, s.v(i*vecs+j))
			}
		}
	}
	advance := func(n int) {
		s.op("ADDQ", fmt.Sprintf("$%d", n*vecs*s.bytes()), "BX")
		for _, b := range bases {
			s.op("ADDQ", fmt.Sprintf("$%d", 8*n), b)
		}
	}
	unroll := 2
	if rows == s.rows {
		unroll = 4
	}
	s.op("SUBQ", fmt.Sprintf("$%d", unroll), "SI")
	s.op("JLT", "rest")
	s.label("loop")
	for k := range unroll {
		step(k)
	}
	advance(unroll)
	s.op("SUBQ", fmt.Sprintf("$%d", unroll), "SI")
	s.op("JGE", "loop")
	s.label("rest")
	s.op("ADDQ", fmt.Sprintf("$%d", unroll), "SI")
	s.op("JLE", "finish")
	s.label("one")
	step(0)
	advance(1)
	s.op("DECQ", "SI")
	s.op("JNZ", "one")
	s.label("finish")
	s.finishDouble(rows, vecs)
}

// finishDouble adds the old C, if told to, and writes; the last vector of each row goes by the mask. AVX2 avoids its
// slow masked stores where that vector is full.
func (s *isa) finishDouble(rows, vecs int) {
	last := vecs - 1
	s.op("MOVQ", "mask+56(FP)", "R13")
	if s.wide() {
		s.op("KMOVW", "R13", "K1")
	} else {
		s.op("CMPQ", "R13", fmt.Sprintf("$%d", s.lanes/2))
		s.op("JEQ", "full")
		s.op("NEGQ", "R13")
		s.op("LEAQ", "·tailMasks+32(SB)", "R9")
		s.op("VMOVUPS", "(R9)(R13*8)", "Y14")
	}
	s.op("TESTQ", "DI", "DI")
	s.op("JZ", "write")
	s.op("MOVQ", "CX", "R13")
	for i := range rows {
		if last > 0 {
			s.op("VADDPD", "(R13)", s.v(i*vecs), s.v(i*vecs))
		}
		sum := s.v(i*vecs + last)
		if s.wide() {
			s.op("VADDPD", s.mem("R13", last), sum, "K1", sum)
		} else {
			s.op("VMASKMOVPD", s.mem("R13", last), "Y14", "Y15")
			s.op("VADDPD", "Y15", sum, sum)
		}
		s.op("ADDQ", "DX", "R13")
	}
	s.label("write")
	for i := range rows {
		if last > 0 {
			s.op("VMOVUPD", s.v(i*vecs), "(CX)")
		}
		if s.wide() {
			s.op("VMOVUPD", s.v(i*vecs+last), "K1", s.mem("CX", last))
		} else {
			s.op("VMASKMOVPD", s.v(i*vecs+last), "Y14", s.mem("CX", last))
		}
		s.op("ADDQ", "DX", "CX")
	}
	s.ret()
	if s.wide() {
		return
	}
	s.label("full")
	s.op("TESTQ", "DI", "DI")
	s.op("JZ", "writefull")
	s.op("MOVQ", "CX", "R13")
	for i := range rows {
		for j := range vecs {
			s.op("VADDPD", s.mem("R13", j), s.v(i*vecs+j), s.v(i*vecs+j))
		}
		s.op("ADDQ", "DX", "R13")
	}
	s.label("writefull")
	for i := range rows {
		for j := range vecs {
			s.op("VMOVUPD", s.v(i*vecs+j), s.mem("CX", j))
		}
		s.op("ADDQ", "DX", "CX")
	}
	s.ret()
}

// lower writes the step of a triangular solve for as many rows as the largest product has.
func (s *isa) lower(e element, vecs int) {
	s.declare(fmt.Sprintf("%slower%d_%s", e.letter, vecs, s.name), fmt.Sprintf("x, t *%s, ldt int", e.name), 24)
	s.op("MOVQ", "x+0(FP)", "CX")
	s.op("MOVQ", "t+8(FP)", "AX")
	s.op("MOVQ", "ldt+16(FP)", "R8")
	s.op("SHLQ", fmt.Sprintf("$%d", e.log), "R8")
	bases := s.leftRows(s.rows)
	for i := range s.rows * vecs {
		s.load(s.mem("CX", i), s.v(i), false)
	}
	spare := s.registers - s.bReg
	turn := 0
	coefficient := func(r, i int) string {
		t := s.v(s.bReg + turn%spare)
		turn++
		s.op("VBROADCASTS"+e.suffix, address(bases[r/3], e.bytes()*i, r%3), t)
		return t
	}
	for i := range s.rows {
		t := coefficient(i, i)
		for j := range vecs {
			x := s.v(i*vecs + j)
			s.op("VMULP"+e.suffix, t, x, x)
			s.store(x, s.mem("CX", i*vecs+j), false)
		}
		for r := i + 1; r < s.rows; r++ {
			t := coefficient(r, i)
			for j := range vecs {
				s.op("VFMADD231P"+e.suffix, s.v(i*vecs+j), t, s.v(r*vecs+j))
			}
		}
	}
	s.ret()
}

// dispatchDouble writes the Go function that calls the float64 kernel for a number of rows and vectors.
func (s *isa) dispatchDouble(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n// dgemm_%s calls the float64 product kernel for rows rows and vecs vectors of columns.\n", s.name)
	fmt.Fprintf(b, "func dgemm_%s(rows, vecs int, %s) {\n\tswitch 2*rows + vecs {\n", s.name, doubleParams)
	for rows := 1; rows <= s.rows; rows++ {
		for vecs := 1; vecs <= 2; vecs++ {
			fmt.Fprintf(b, "\tcase %d:\n\t\t%s(kc, a, lda, b, c, ldc, add, mask)\n", 2*rows+vecs, s.doubleName(rows, vecs))
		}
	}
	b.WriteString("\t}\n}\n")
}
