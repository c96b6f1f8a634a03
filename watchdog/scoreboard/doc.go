// Package scoreboard is memory that all processes of a service share: one page
// for each pool, and one region for each process, with who it is, a heartbeat,
// counters, latencies, and a [Slot] for every request that it has under way.
//
// A region belongs to one incarnation of a worker at a time. The master gives
// it to the next only when the process before was reaped, so that what a
// killed worker was busy with can be read in peace. Counters and histograms
// are not cleared then: their sums over all regions are those of all processes
// that ever were, and never go down.
//
// Every field has one writer and is accessed with atomic operations; readers
// never wait for writers. The exception is a slot's [Token]: whoever answers a
// client must win it first. Times are CLOCK_MONOTONIC nanoseconds, which all
// processes share and no clock change touches.
//
// Whether a worker accepts is a bit in its pool's page. The master sets it
// ([Region.Promote]), and the worker itself may take it back
// ([Region.Gate]) unless it is the last one.
//
// The package starts no goroutine.
package scoreboard
