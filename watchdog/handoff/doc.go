// Package handoff is how descriptors get from the master into its workers:
// listening sockets ([Listen]), doorbells ([Doorbell]), the control socket
// ([Control]) and the scoreboard's memory, listed in a [Manifest] that travels
// in an environment variable and claimed by [Claim].
//
// A listening socket is made once, by the master, which never accepts on it
// and never closes it: whatever happens to the workers, connections wait in
// its queue and nobody is refused. SO_REUSEPORT would give each worker a queue
// of its own, and a queue dies with its worker.
//
// The master keeps descriptors as numbers ([Held]), not as os.File or
// net.Listener, for two reasons. A Held has no Close and no finalizer. And
// handing an os.File to a child switches it to blocking mode, which is shared
// with every process that has the same socket: workers that lose the race for
// a connection would then hang in accept(2).
//
// A process that inherited descriptors marks all of them close-on-exec before
// it does anything else, so that no command which it runs later can keep a
// port or a queue alive.
//
// This package is the only one that reads and removes process-wide variables
// (the manifest, LISTEN_FDS): descriptor numbers are process-wide too. It
// starts no goroutine.
package handoff
