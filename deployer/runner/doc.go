// Package runner claims deployments and runs their steps.
//
// A runner process runs one deployment at a time. Everything that a step
// starts is a supervised child process with the deployment's marker in its
// environment, so that cancellation, deadlines, silence and the death of the
// runner itself all end in the same way: nothing is left running. Everything
// that can be prepared is prepared before a running container is touched:
//
//	fetch → config → pull → build │ up → health → finish
//	                              └─ on failure: rollback
//
// The runner never decides what to deploy (deployer.Lane did) and never ends a
// deployment that it does not own: when its lease is lost it stops its
// children and writes nothing.
//
// Goroutines: one heartbeat per deployment, waited for before the deployment's
// end is written.
package runner
