package main

import (
	"bytes"
	"fmt"
)

const gemmHeader = `
{ISA} kernels of the float32 matrix product, C (+)= A·B for 1 … {ROWS} rows and one or two vectors of {LANES} columns.

	for runs of A's rows           the sums go to C after the last run, or with the fold flag after each
	  for k                        two at a time, four in the largest kernels
	    load B[k]                  one or two vectors, packed
	    for rows                   unrolled
	      broadcast A[row][k], multiply and add

Registers
	{ACC}: sums, row by row
	{B}: the row of B
	{A}: broadcast elements of A, in turn
	SI k left   BX B   CX C   DX bytes from row to row of C   R8 the same of A
	AX R10 R11 R12   rows 0, 3, 6, 9 of A: the others are at one and two strides from them
	R15 what will be needed next, a line of which is asked for with every second k
	R9 bias   DI add to C or replace it, in memory 2 more to fold   R13 mask of the last vector, and other things before

{MASK}
`

// gemm writes every size of product kernel.
func (s *isa) gemm() {
	for vecs := 2; vecs >= 1; vecs-- {
		for rows := s.rows; rows >= 1; rows-- {
			s.product(rows, vecs)
		}
	}
}

func (s *isa) productName(rows, vecs int) string {
	return fmt.Sprintf("gemm%dx%d_%s", rows, vecs, s.name)
}

const productParams = "kc int, a *float32, lda int, b *float32, c *float32, ldc int, bias *float32, add, mask, runs, gap, ahead int"

