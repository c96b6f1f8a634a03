#include "textflag.h"

// func spinNative(n int64)
TEXT ·spinNative(SB), NOSPLIT, $0-8
	MOVD n+0(FP), R0

again:
	SUBS $1, R0, R0
	BGT  again
	RET
