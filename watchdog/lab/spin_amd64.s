#include "textflag.h"

// func spinNative(n int64)
TEXT ·spinNative(SB), NOSPLIT, $0-8
	MOVQ n+0(FP), AX

again:
	DECQ AX
	JGT  again
	RET
