// Package watchdog holds the nouns of seadog's process side: what a [Pool] of
// workers is, in which [State] a worker can be, when a dead one is started
// again ([Backoff]), and what is written down about a [Death].
//
// It refuses everything else. Descriptors belong to handoff, shared memory to
// scoreboard, the record of deaths to journal, spawning and reaping to master,
// and the child's side to worker. Nothing here knows HTTP, a database or what
// the workers do, and nothing here starts a goroutine.
//
//	master ── spawns, signals, reaps ──▶ worker (the same binary, executed again)
//	   │  listeners, doorbells, scoreboard, control socket: inherited descriptors
//	   └─ writes every death to the journal before it starts a successor
package watchdog
