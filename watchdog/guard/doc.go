// Package guard watches over the requests of one process from inside it: it
// answers 504 for the one that passes its deadline while its handler still
// hangs, cancels it, ends its children, and keeps a process in which nothing
// completes from accepting more. Any net/http server can run under it
// ([Guard.HTTP]), and, through package fastguard, any fasthttp or Fiber server.
//
//	g, err := guard.New(guard.Config{Region: region, Log: log})
//	g.HTTP(server)
//	go g.Run(ctx)
//	server.Serve(g.Listen(listener))
//
// It refuses to kill the process: a handler cannot be stopped, so what a
// request that was given up does to the process is judged from outside, by
// what stands on the scoreboard. It takes no dumps and writes no incidents;
// Config.Killed is told about each request that was given up.
//
// # Who may answer
//
// A connection has a slot on the scoreboard while it is open, and the slot's
// token decides who may use the connection (see [scoreboard.Token]). The guard
// is a net.Conn around the server's own, which takes the token for the server
// when that reads and writes:
//
//   - Idle becomes Reading in the same call that reads the first byte, so a
//     connection that is Idle has lost nothing, and can be closed in order or
//     moved to another process at any moment. That is why it is read by
//     syscall.RawConn.Read: the callback runs while the descriptor is held,
//     with nothing read yet. Other connections, and TLS, where bytes are read
//     before anybody knows, can only be closed.
//   - Running becomes Answering with the first byte of the answer. A handler
//     that comes too late gets EPIPE, which servers take for a client that went
//     away. An answer 1xx is only an interim.
//   - After an answer the phase is one in which nobody may judge, move or
//     answer ("between"), until it is certain that the server keeps nothing of
//     it in its buffer, and nothing of the next request. For fasthttp the proof
//     is that it reads when it waits for the first byte: it writes its answers
//     before it does, and reads only into an empty buffer. net/http always
//     writes its answer; how much it has read is measured.
//
// A request behind an answer that may not have been written yet runs as if its
// own answer had begun: at its deadline the connection is closed without a
// word, because a 504 would be read as the earlier request's answer. An answer
// that has begun gets one more second; most end in a moment.
//
// The answer is 504, not 408, which clients may follow by sending the request
// again by themselves. The servers' own timeout handlers are no alternative:
// they cost a goroutine for each request, and 20 times what this does.
//
// # Goroutines
//
// [Guard.Run] watches, sleeps until the next deadline or for 50 ms while
// requests run, and owns two kinds of others, for which it waits: one that
// does what may block, like logging, and one for each 504 through TLS, which
// lasts at most a second. A request costs less than 0.2 µs and no allocation.
// Servers move the deadline of reading twice with every request, which costs as
// much again in the runtime; here a later one is only noted until it matters, so
// that a server with a guard does no more than one without.
//
// If garbage is to be collected while a thread is in a loop that cannot be
// preempted, the world never stops, and the whole process stands still. So
// while a request is older than 200 ms and some thread runs all the time, the
// guard suspends garbage collection, within the limit of memory.
package guard
