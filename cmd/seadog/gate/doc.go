// Package gate is the release gate: it runs the suite of scenarios against
// services that it starts itself, and says whether this build may be released.
//
// Everything is real: the built binary, a Docker Engine, Git repositories,
// SQLite or PostgreSQL. Scenarios whose service sections are equal share one
// service, so that leaks can be judged over more than one of them. Whatever is
// started is stopped and removed, whichever way the run ends.
//
// What sends and judges is package loadtest/run; what is sent stands in
// scenarios/. Here is only what a scenario needs to stand on, and the table.
package gate
