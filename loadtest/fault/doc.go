// Package fault disturbs the service under test on a timeline, and undoes it.
//
// It owns the vocabulary of faults ([Check], [Describe]), the plan that a
// scenario's faults make ([Plan]), and the [Timeline] that carries it out. How a
// fault is done is the business of the packages below: process (signals,
// limits, stolen processor time), disk, client and proxy. The last one is not
// imported here, so that whoever only reads scenarios does not link a proxy; a
// timeline knows it as a [Network].
//
// Everything random comes from the scenario's seed: which worker is hit, which
// connections are, how long each byte waits. The same scenario against the same
// connections in the same order disturbs the same ones.
//
// Faults are undone at their end, when the context of [Timeline.Run] ends, and by
// [Timeline.Undo], which may be called at any time, any number of times, from any
// goroutine: defer it, and a panic leaves nothing behind either. Against SIGKILL,
// which nobody can defer, there is a guardian: this executable once more, which
// holds one end of a pipe and the list of what is to be undone, and does it when
// the pipe breaks. It covers what outlives this process: stopped processes,
// lowered limits, a filled disk. The rest dies with us: connections and proxies are
// the kernel's to close (whoever runs the service gave it their addresses, and
// ends it), stolen processor time ends with the same kind of pipe. A death signal
// (PR_SET_PDEATHSIG) would not do, because it can only be sent to children, and to
// continue others is no answer to it.
//
// Nothing is disturbed that is not ours: processes must descend from one that the
// caller named, hosts are of the loopback, a disk that is filled is one that was
// mounted for nothing else.
//
// Two things that scenarios ask for are no faults here. A flood of console lines is
// traffic: a push to a repository whose build prints them. And a clock that jumps
// cannot be had for one process: the wall clock belongs to the whole machine, and
// seadog decides nothing by it.
package fault
