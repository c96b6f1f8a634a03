// Package journal keeps the record of deaths on disk: one JSON line for each
// worker process that ended, written and synced before its successor is
// started.
//
// It has one writer, the master's process, and any number of readers in other
// processes. The file is bounded by count and by bytes: when it outgrows
// either, the newest half is written to a new file that takes its place. A
// crash in the middle of a line costs that line and no other: readers skip
// what they cannot read, and the writer starts on a line of its own.
//
// It refuses to judge or to select; the package starts no goroutine.
package journal
