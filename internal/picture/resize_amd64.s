// AVX2 kernels of Resize. A vector holds the four channels of two pixels as 32-bit integers; sums begin with one half
// (2^21) and are shifted by 22 bits at the end. What lies beyond 8 bits is clamped by the instructions that narrow: a sum
// has 10 bits, so the first, to 16 bits, loses nothing. Alpha is set to 255.

#include "textflag.h"

// Where the eight pixels lie after two narrowings within the halves of a vector.
DATA narrowed<>+0(SB)/4, $0
DATA narrowed<>+4(SB)/4, $4
DATA narrowed<>+8(SB)/4, $1
DATA narrowed<>+12(SB)/4, $5
DATA narrowed<>+16(SB)/4, $2
DATA narrowed<>+20(SB)/4, $6
DATA narrowed<>+24(SB)/4, $3
DATA narrowed<>+28(SB)/4, $7
GLOBL narrowed<>(SB), RODATA|NOPTR, $32

// func columnsAVX2(dst, src *byte, stride int, k *int32, taps, groups int)
//
// DI dst   SI src   R8 stride   BX k   CX taps   DX groups left   R9, R10, R11 place, weight and taps left of a group
// Y0 … Y3 sums of 8 pixels   Y13 order   Y14 alpha   Y15 one half
TEXT ·columnsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), R8
	MOVQ k+24(FP), BX
	MOVQ taps+32(FP), CX
	MOVQ groups+40(FP), DX
	VMOVDQU narrowed<>(SB), Y13
	VPCMPEQD Y14, Y14, Y14
	VPSRLD $31, Y14, Y15
	VPSLLD $21, Y15, Y15
	VPSLLD $24, Y14, Y14

group:
	VMOVDQA Y15, Y0
	VMOVDQA Y15, Y1
	VMOVDQA Y15, Y2
	VMOVDQA Y15, Y3
	MOVQ SI, R9
	MOVQ BX, R10
	MOVQ CX, R11

tap:
	VPBROADCASTD (R10), Y4
	VPMOVZXBD (R9), Y5
	VPMOVZXBD 8(R9), Y6
	VPMOVZXBD 16(R9), Y7
	VPMOVZXBD 24(R9), Y8
	VPMULLD Y4, Y5, Y5
	VPMULLD Y4, Y6, Y6
	VPMULLD Y4, Y7, Y7
	VPMULLD Y4, Y8, Y8
	VPADDD Y5, Y0, Y0
	VPADDD Y6, Y1, Y1
	VPADDD Y7, Y2, Y2
	VPADDD Y8, Y3, Y3
	ADDQ R8, R9
	ADDQ $4, R10
	DECQ R11
	JNZ tap

	VPSRAD $22, Y0, Y0
	VPSRAD $22, Y1, Y1
	VPSRAD $22, Y2, Y2
	VPSRAD $22, Y3, Y3
	VPACKSSDW Y1, Y0, Y0 // pixels 0 2 | 1 3
	VPACKSSDW Y3, Y2, Y2 // pixels 4 6 | 5 7
	VPACKUSWB Y2, Y0, Y0 // pixels 0 2 4 6 | 1 3 5 7
	VPERMD Y0, Y13, Y0
	VPOR Y14, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ $32, SI
	ADDQ $32, DI
	DECQ DX
	JNZ group
	VZEROUPPER
	RET

// func rowsAVX2(dst0, dst1, dst2, dst3, quads *byte, first, count, k *int32, w int)
//
// DI, SI, R12, R13 rows of dst   AX quads   R8 first   R10 count   BX k   CX pixels left   R9, R11 place and taps left
// Y0, Y1 sums of the rows 0 and 1, 2 and 3   Y14 alpha   Y15 one half
TEXT ·rowsAVX2(SB), NOSPLIT, $0-72
	MOVQ dst0+0(FP), DI
	MOVQ dst1+8(FP), SI
	MOVQ dst2+16(FP), R12
	MOVQ dst3+24(FP), R13
	MOVQ quads+32(FP), AX
	MOVQ first+40(FP), R8
	MOVQ count+48(FP), R10
	MOVQ k+56(FP), BX
	MOVQ w+64(FP), CX
	VPCMPEQD Y14, Y14, Y14
	VPSRLD $31, Y14, Y15
	VPSLLD $21, Y15, Y15
	VPSLLD $24, Y14, Y14

pixel:
	MOVLQSX (R8), R9
	MOVLQSX (R10), R11
	SHLQ $4, R9
	ADDQ AX, R9
	VMOVDQA Y15, Y0
	VMOVDQA Y15, Y1

quad:
	VPBROADCASTD (BX), Y4
	VPMOVZXBD (R9), Y5
	VPMOVZXBD 8(R9), Y6
	VPMULLD Y4, Y5, Y5
	VPMULLD Y4, Y6, Y6
	VPADDD Y5, Y0, Y0
	VPADDD Y6, Y1, Y1
	ADDQ $4, BX
	ADDQ $16, R9
	DECQ R11
	JNZ quad

	VPSRAD $22, Y0, Y0
	VPSRAD $22, Y1, Y1
	VPACKSSDW Y1, Y0, Y0 // rows 0 2 | 1 3
	VPACKUSWB Y0, Y0, Y0
	VPOR Y14, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VMOVD X0, (DI)
	VMOVD X1, (SI)
	VPEXTRD $1, X0, (R12)
	VPEXTRD $1, X1, (R13)
	ADDQ $4, DI
	ADDQ $4, SI
	ADDQ $4, R12
	ADDQ $4, R13
	ADDQ $4, R8
	ADDQ $4, R10
	DECQ CX
	JNZ pixel
	VZEROUPPER
	RET
