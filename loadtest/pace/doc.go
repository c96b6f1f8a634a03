// Package pace computes when requests are due. A [Schedule] knows the due time
// of every hit of one traffic in one phase, and nothing of time as it passes:
// whoever sends asks At, whoever compares asks Planned.
//
// A schedule is a rate over time; hits fall where the area below the rate
// passes a whole number. A ramp from 0 to 4 a second over 4 s has 8 of them:
//
//	rate                       area
//	4 │              ⟋         8 │               ⟋
//	3 │          ⟋             6 │            ⟋        hit n is due
//	2 │      ⟋                 4 │         ⟋           where the area
//	1 │  ⟋                     2 │     ⟋               passes n
//	0 └───┬───┬───┬───┬        0 └─┴─┴──┴─┴┴┴┴┴
//	  0   1   2   3   4 s        0   1   2   3   4 s
//	                             n 0     1  2 3 4…7
//
// The first hit is due at 0 where the rate begins there, and a phase ends just
// before its length: hits at [0, length). So phases follow each other without a
// hit too many or too few at their seams: 1,000/s for 100,000 s is exactly 10⁸
// hits, and hit 10⁸ would be due at exactly 100,000 s.
//
// Shapes of constant rates (constant, steps, spike, burst, search) are computed
// in whole numbers of 128 bits, ramp and sine by bisection on their integral.
// Neither keeps anything per hit, and both are open to random access. Poisson
// arrivals are drawn in blocks, each from a seed of its own; about 8 bytes are
// kept per thousand hits, and a block is drawn again when it is asked for. All
// schedules are immutable to their callers and safe for concurrent use; the
// package starts no goroutine.
package pace
