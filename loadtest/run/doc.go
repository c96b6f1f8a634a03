// Package run puts the parts of the load tester together: it sends what a
// scenario says, watches the service meanwhile, disturbs it, and ends with a
// [loadtest.Report].
//
// A run has these stretches, in order: the machine is looked at (descriptors,
// ports, calibration), the service at rest, the load with its faults, the drain,
// the ledger. What ends it early (a threshold, a signal) ends the load; the rest
// is made short but not left out, because what is known must be written down.
// Faults are undone in any case.
//
// Where a verdict is made: reasons.go collects everything that speaks against
// the run, [loadtest.Decide] takes what goes before all others.
//
// [Run] waits for everything that it starts.
package run
