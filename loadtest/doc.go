// Package loadtest holds the nouns of seadog's load tester: a [Scenario] says
// what is sent, when, and what must hold; a [Sample] is what became of one
// request; a [Threshold] is one thing that must hold; a [Verdict] is the end of
// it all, and a [Report] is everything that is known about a run.
//
// Three rules run through the area:
//
//   - Arrivals follow the schedule, whatever the service does. Response counts
//     from when a request was due, service from when it was sent.
//   - A request that was due and never sent is a request like any other: it
//     counts, at its age.
//   - What was not measured is never a pass. A generator at fault makes a run
//     [Invalid], too few data make it [Inconclusive].
//
// The package imports nothing of seadog and starts no goroutine. Sub-packages:
// spec reads scenarios and plans them; pace computes schedules; target builds
// requests ahead of time; probe sends one; attack sends them all; record and
// judge fold samples into series and values, with the sums of histogram and
// flight; leak, hang and ledger look for what percentiles do not show; observe
// watches the service from outside; fault disturbs it; report writes it all
// down; run puts them together.
package loadtest
