// Package scoreboard is memory that all processes of a service share: one
// region for each place in each pool, with who fills it (pid, incarnation,
// state), a heartbeat, and counters.
//
// A region belongs to the place, not to the process: the counters of a worker
// that was killed stay, and its successor goes on from there, so that no
// counter ever goes backwards. While a worker is being replaced two
// incarnations share a region; both count, and only the one that the region
// names has its heartbeat and state shown.
//
// Every field is written and read with atomic operations; readers never wait
// for writers, and a snapshot is exact for each field but not across fields.
// Times are CLOCK_MONOTONIC nanoseconds, which all processes share and no
// clock change touches.
//
// The package starts no goroutine.
package scoreboard
