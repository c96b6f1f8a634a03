// Package lock is named mutexes that tell who holds them and who waits for
// them, for state that a product shares between requests.
//
// Go's own mutexes have no owner, so a dump of goroutines only ever suggests
// who holds one. Here a waiter, the lock that it waits for, and the holder of
// that lock are known, and a cycle of them is proof of a deadlock
// ([Graph.Cycles]). The package detects only. Whoever waits ends with its
// context, and so a cycle of waiters with deadlines ends with the first of
// them; [Graph.Dissolved] remembers it.
//
// A holder is one thread of execution, named by its context ([WithHolder]). A
// request that works in several goroutines at once gives each that locks a
// name of its own ([Fork]): two goroutines under one name look as if one of
// them waited for itself. Where that can be seen, the name proves nothing any
// more. And whoever locks must be who unlocks, or wait for whoever does.
//
// Locks that nobody waits for cost about as much as reading a clock, and no
// allocation. Waiters are served first come, first served, each handed
// the lock by the one before; that is fair, and slower than [sync.Mutex] for
// locks that are fought for a million times a second.
//
// The package starts no goroutine.
package lock
