// Package master runs the worker processes of a service: it starts them, knows
// when they are ready, looks at them up to ten times a second, replaces those that
// are stuck, dead or worn out, replaces all of them one by one on SIGHUP, and
// ends them in order on SIGTERM.
//
// It refuses to do their work: no HTTP, no database, no import of what workers
// run. Of a worker it knows arguments, environment, descriptors and its part of
// the scoreboard. Nothing that a worker, a disk or a terminal does can stop
// it, because it waits for none of them. What is to be done about a worker is
// decided by [watchdog.Sight.Judge], not here; here it is done.
//
// # Ways of a worker
//
//	Starting ─▶ Ready ─────────────▶ Draining ─▶ Stopping ─▶ (Dumping) ─▶ Killed   rolled, recycled, stopped
//	    │         ├─▶ Quarantined ─▶ Draining ─────────────▶ Dumping ──▶ Killed   stuck
//	    │         └────────────────────────────────────────▶ Dumping ──▶ Killed   frozen
//	    └─▶ Spare ─▶ Ready
//
// A worker leaves its place when another one accepts: the spare, if the pool
// has one, else a successor that was started for it. Only one that serves
// nobody any more leaves at once. The spare takes a place without any ruling
// when a worker dies, is stopped by a signal, or when nobody in the pool beats;
// the process that it replaced drains if it goes on in time.
//
// Before a worker is killed its threads are looked at, its clients are answered
// by the master itself, and connections on which nothing is under way are
// handed to a worker that lives. Then it has to write its stacks, into the file
// that is its descriptor 2. What it was busy with is read from its region
// before that is given to another process.
//
// A time in which nobody watched, because the machine slept or the master was
// stopped, counts for nobody: all deadlines move, and nothing is killed for it.
//
// # Goroutines
//
// [Run] owns all of them and returns when they are gone:
//
//   - the owner loop, the only one that touches state; everything that happens
//     reaches it as a function through one channel, and everything that is due
//     through one timer
//   - the spawner, on an operating system thread of its own: the kernel sends
//     a worker its death signal when the thread that started it ends, and
//     this one ends last
//   - two for each worker: one waits for its end, one reads its control socket
//   - one for each worker that is to be killed, while it is looked at and its
//     clients are looked after, one while clients read their last answer, and
//     one that takes idle connections out of a worker that does not beat
//   - one that gives whoever may ask a goroutine dump of the master itself; the
//     owner loop never hears of it
//   - one that measures memory and descriptors, every few seconds
//   - one that asks a new executable for its protocol
//   - the recorder, which writes deaths and incidents to disk and reads dumps; a
//     worker is restarted when its death is written, or after a second if the
//     disk is stuck
//   - the notifier, which talks to systemd, and one that writes the log; when
//     its terminal or pipe is stuck, lines are lost and nothing waits, and
//     [Run] returns a second later without it
//
// What opens or reads a file that a stuck disk could hold has a goroutine of
// its own, too, which is left alone when it takes too long.
//
// # Orphans
//
// With [Config.ReapOrphans] the process becomes a child subreaper and reaps
// what is no worker of its own. What a killed runner leaves behind then always
// comes to the master, whether it is pid 1 of a container, runs below a shell
// that reaps nothing, or under systemd: one way to go for all three, and no
// zombies. The master does not kill them; it cannot know what they are.
package master
