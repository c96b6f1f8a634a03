// Package process is what the kernel knows about another process, and what can
// be done to it from outside: its state, memory, threads and descriptors; the
// queue of a listening socket; and, for a worker that is frozen, its client
// connections, which are taken out of it, answered and closed.
//
// It refuses to decide anything, keeps no state and starts no goroutine. No
// function waits for another process. Everything that is read from /proc is
// read in pieces of bounded size, and only what was asked for.
//
// A pid means a process only as long as its parent has not reaped it; callers
// are the parent, or hold a pidfd.
package process
