// Package attack sends the requests of a scenario when they are due, whatever
// the target does, and knows whether it can be believed.
//
// Every hit that was due is in exactly one sample: sent, or dropped at its age,
// also when the run is ended from outside. Where to look:
//
//   - when a hit is sent: lane.launch; how a backlog is worked off: governor;
//   - who is to blame that it was late: twin, and ourFault;
//   - what runs the workers: [Engine], and [Vegeta], with its traps;
//   - how samples get out: outbox;
//   - whether the generator was at fault: rules, judging facts (G1 … G8), and
//     [Preflight] and [Calibrate] before the run.
//
// # Who is to blame for lateness
//
// A hit that is sent late was held up by ourselves (self_lag) or by a target
// that kept all slots busy (slot_wait). Vegeta's dispatcher shows only that a
// hand-over took long. Three ways to tell the two apart were tried, at 1,000 a
// second with ten slots, against a target that stalls for 2 s, and in a
// generator whose processors eight goroutines keep busy for 2 s. What should be
// near 100 % of the lateness:
//
//	                                          stall: slot_wait   starved: self_lag
//	gap between two calls of Pace                   0.2 %              99.8 %
//	slots of our own, twin                         99.9 %                34 %
//	slots of our own, twin, canary          98.9 … 99.8 %        94 … 98 %
//
// (On two cores that others kept busy, with a load of 16 to 25.)
//
// The gap shows what one hit waited, and the hits behind it are late through
// the same stall without a gap of their own. So there are slots of our own, for
// which the dispatcher waits and whose end it knows; vegeta always has a free
// worker. And there is a twin: the dispatcher as it would have been had a slot
// always been free. It is computed, not run: it takes from the real one how late
// that woke up and how long it worked, and has no waits. What the twin is late
// is self_lag, the rest slot_wait, and their sum is the lateness, exactly.
//
// That leaves the generator that is starved of processors. It holds its own
// slots, because nobody looks at the answers that have come, and the target
// would be blamed. The time between slot and send does not show it: the runtime
// runs a goroutine that was just woken by another at once, and the one whose
// answer has come last. So a canary waits for a timer of the kernel as a
// connection waits for an answer. While it is overdue, answers are as well, and
// a wait during most of which it was overdue is our own.
//
// # Goroutines
//
// Those of the engine, a producer for each traffic, the reaper of the probe, the
// canary, one that reads the process's vitals, one that gives samples to the
// sink, and one that ends what is in flight when the run is ended. [Attack.Run]
// waits for all of them.
package attack
