// Package watchdog holds the nouns of seadog's process side and its one
// judgment: what a [Pool] of workers is, in which [State] a worker can be, what
// its [Policy] allows, when a worker is given up ([Sight.Judge], a pure function
// of what the master saw), when a dead one is started again ([Backoff]), and
// what is written down about a [Death] and an [Incident].
//
// It refuses everything else. Descriptors belong to handoff, shared memory to
// scoreboard, what the kernel knows to process, the records to journal,
// spawning, killing and reaping to master, the child's side to worker, and the
// requests in it to guard. Nothing here knows HTTP, a database or what the
// workers do, and nothing here starts a goroutine.
//
//	master ── spawns, judges, kills, reaps ──▶ worker (the same binary, executed again)
//	   │  listeners, doorbells, scoreboard, control socket:     │  guard: soft deadlines, 504, accept gate
//	   │  inherited descriptors                                 │  deadlock: why requests do not end
//	   ├─ reads every slot, wins tokens of frozen workers  ◀────┴─ slots, tokens, heartbeat in shared memory
//	   └─ writes every death to the journal before it starts a successor
package watchdog
