#include "textflag.h"

// func undefined(n int)
TEXT ·undefined(SB), NOSPLIT, $0-8
	UNDEF
	RET
