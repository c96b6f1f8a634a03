// Package lab is a sick server: a Fiber application that sleeps, spins,
// deadlocks, leaks, crashes and freezes on request, under the watchdog. It
// shows what the watchdog does, it is what the watchdog's bars are measured
// with (see the command in lab/measure), and it is the worked example of how a
// service uses packages service, worker and fastguard; nothing in it is known
// to them.
//
//	/health                     200; every answer names its process in X-Pid
//	/echo                       the body of the request
//	/stream?s=N                 server-sent events for N seconds, with Touch
//	/sleep?s=N  /spin?s=N       stuck: asleep; busy
//	/cspin?s=N                  stuck: busy in a loop that Go cannot preempt
//	/deadlock                   two plain mutexes, taken in either order
//	/lockorder                  the same with tracked locks
//	/crash  /freeze             the process gets SIGSEGV; SIGSTOP
//	/leak?mb=N                  memory that is never given back
//	/burn?ms=N                  needs a processor for N ms, and ends
//	/hot?s=N                    300 goroutines fight for one lock in the background
//	/lease?s=N                  holds one of 16 leases for N s, or until its context ends
//	/blackhole?shut=1           from now on /blackhole blocks in this process
//	POST /webhook               checks the signature, stores the body, answers
//
// A fault with ?id=X first writes "<pid> <unix time>" to the file X in the
// fault directory, so that whoever asked knows when it began and where.
//
// What it does to itself it does on purpose: the goroutines of stuck handlers,
// of /deadlock and of /hot have no owner that waits for them and end with the
// process. The writer of stored hooks is waited for.
package lab
