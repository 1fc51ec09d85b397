#include "textflag.h"

// func load(address *int64) int64
TEXT ·load(SB), NOSPLIT, $0-16
	MOVQ address+0(FP), AX
	MOVQ 8(AX), BX
	MOVQ BX, ret+8(FP)
	RET
