// Package target builds the requests of one traffic ahead of time: ids, bodies
// and signatures are made by a producer and kept ready in a ring, so that none
// of that work is done when a request is due, or measured as the target's time.
//
// Request n of a run is a pure function of (run, seed, traffic, n): its id, its
// variant, its size and every random byte. So a run can be had again, a
// repeated request is byte for byte the one it repeats though nobody kept it,
// and a ledger can compute the id of a sample ([ID]).
//
// [Magazine.Next] never waits. Where the ring does not hold the request that is
// due, the caller builds it himself, at his own expense, and the magazine
// counts that.
//
// A magazine has one goroutine, its producer, which is whoever calls
// [Magazine.Run].
package target
