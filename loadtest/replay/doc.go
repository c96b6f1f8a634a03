// Package replay makes a scenario of what a service recorded: the deliveries of
// one or several files, at their own pace or a multiple of it, signed anew as
// each provider does, under fresh ids or their old ones.
//
// It owns the reading of recordings, whose format stands in the comment of
// deployer/recording. Files are merged by time: within a file the monotonic
// clock counts, between files the wall clock. A last line without an end is
// what a killed process leaves, and is passed over; anything else that is no
// delivery is an error with file and line.
//
// A delivery that came in twice under one id is sent twice under one id. One
// that was refused is sent so that it must be refused again: with a wrong
// signature, or malformed as it was.
//
// It refuses to send anything, and keeps no secret longer than the scenario.
//
// Goroutines: none.
package replay
