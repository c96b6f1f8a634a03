// Package stackdump reads what Go programs print about their goroutines and
// says who waits for what.
//
// [Parse] understands runtime.Stack, the goroutine profile with debug=1 and
// debug=2, the dump that SIGQUIT leaves on stderr, and panics, of Go 1.24 to
// 1.26. It is line based and forgiving: dumps come from dying processes, cut off,
// interleaved with logs, through pipes that change line ends. What is broken
// is kept as far as it was understood, a [Problem] is recorded, and parsing
// goes on. Memory is bounded by a budget, whatever the input.
//
// [Groups], [Locks] and [Stalled] judge dumps; they are pure functions.
//
// The package takes no dumps and knows no process, no request and no verdict:
// the caller does. It starts no goroutine.
package stackdump
