// Package deadlock finds out, inside a worker, why requests do not end, and
// writes it down as an incident.
//
// It is told of every request that was given up ([Detector.Killed]), and looks
// at tracked locks once a second by itself. For each incident it collects what
// costs nothing: what the kernel says about the threads, who holds and who
// waits for tracked locks. Stacks of goroutines cost a stop of the whole
// process, so they are taken seldom: once in ten seconds, once in ten minutes
// for the same place, and not while a thread computes without a pause: a loop
// that the runtime cannot interrupt would turn the stop into the end of the
// process. Three dumps within 0.4 seconds show which locks of package sync
// let nobody go; tracked locks show cycles, which are proof.
//
// The package refuses to end anything: requests are given up by the guard,
// workers are replaced by the master, to whom a proven deadlock is reported.
// What it stores has no labels but the slot, and no arguments of functions but
// the addresses of locks.
//
// [Detector.Run] has two goroutines, one that looks and one that stores, so
// that a disk that hangs does not stop the first.
package deadlock
