// Package process disturbs processes, and only those of the service under test.
//
// A [Realm] knows which those are: what descends from a process that the caller
// named. [Realm.Find] turns a target of a scenario into processes, and refuses
// everything else; a [Process] is held by its pidfd, so that a signal cannot
// meet another one that got its number later.
//
// What can be done to them: [Stop], [Kill], [Limit]. [Burn] takes processor time
// from everybody.
//
// A [Guardian] is this executable once more. It undoes what we did to processes
// and disks if we are killed before we could. Its main function is [Help], which
// the program must call when it is started with the arguments that [Helper] was
// given.
//
// Linux only. The package starts no goroutine, but for those of children that
// [Help] is the main function of.
package process