func (s *isa) product(rows, vecs int) {
	s.declare(s.productName(rows, vecs), productParams, 96)
	for _, p := range [][2]string{{"a+8", "AX"}, {"lda+16", "R8"}, {"b+24", "BX"}, {"c+32", "CX"},
		{"ldc+40", "DX"}, {"bias+48", "R9"}, {"add+56", "DI"}} {
		s.op("MOVQ", p[0]+"(FP)", p[1])
	}
	s.op("SHLQ", "$2", "R8")
	s.op("SHLQ", "$2", "DX")
	bases := []string{"AX", "R10", "R11", "R12"}[:(rows+2)/3]
	if len(bases) > 1 {
		s.op("LEAQ", "(R8)(R8*2)", "R13")
	}
	for i := 1; i < len(bases); i++ {
		s.op("LEAQ", "("+bases[i-1]+")(R13*1)", bases[i])
	}
	s.op("ANDQ", "$1", "DI")
	s.op("MOVQ", "ahead+88(FP)", "R15")
	s.op("ADDQ", "BX", "R15")
	s.prefetchC(rows, vecs)
	s.label("begin")
	for i := range rows * vecs {
		s.zero(s.v(i))
	}
	s.label("run")
	s.op("MOVQ", "kc+0(FP)", "SI")

	step := func(k int) {
		for j := range vecs {
			s.load(s.mem("BX", k*vecs+j), s.v(s.bReg+j), false)
		}
		spare := s.registers - s.bReg - 2
		for i := range rows {
			a := s.v(s.bReg + 2 + i%spare)
			s.op("VBROADCASTSS", address(bases[i/3], 4*k, i%3), a)
			for j := range vecs {
				s.op("VFMADD231PS", s.v(s.bReg+j), a, s.v(i*vecs+j))
			}
		}
	}
	advance := func(n int) {
		s.op("ADDQ", fmt.Sprintf("$%d", n*vecs*s.bytes()), "BX")
		for _, b := range bases {
			s.op("ADDQ", fmt.Sprintf("$%d", 4*n), b)
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
		if k%2 == 0 {
			s.op("PREFETCHT1", fmt.Sprintf("%d(R15)", 32*k))
		}
		step(k)
	}
	s.op("ADDQ", fmt.Sprintf("$%d", 32*unroll), "R15")
	advance(unroll)
	s.op("SUBQ", fmt.Sprintf("$%d", unroll), "SI")
	s.op("JGE", "loop")
	s.label("rest")
	s.op("ADDQ", fmt.Sprintf("$%d", unroll), "SI")
	s.op("JLE", "done")
	s.label("one")
	step(0)
	advance(1)
	s.op("DECQ", "SI")
	s.op("JNZ", "one")
	s.label("done")
	advanceRun := func() {
		s.op("MOVQ", "gap+80(FP)", "R13") // from the end of a run to the next
		for _, b := range bases {
			s.op("LEAQ", "("+b+")(R13*4)", b)
		}
	}
	s.op("TESTQ", "$2", "add+56(FP)")
	s.op("JNZ", "finish")
	s.op("DECQ", "runs+72(FP)")
	s.op("JZ", "finish")
	advanceRun()
	s.op("JMP", "run")
	s.label("finish")
	if s.wide() {
		s.finishWide(rows, vecs)
	} else {
		s.finishNarrow(rows, vecs)
	}
	s.label("written")
	s.op("TESTQ", "$2", "add+56(FP)")
	s.op("JZ", "return")
	s.op("DECQ", "runs+72(FP)")
	s.op("JZ", "return")
	advanceRun()
	s.op("MOVQ", "c+32(FP)", "CX")
	s.op("MOVQ", "$1", "DI")
	s.op("JMP", "begin")
	s.label("return")
	s.ret()
}

// address is an element of A: offset bytes into the row that lies strides rows after base.
func address(base string, offset, strides int) string {
	o := ""
	if offset > 0 {
		o = fmt.Sprint(offset)
	}
	if strides == 0 {
		return fmt.Sprintf("%s(%s)", o, base)
	}
	return fmt.Sprintf("%s(%s)(R8*%d)", o, base, strides)
}

// prefetchC asks for the rows of C, which are needed only at the end.
func (s *isa) prefetchC(rows, vecs int) {
	s.op("MOVQ", "CX", "R13")
	for i := range rows {
		s.op("PREFETCHT0", "(R13)")
		if s.wide() && vecs == 2 {
			s.op("PREFETCHT0", "64(R13)")
		}
		if i < rows-1 {
			s.op("ADDQ", "DX", "R13")
		}
	}
}

// finishWide adds the bias or the old C and writes; the last vector of each row goes by the mask.
func (s *isa) finishWide(rows, vecs int) {
	last := vecs - 1
	s.op("MOVQ", "mask+64(FP)", "R13")
	s.op("KMOVW", "R13", "K1")
	s.op("TESTQ", "DI", "DI")
	s.op("JZ", "replace")
	s.op("MOVQ", "CX", "R13")
	for i := range rows {
		if last > 0 {
			s.op("VADDPS", "(R13)", s.v(i*vecs), s.v(i*vecs))
		}
		s.op("VADDPS", s.mem("R13", last), s.v(i*vecs+last), "K1", s.v(i*vecs+last))
		s.op("ADDQ", "DX", "R13")
	}
	s.op("JMP", "write")
	s.bias(rows, vecs)
	s.label("write")
	for i := range rows {
		if last > 0 {
			s.op("VMOVUPS", s.v(i*vecs), "(CX)")
		}
		s.op("VMOVUPS", s.v(i*vecs+last), "K1", s.mem("CX", last))
		s.op("ADDQ", "DX", "CX")
	}
}

// finishNarrow does the same; a full last vector avoids the slow masked stores.
func (s *isa) finishNarrow(rows, vecs int) {
	last := vecs - 1
	s.op("MOVQ", "mask+64(FP)", "R13")
	s.op("TESTQ", "DI", "DI")
	s.op("JZ", "replace")
	s.op("MOVQ", "CX", "SI")
	s.op("CMPQ", "R13", fmt.Sprintf("$%d", s.lanes))
	s.op("JEQ", "full")
	s.narrowMask()
	for i := range rows {
		if last > 0 {
			s.op("VADDPS", "(SI)", s.v(i*vecs), s.v(i*vecs))
		}
		s.op("VMASKMOVPS", s.mem("SI", last), "Y14", "Y15")
		s.op("VADDPS", "Y15", s.v(i*vecs+last), s.v(i*vecs+last))
		s.op("ADDQ", "DX", "SI")
	}
	s.op("JMP", "writepart")
	s.label("full")
	for i := range rows {
		for j := range vecs {
			s.op("VADDPS", s.mem("SI", j), s.v(i*vecs+j), s.v(i*vecs+j))
		}
		s.op("ADDQ", "DX", "SI")
	}
	s.op("JMP", "writefull")
	s.bias(rows, vecs)
	s.label("write")
	s.op("CMPQ", "R13", fmt.Sprintf("$%d", s.lanes))
	s.op("JEQ", "writefull")
	s.narrowMask()
	s.label("writepart")
	for i := range rows {
		if last > 0 {
			s.op("VMOVUPS", s.v(i*vecs), "(CX)")
		}
		s.op("VMASKMOVPS", s.v(i*vecs+last), "Y14", s.mem("CX", last))
		s.op("ADDQ", "DX", "CX")
	}
	s.op("JMP", "written")
	s.label("writefull")
	for i := range rows {
		for j := range vecs {
			s.op("VMOVUPS", s.v(i*vecs+j), s.mem("CX", j))
		}
		s.op("ADDQ", "DX", "CX")
	}
}

// narrowMask loads the mask of the first R13 lanes into Y14.
func (s *isa) narrowMask() {
	s.op("NEGQ", "R13")
	s.op("LEAQ", "·tailMasks+32(SB)", "R9")
	s.op("VMOVUPS", "(R9)(R13*4)", "Y14")
}

// bias adds the bias to every row, unless there is none.
func (s *isa) bias(rows, vecs int) {
	s.label("replace")
	s.op("TESTQ", "R9", "R9")
	s.op("JZ", "write")
	for j := range vecs {
		s.load(s.mem("R9", j), s.v(s.bReg+j), false)
	}
	for i := range rows {
		for j := range vecs {
			s.op("VADDPS", s.v(s.bReg+j), s.v(i*vecs+j), s.v(i*vecs+j))
		}
	}
}

// dispatch writes the Go function that calls the kernel for a number of rows and vectors.
func (s *isa) dispatch(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n// gemm_%s calls the product kernel for rows rows and vecs vectors of columns.\n", s.name)
	fmt.Fprintf(b, "func gemm_%s(rows, vecs int, %s) {\n\tswitch 2*rows + vecs {\n", s.name, productParams)
	for rows := 1; rows <= s.rows; rows++ {
		for vecs := 1; vecs <= 2; vecs++ {
			fmt.Fprintf(b, "\tcase %d:\n\t\t%s(kc, a, lda, b, c, ldc, bias, add, mask, runs, gap, ahead)\n", 2*rows+vecs, s.productName(rows, vecs))
		}
	}
	b.WriteString("\t}\n}\n")
}
