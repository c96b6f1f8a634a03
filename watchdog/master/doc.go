// Package master runs the worker processes of a service: it starts them, knows
// when they are ready, restarts those that die, replaces all of them one by one
// on SIGHUP, and ends them in order on SIGTERM.
//
// It refuses to do their work: no HTTP, no database, no import of what workers
// run. Of a worker it knows arguments, environment and descriptors. Nothing
// that a worker, a disk or a terminal does can stop it, because it waits for
// none of them.
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
//   - the recorder, which writes deaths to disk; a worker is restarted when its
//     death is written, or after a second if the disk is stuck
//   - the notifier, which talks to systemd, and one that writes the log; when
//     its terminal or pipe is stuck, lines are lost and nothing waits, and
//     [Run] returns a second later without it
//
// # Orphans
//
// With [Config.ReapOrphans] the process becomes a child subreaper and reaps
// what is no worker of its own. What a killed runner leaves behind then always
// comes to the master, whether it is pid 1 of a container, runs below a shell
// that reaps nothing, or under systemd: one way to go for all three, and no
// zombies. The master does not kill them; it cannot know what they are.
package master
