// Package journal keeps what the watchdog did on disk, in two forms.
//
// A [Journal] records deaths: one JSON line for each worker process that
// ended, written and synced before its successor is started. It has one
// writer, the master's process, and any number of readers in other processes.
// The file is bounded by count and by bytes: when it outgrows either, the
// newest half is written to a new file that takes its place. A crash in the
// middle of a line costs that line and no other: readers skip what they cannot
// read, and the writer starts on a line of its own.
//
// [Incidents] is a directory with one JSON file for each incident and, beside
// it, the goroutine dump. Master and workers all write there and never wait for
// each other, because one of them may be frozen: a file is replaced as a whole
// or not at all, and whoever finds that he replaced what he had not read puts
// it back in ([Merge]). The directory is bounded by count and by bytes;
// warnings go before killings, old ones before new ones. Readers skip what is
// torn or foreign.
//
// It refuses to judge or to select; the package starts no goroutine.
package journal
