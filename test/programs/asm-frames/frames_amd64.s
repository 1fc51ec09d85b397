#include "textflag.h"
#include "funcdata.h"

// func twice(f func())
TEXT ·twice(SB), 0, $64-8
	NO_LOCAL_POINTERS
	MOVQ f+0(FP), DX
	MOVQ (DX), AX
	CALL AX
	MOVQ f+0(FP), DX
	MOVQ (DX), AX
	CALL AX
	RET

// func outer(f func())
TEXT ·outer(SB), 0, $4000-8
	NO_LOCAL_POINTERS
	MOVQ f+0(FP), AX
	MOVQ AX, 0(SP)
	CALL ·twice(SB)
	RET
