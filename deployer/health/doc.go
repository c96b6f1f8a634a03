// Package health decides whether a deployment may be called healthy.
//
// It owns the gate: which services are expected, what the engine says about
// their containers, and the sentence that explains the verdict. [Judge] is a
// pure function of one snapshot; [Gate] only takes snapshots until the verdict is
// final. It refuses to start, stop or repair anything, and knows no Docker: what
// it judges are [Observation]s, wherever they come from.
//
// The rules, for every container of every expected service:
//
//   - with a Docker health check: healthy passes, unhealthy fails, starting waits;
//   - without: it must run without a break, as seen by the gate itself, for
//     [deployer.HealthPolicy.Stable]; a restart begins that time anew;
//   - one that exited with 0 and is not restarted by policy has done its work: it passes;
//   - one that exited with another code fails;
//   - one that is restarted more often than is tolerated while the gate looks is
//     crash-looping: it fails. A few restarts are tolerated, because a service that dies
//     until its database answers is ordinary, and still has to be stable before it passes;
//   - a service with fewer containers than expected waits, until the gate's time is over.
//
// How long a container has run is measured between snapshots on this machine's
// monotonic clock; the engine's timestamps are only compared with each other.
//
// The package starts no goroutine.
package health
