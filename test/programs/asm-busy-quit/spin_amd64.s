#include "textflag.h"

// func spin(flag *int64)
TEXT ·spin(SB), NOSPLIT, $16-8
	MOVQ flag+0(FP), AX
again:
	MOVQ (AX), BX
	TESTQ BX, BX
	JZ again
	RET
