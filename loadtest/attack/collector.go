package attack

import "runtime/debug"

const (
	heapPercent = 800     // of the live heap is allocated before it is collected
	memoryLimit = 1 << 30 // unless the process would come to hold more
)

// Unhurried lets the garbage collector of this process run seldom, and returns
// what undoes that. While it runs, hits are late by milliseconds; by default it
// does so several times a second at 5,000 requests a second, for more than a
// hundredth of the time, and so makes up p99 of self_lag. It is for whoever owns
// the process, once.
func Unhurried() (undo func()) {
	percent, limit := debug.SetGCPercent(heapPercent), debug.SetMemoryLimit(memoryLimit)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
