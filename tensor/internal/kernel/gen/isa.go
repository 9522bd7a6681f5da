package main

import (
	"bytes"
	"fmt"
)

// isa is an instruction set: its registers and the few operations that are spelled differently.
type isa struct {
	name, title string
	reg         string // prefix of the vector registers
	registers   int
	lanes       int    // float32 in a register
	rows        int    // rows of the full product kernel
	bReg        int    // first of the two registers for B; those after it are for A
	momentVecs  int    // vectors of columns that moments takes at a time
	maskReg     string // of the tail mask of vector kernels
	maskNote    string
	constNote   string
	softmaxNote string

	transposeNote string

	out      bytes.Buffer
	declared []string
	table    map[string]string // constants that are held in registers
}

var avx2 = &isa{
	name: "avx2", title: "AVX2 with FMA", reg: "Y", registers: 16, lanes: 8, rows: 6, bReg: 12, momentVecs: 2,
	maskNote:  "A partly filled last vector is read and written by VMASKMOVPS with the mask in Y14.",
	maskReg:   "Y15",
	constNote: "constants are read from memory",

	softmaxNote:   "Y11 … Y15 constants; those that are left are read from memory",
	transposeNote: transposeHeader,
}

var avx512 = &isa{
	name: "avx512", title: "AVX-512 F", reg: "Z", registers: 32, lanes: 16, rows: 12, bReg: 24, momentVecs: 4,
	maskNote:  "The last vector of a row is read and written under the mask K1, full or not.",
	maskReg:   "K1",
	constNote: "Z16 … Z31, then Z11 … Z15, Z7, Z8: constants; K2: where exp is not 0",

	softmaxNote: "Z11 … Z18 constants   K1 where a maximum grew",
}

func (s *isa) wide() bool { return s.lanes == 16 }

func (s *isa) v(i int) string { return fmt.Sprintf("%s%d", s.reg, i) }

// bytes is the size of a register.
func (s *isa) bytes() int { return 4 * s.lanes }

// mem is the i-th vector at a pointer.
func (s *isa) mem(base string, i int) string {
	return displaced(base, i*s.bytes())
}

// displaced is the memory so many bytes past a pointer.
func displaced(base string, bytes int) string {
	if bytes == 0 {
		return "(" + base + ")"
	}
	return fmt.Sprintf("%d(%s)", bytes, base)
}

// declare notes the Go declaration of the function whose text follows.
func (s *isa) declare(name, params string, frame int) {
	s.declared = append(s.declared, name+"("+params+")")
	s.line("")
	s.line("// func " + name + "(" + params + ")")
	s.line(fmt.Sprintf("TEXT ·%s(SB), NOSPLIT, $0-%d", name, frame))
}

func (s *isa) zero(v string) {
	if s.wide() {
		s.op("VPXORD", v, v, v)
		return
	}
	s.op("VXORPS", v, v, v)
}

// load and store move a vector; with masked, only the lanes of the tail mask (K1 or Y15). Other lanes load as zero.
func (s *isa) load(from, v string, masked bool) {
	switch {
	case !masked:
		s.op("VMOVUPS", from, v)
	case s.wide():
		s.op("VMOVUPS.Z", from, "K1", v)
	default:
		s.op("VMASKMOVPS", from, s.v(15), v)
	}
}

func (s *isa) store(v, to string, masked bool) {
	switch {
	case !masked:
		s.op("VMOVUPS", v, to)
	case s.wide():
		s.op("VMOVUPS", v, "K1", to)
	default:
		s.op("VMASKMOVPS", v, s.v(15), to)
	}
}

// tailMask makes the mask of the first CX lanes; CX is lost.
func (s *isa) tailMask() {
	if s.wide() {
		s.op("MOVL", "$1", "R8")
		s.op("SHLL", "CX", "R8")
		s.op("DECL", "R8")
		s.op("KMOVW", "R8", "K1")
		return
	}
	s.op("NEGQ", "CX")
	s.op("LEAQ", "·tailMasks+32(SB)", "R8")
	s.op("VMOVUPS", "(R8)(CX*4)", s.v(15))
}

func (s *isa) ret() {
	s.op("VZEROUPPER")
	s.op("RET")
}
